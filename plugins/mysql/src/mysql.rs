//! MySQL: one user, a newer and an older password.

use sqlx::Row as _;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::administrator::{Administrator, Session};
use crate::server::Server;
use crate::statement::{self, User};

const TABLE: &str = "mysql.user";
const LOOK: &str = "SELECT CAST(JSON_CONTAINS_PATH(COALESCE(User_attributes, '{}'), 'one', '$.additional_password') AS SIGNED) \
                    FROM mysql.user WHERE User = ? AND Host = ?";

/// The parts that each call needs.
pub(crate) struct MySql<'a> {
    pub(crate) server: &'a Server,
    pub(crate) administrator: &'a Administrator,
    pub(crate) user: &'a User,
}

impl MySql<'_> {
    pub(crate) async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let mut session = self.administrator.session(self.server, self.user).await?;
        let two = self.holds_two(&mut session).await?;
        if !self.server.logs_in(&self.user.name, current).await? {
            return Err(
                self.error(ErrorKind::Stale, "does not log in with the current password: somebody has changed it")
            );
        }
        // Sent twice, `RETAIN` would keep the next password as the old one, and lose the current one.
        if self.server.logs_in(&self.user.name, next).await? {
            return session.end().await;
        }
        if two {
            return Err(self.error(
                ErrorKind::Conflict,
                "has a further password, which is neither the current nor the next one: another rotation's, or a person's",
            ));
        }
        session.change(&statement::retain(rotation, self.user, next)).await?;
        session.end().await
    }

    pub(crate) async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        let mut session = self.administrator.session(self.server, self.user).await?;
        let two = self.holds_two(&mut session).await?;
        match (self.server.logs_in(&self.user.name, old).await?, two) {
            (true, true) => session.change(&statement::discard(rotation, self.user)).await?,
            (true, false) => {
                let why = "has no other password than the old one: set the next one first";
                return Err(self.error(ErrorKind::Refused, why));
            }
            (false, _) => {}
        }
        session.end().await
    }

    pub(crate) async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        let mut session = self.administrator.session(self.server, self.user).await?;
        let two = self.holds_two(&mut session).await?;
        if two || !self.server.logs_in(&self.user.name, current).await? {
            session.change(&statement::replace(rotation, self.user, current)).await?;
        }
        if two {
            session.change(&statement::discard(rotation, self.user)).await?;
        }
        session.end().await
    }

    async fn holds_two(&self, session: &mut Session<'_>) -> Result<bool> {
        let row = session.look(TABLE, LOOK).await?;
        let unreadable = |_| {
            self.error(ErrorKind::Refused, "is described in a way that is not understood: is it MySQL 8.0.14 or newer?")
        };
        row.try_get::<i64, _>(0).map(|n| n == 1).map_err(unreadable)
    }

    fn error(&self, kind: ErrorKind, why: &str) -> Error {
        Error::new(kind, format!("user {} of {} {why}", self.user, self.server))
    }
}
