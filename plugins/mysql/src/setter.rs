//! The setter.

use async_trait::async_trait;
use swarmsecrets_core::credential::{Account, Credential, CredentialSetter, Login, Shape, Way};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::Builder;
use crate::administrator::Administrator;
use crate::mariadb::MariaDb;
use crate::mysql::MySql;
use crate::server::{Kind, Server};
use crate::statement::User;

/// Changes the password of one user. See [the crate](crate).
pub struct MysqlSetter {
    pub(crate) server: Server,
    pub(crate) administrator: Administrator,
    pub(crate) shape: Shape,
    pub(crate) user: User,
}

impl MysqlSetter {
    /// Begins with where a MariaDB is: a host's name or address and the port, or the path of a Unix socket.
    pub fn mariadb_at(host: &str, port: u16) -> Builder {
        Builder::new(Kind::MariaDb, host, port)
    }

    /// Begins with where a MySQL is. Not tested on a server: see [the crate](crate).
    pub fn mysql_at(host: &str, port: u16) -> Builder {
        Builder::new(Kind::MySql, host, port)
    }

    fn mariadb(&self) -> MariaDb<'_> {
        MariaDb { server: &self.server, administrator: &self.administrator, user: &self.user }
    }

    fn mysql(&self) -> MySql<'_> {
        MySql { server: &self.server, administrator: &self.administrator, user: &self.user }
    }

    fn password(&self, value: &SecretValue) -> Result<SecretValue> {
        let password = self.shape.read(value)?.of(&self.user.name)?;
        match std::str::from_utf8(password.expose()) {
            Ok(text) if !text.contains('\0') => Ok(password),
            _ => Err(Error::new(ErrorKind::Invalid, "the password is not UTF-8 text, or holds a zero character")),
        }
    }
}

#[async_trait]
impl CredentialSetter for MysqlSetter {
    fn account(&self) -> Account {
        Account::new(self.server.to_string(), &self.user.name, Way::HoldsTwo)
    }

    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        self.password(current)?;
        self.shape.write(current, &Credential { user: None, password: password.clone() })
    }

    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let (current, next) = (self.password(current)?, self.password(next)?);
        match self.server.kind {
            Kind::MariaDb => self.mariadb().set(rotation, &current, &next).await,
            Kind::MySql => self.mysql().set(rotation, &current, &next).await,
        }
    }

    async fn verify(&self, value: &SecretValue) -> Login {
        match self.password(value) {
            Ok(password) => self.server.login(&self.user.name, &password).await,
            Err(error) => Login::Unclear(error),
        }
    }

    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        let old = self.password(old)?;
        match self.server.kind {
            Kind::MariaDb => self.mariadb().revoke(rotation, &old).await,
            Kind::MySql => self.mysql().revoke(rotation, &old).await,
        }
    }

    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        let current = self.password(current)?;
        match self.server.kind {
            Kind::MariaDb => self.mariadb().undo(rotation, &current).await,
            Kind::MySql => self.mysql().undo(rotation, &current).await,
        }
    }
}
