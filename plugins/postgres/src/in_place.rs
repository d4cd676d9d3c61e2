//! One role, whose password is replaced.

use swarmsecrets_core::credential::{Credential, Shape};
use swarmsecrets_core::ids::{RotationId, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::administrator::Administrator;
use crate::server::Server;
use crate::{scram, statement};

/// The parts that each call needs.
pub(crate) struct InPlace<'a> {
    pub(crate) server: &'a Server,
    pub(crate) administrator: &'a Administrator,
    pub(crate) shape: &'a Shape,
    pub(crate) role: &'a str,
}

impl InPlace<'_> {
    pub(crate) fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        self.password(current)?;
        self.shape.write(current, &Credential { user: None, password: password.clone() })
    }

    pub(crate) async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let (current, next) = (self.password(current)?, self.password(next)?);
        let verifier = scram::verifier(&next)?;
        let mut session = self.administrator.session(self.server, rotation).await?;
        session.may_log_in(self.role).await?;
        let old_works = self.server.logs_in(self.role, &current).await?;
        let new_works = self.server.logs_in(self.role, &next).await?;
        match (old_works, new_works) {
            (true, false) => session.change(self.role, &statement::change(self.role, &verifier)).await,
            (false, true) => session.end().await,
            (true, true) => Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "{} lets role {} in with two different passwords: does pg_hba.conf say `trust`? then nothing can be \
                     verified",
                    self.server,
                    quoted(self.role)
                ),
            )),
            (false, false) => Err(Error::new(
                ErrorKind::Stale,
                format!(
                    "role {} of {} does not log in with the current password: somebody has changed it",
                    quoted(self.role),
                    self.server
                ),
            )),
        }
    }

    /// `set` has replaced the old password already: only that is looked at.
    pub(crate) async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        let old = self.password(old)?;
        let mut session = self.administrator.session(self.server, rotation).await?;
        session.may_log_in(self.role).await?;
        session.end().await?;
        if self.server.logs_in(self.role, &old).await? {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "role {} of {} has no other password than the old one: set the next one first",
                    quoted(self.role),
                    self.server
                ),
            ));
        }
        Ok(())
    }

    pub(crate) async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        let current = self.password(current)?;
        let verifier = scram::verifier(&current)?;
        let mut session = self.administrator.session(self.server, rotation).await?;
        session.may_log_in(self.role).await?;
        if self.server.logs_in(self.role, &current).await? {
            return session.end().await;
        }
        session.change(self.role, &statement::change(self.role, &verifier)).await
    }

    pub(crate) fn password(&self, value: &SecretValue) -> Result<SecretValue> {
        self.shape.read(value)?.of(self.role)
    }
}
