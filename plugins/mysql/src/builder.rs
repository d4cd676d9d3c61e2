//! The settings of a setter.

use swarmsecrets_core::credential::{Encryption, Shape};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::MysqlSetter;
use crate::administrator::Administrator;
use crate::server::{Kind, Server};
use crate::statement::User;

/// The settings of a [`MysqlSetter`].
#[must_use]
pub struct Builder {
    server: Server,
    administrator: Option<Administrator>,
    shape: Shape,
    user: Option<User>,
}

impl Builder {
    pub(crate) fn new(kind: Kind, host: &str, port: u16) -> Self {
        let encryption = Encryption::default();
        let server = Server { kind, host: host.to_owned(), port, encryption, authority: None };
        Self { server, administrator: None, shape: Shape::Whole, user: None }
    }

    /// Who changes the password.
    pub fn administrator(mut self, user: &str, password: SecretValue) -> Self {
        self.administrator = Some(Administrator { user: user.to_owned(), password });
        self
    }

    /// Whose password is changed: the two parts of `'app'@'%'`.
    pub fn user(mut self, name: &str, host: &str) -> Self {
        self.user = Some(User { name: name.to_owned(), host: host.to_owned() });
        self
    }

    /// Where the password stands in the secret's value. Without it, the value is the password.
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// When connections are encrypted.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.server.encryption = encryption;
        self
    }

    /// An authority (PEM) whose certificates are trusted besides those that the system trusts.
    pub fn certificate_authority(mut self, pem: Vec<u8>) -> Self {
        self.server.authority = Some(pem);
        self
    }

    /// Makes the setter. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying what is missing or cannot be.
    pub fn build(self) -> Result<MysqlSetter> {
        let bad = |why: String| Error::new(ErrorKind::Settings, format!("{} cannot be set up: {why}", self.server));
        let user = self.user.ok_or_else(|| bad("say whose password is to be changed".into()))?;
        let administrator = self.administrator.ok_or_else(|| bad("say who the administrator is".into()))?;
        if user.name.is_empty() || user.name.contains('\0') {
            return Err(bad(format!("{} is not a user's name", quoted(&user.name))));
        }
        if user.host.is_empty() || user.host.contains('\0') {
            return Err(bad(format!("{} is not where a user comes from: give `%` for everywhere", quoted(&user.host))));
        }
        if std::str::from_utf8(administrator.password.expose()).is_err() {
            return Err(bad("the administrator's password is not UTF-8 text".into()));
        }
        Ok(MysqlSetter { server: self.server, administrator, shape: self.shape, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_cannot_be_is_said() {
        let settings = || {
            MysqlSetter::mariadb_at("db", 3306)
                .administrator("admin", SecretValue::credential(b"made-up-admin".to_vec()))
        };
        let refusal = |builder: Builder| {
            let error = builder.build().err().expect("the settings are refused");
            assert_eq!(error.kind(), ErrorKind::Settings);
            error.to_string()
        };
        assert!(refusal(settings()).contains("whose password"));
        assert!(refusal(MysqlSetter::mysql_at("db", 1).user("app", "%")).contains("administrator"));
        assert!(refusal(settings().user("", "%")).contains("not a user's name"));
        assert!(refusal(settings().user("app", "")).contains("`%` for everywhere"));
        assert!(settings().user("app", "%").build().is_ok());
    }
}
