//! What is done as the administrator.

use std::io;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use crate::failure;
use crate::server::{self, Server};
use crate::statement::{Statement, User};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Who changes passwords.
pub(crate) struct Administrator {
    pub(crate) user: String,
    pub(crate) password: SecretValue,
}

/// A connection as the administrator, and the user whose password is changed.
pub(crate) struct Session<'a> {
    server: &'a Server,
    user: &'a User,
    connection: MySqlConnection,
}

impl Administrator {
    /// Opens a connection.
    pub(crate) async fn session<'a>(&self, server: &'a Server, user: &'a User) -> Result<Session<'a>> {
        let password = std::str::from_utf8(self.password.expose()).unwrap_or_default();
        let failed = |error: sqlx::Error| {
            failure::no_connection(&server.to_string(), &error)
                .context(format!("cannot log in as the administrator {}", quoted(&self.user)))
        };
        let mut connection = server.connect(&self.user, password).await.map_err(failed)?;
        // So that quotes mean what `statement` takes them to mean, whatever the server's settings are.
        let plain = sqlx::raw_sql("SET SESSION sql_mode = ''").execute(&mut connection);
        within(plain).await.map_err(failed)?;
        Ok(Session { server, user, connection })
    }
}

impl Session<'_> {
    /// The row that `query` has for the user, whose name and host are its two arguments.
    ///
    /// # Errors
    /// `NotFound` if there is no such user.
    pub(crate) async fn look(&mut self, table: &str, query: &'static str) -> Result<MySqlRow> {
        let look = sqlx::query(query).bind(&self.user.name).bind(&self.user.host);
        let found = within(look.fetch_optional(&mut self.connection)).await;
        let found = found.map_err(|error| failure::no_look(&self.server.to_string(), table, &error))?;
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{} has no user {}", self.server, self.user)))
    }

    /// Carries out a statement on the user.
    pub(crate) async fn change(&mut self, statement: &Statement) -> Result<()> {
        // Names and passwords are quoted in `statement`, which is where that is seen to.
        let change = sqlx::raw_sql(AssertSqlSafe(statement.as_str())).execute(&mut self.connection);
        let changed = within(change).await;
        changed.map(drop).map_err(|error| failure::no_change(&self.server.to_string(), self.user, &error))
    }

    /// Logs out; whether the server hears it makes no difference.
    pub(crate) async fn end(self) -> Result<()> {
        server::close(self.connection).await;
        Ok(())
    }
}

async fn within<T>(
    call: impl Future<Output = std::result::Result<T, sqlx::Error>>,
) -> std::result::Result<T, sqlx::Error> {
    match tokio::time::timeout(ANSWER_WITHIN, call).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    }
}
