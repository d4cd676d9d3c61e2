//! What is done as the administrator.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use swarmsecrets_core::ids::{RotationId, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::failure;
use crate::server::{self, Server};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Who changes passwords.
pub(crate) struct Administrator {
    pub(crate) role: String,
    pub(crate) password: SecretValue,
}

/// A connection as the administrator.
pub(crate) struct Session<'a> {
    server: &'a Server,
    connection: PgConnection,
}

impl Administrator {
    /// Opens a connection; the server's log shows for which rotation.
    pub(crate) async fn session<'a>(&self, server: &'a Server, rotation: &RotationId) -> Result<Session<'a>> {
        let password = std::str::from_utf8(self.password.expose()).unwrap_or_default();
        let purpose = format!("swarmsecrets {rotation}");
        match server.connect(&self.role, password, &purpose).await {
            Ok(connection) => Ok(Session { server, connection }),
            Err(error) => Err(failure::no_connection(&server.to_string(), &error)
                .context(format!("cannot log in as the administrator {}", quoted(&self.role)))),
        }
    }
}

impl Session<'_> {
    /// Whether a role may log in.
    ///
    /// # Errors
    /// `NotFound` if there is no such role.
    pub(crate) async fn may_log_in(&mut self, role: &str) -> Result<bool> {
        let look = sqlx::query_scalar("SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = $1").bind(role);
        let found = match tokio::time::timeout(ANSWER_WITHIN, look.fetch_optional(&mut self.connection)).await {
            Ok(answer) => answer.map_err(|error| failure::no_look(&self.server.to_string(), &error))?,
            Err(_) => return Err(Error::new(ErrorKind::Unreachable, format!("{} does not answer", self.server))),
        };
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{} has no role {}", self.server, quoted(role))))
    }

    /// Carries out a statement from [`statement`](crate::statement) on a role, and ends.
    pub(crate) async fn change(mut self, role: &str, statement: &str) -> Result<()> {
        // Names are quoted, and a verifier needs no quoting: `statement` is where that is seen to.
        let change = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connection);
        let answer = tokio::time::timeout(ANSWER_WITHIN, change).await;
        let error = match answer {
            Ok(Ok(_)) => {
                return self.end().await;
            }
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
        };
        Err(failure::no_change(&self.server.to_string(), &quoted(role), &error))
    }

    /// Logs out; whether the server hears it makes no difference.
    pub(crate) async fn end(self) -> Result<()> {
        server::close(self.connection).await;
        Ok(())
    }
}
