//! Two roles that take turns.

use swarmsecrets_core::credential::{Credential, Shape};
use swarmsecrets_core::ids::{RotationId, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::administrator::Administrator;
use crate::server::Server;
use crate::{scram, statement};

/// The parts that each call needs.
pub(crate) struct InTurn<'a> {
    pub(crate) server: &'a Server,
    pub(crate) administrator: &'a Administrator,
    pub(crate) shape: &'a Shape,
    pub(crate) roles: &'a [String; 2],
}

/// A value taken apart: the role that it is for, the one that rests meanwhile, and the password.
pub(crate) struct Turn<'a> {
    pub(crate) role: &'a str,
    resting: &'a str,
    pub(crate) password: SecretValue,
}

impl<'a> InTurn<'a> {
    pub(crate) fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        let user = Some(self.turn(current)?.resting.to_owned());
        self.shape.write(current, &Credential { user, password: password.clone() })
    }

    pub(crate) async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let (current, next) = (self.turn(current)?, self.turn(next)?);
        if next.role == current.role {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("it is the turn of role {}, but the next value names {}", current.resting, next.role),
            ));
        }
        let verifier = scram::verifier(&next.password)?;
        let mut session = self.administrator.session(self.server, rotation).await?;
        session.may_log_in(current.role).await?;
        let next_is_open = session.may_log_in(next.role).await?;
        if !self.server.logs_in(current.role, &current.password).await? {
            return Err(Error::new(
                ErrorKind::Stale,
                format!(
                    "role {} of {} does not log in with the current password: somebody has changed it",
                    quoted(current.role),
                    self.server
                ),
            ));
        }
        if !next_is_open {
            return session.change(next.role, &statement::open(next.role, &verifier)).await;
        }
        session.end().await?;
        match self.server.logs_in(next.role, &next.password).await? {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "role {0} of {1} rests, but may log in with another password: if nobody uses it, shut it \
                     (ALTER ROLE … NOLOGIN) and try again",
                    quoted(next.role),
                    self.server
                ),
            )),
        }
    }

    pub(crate) async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        let old = self.turn(old)?;
        let mut session = self.administrator.session(self.server, rotation).await?;
        let old_is_open = session.may_log_in(old.role).await?;
        if !session.may_log_in(old.resting).await? {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "role {} of {} may not log in yet: nobody could, were the old one shut",
                    quoted(old.resting),
                    self.server
                ),
            ));
        }
        match old_is_open {
            true => session.change(old.role, &statement::shut(old.role)).await,
            false => session.end().await,
        }
    }

    pub(crate) async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        let current = self.turn(current)?;
        let mut session = self.administrator.session(self.server, rotation).await?;
        session.may_log_in(current.role).await?;
        let other_is_open = session.may_log_in(current.resting).await?;
        if !self.server.logs_in(current.role, &current.password).await? {
            let verifier = scram::verifier(&current.password)?;
            session.change(current.role, &statement::open(current.role, &verifier)).await?;
            session = self.administrator.session(self.server, rotation).await?;
        }
        match other_is_open {
            true => session.change(current.resting, &statement::shut(current.resting)).await,
            false => session.end().await,
        }
    }

    pub(crate) fn turn(&self, value: &SecretValue) -> Result<Turn<'a>> {
        let Credential { user, password } = self.shape.read(value)?;
        let [a, b] = self.roles;
        match user.as_deref() {
            Some(user) if user == a => Ok(Turn { role: a, resting: b, password }),
            Some(user) if user == b => Ok(Turn { role: b, resting: a, password }),
            user => Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "the value is for {}, but the roles that take turns are {} and {}",
                    user.map_or("nobody".into(), quoted),
                    quoted(a),
                    quoted(b)
                ),
            )),
        }
    }
}
