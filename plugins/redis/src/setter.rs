//! The setter.

use async_trait::async_trait;
use swarmsecrets_core::credential::{Account, Credential, CredentialSetter, Login, Shape, Way};
use swarmsecrets_core::ids::{RotationId, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::Builder;
use crate::hash::Hash;
use crate::server::Server;
use crate::session::{Administrator, Kept, Session};

/// Changes the password of one user. See [the crate](crate).
pub struct RedisSetter {
    pub(crate) server: Server,
    pub(crate) administrator: Administrator,
    pub(crate) shape: Shape,
    pub(crate) user: String,
    pub(crate) in_memory_only: bool,
}

impl RedisSetter {
    /// Begins with where the server is: a host's name or address and the port, or the path of a Unix socket.
    pub fn at(host: &str, port: u16) -> Builder {
        Builder::new(host, port)
    }

    fn hash(&self, value: &SecretValue) -> Result<Hash> {
        Ok(Hash::of(&self.password(value)?))
    }

    fn password(&self, value: &SecretValue) -> Result<SecretValue> {
        self.shape.read(value)?.of(&self.user)
    }

    async fn session(&self, rotation: &RotationId) -> Result<Session<'_>> {
        self.administrator.session(&self.server, &self.user, rotation).await
    }

    async fn keeps(&self, session: &mut Session<'_>) -> Result<Kept> {
        if self.in_memory_only { Ok(Kept::MemoryOnly) } else { session.keeps().await }
    }

    fn error(&self, kind: ErrorKind, why: &str) -> Error {
        Error::new(kind, format!("user {} of {} {why}", quoted(&self.user), self.server))
    }

    fn third(&self) -> Error {
        self.error(
            ErrorKind::Conflict,
            "has a further password, which is neither the current nor the next one: another rotation's, or a person's",
        )
    }
}

#[async_trait]
impl CredentialSetter for RedisSetter {
    fn account(&self) -> Account {
        Account::new(self.server.to_string(), &self.user, Way::HoldsTwo)
    }

    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        self.password(current)?;
        self.shape.write(current, &Credential { user: None, password: password.clone() })
    }

    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let (current, next) = (self.hash(current)?, self.hash(next)?);
        let mut session = self.session(rotation).await?;
        let held = session.held().await?;
        if !held.contains(&current) {
            let why = "does not log in with the current password: somebody has changed it";
            return Err(self.error(ErrorKind::Stale, why));
        }
        if held.iter().any(|hash| *hash != current && *hash != next) {
            return Err(self.third());
        }
        let kept = self.keeps(&mut session).await?;
        if !held.contains(&next) {
            session.change(&[next.added()]).await?;
        }
        // Also when it was there: the call before this one may have come no further.
        session.save(kept).await
    }

    async fn verify(&self, value: &SecretValue) -> Login {
        let password = match self.password(value) {
            Ok(password) => password,
            Err(error) => return Login::Unclear(error),
        };
        match self.server.connect(&self.user, &password).await {
            Ok(_) => Login::Works,
            Err(error) if error.kind() == ErrorKind::Unauthorized => Login::Refused,
            Err(error) => Login::Unclear(error),
        }
    }

    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        let old = self.hash(old)?;
        let mut session = self.session(rotation).await?;
        let held = session.held().await?;
        if held.iter().all(|hash| *hash == old) {
            let why = "has no other password than the old one: set the next one first";
            return Err(self.error(ErrorKind::Refused, why));
        }
        let kept = self.keeps(&mut session).await?;
        if held.contains(&old) {
            session.change(&[old.removed()]).await?;
        }
        session.save(kept).await
    }

    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        let current = self.hash(current)?;
        let mut session = self.session(rotation).await?;
        let held = session.held().await?;
        if held.iter().filter(|hash| **hash != current).count() > 1 {
            return Err(self.third());
        }
        let kept = self.keeps(&mut session).await?;
        if held != [current.clone()] {
            session.change(&["resetpass".to_owned(), current.added()]).await?;
        }
        session.save(kept).await
    }
}
