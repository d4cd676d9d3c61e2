//! Connections to such a database.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use swarmsecrets_core::{Result, SecretValue};

use super::failure::Failed;
use super::{Purpose, url};
use crate::server::Server;

/// Where the database is, who asks it, and how long an answer may take.
#[derive(Clone)]
pub(crate) struct Link {
    purpose: Purpose,
    server: Server,
    role: String,
    password: SecretValue,
    patience: Duration,
}

/// Looks for the tables, and has what is written stay written: a server may be set up to acknowledge before that.
const READY: &str = "SELECT to_regclass($1) IS NOT NULL \
     FROM set_config('synchronous_commit', \
         CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

impl Link {
    pub(crate) fn new(purpose: Purpose, url: &SecretValue, patience: Duration) -> Result<Self> {
        let url::Place { server, role, password } = url::read(purpose.what, url)?;
        Ok(Self { purpose, server, role, password, patience })
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Opens a connection to tables that are there, making them if they are not.
    pub(crate) async fn open(&self) -> std::result::Result<PgConnection, Failed> {
        let (place, what) = (self.place(), self.purpose.what);
        let password = std::str::from_utf8(self.password.expose()).unwrap_or_default();
        let opened = self.server.connect(&self.role, password, &format!("swarmsecrets {what}")).await;
        let mut connection = opened.map_err(|error| Failed::to_connect(self.purpose, &place, &error))?;
        let ready = sqlx::query_scalar(READY).bind(self.purpose.table).fetch_one(&mut connection);
        if !self.within(&format!("look for the {what}'s tables"), ready).await? {
            let made = sqlx::raw_sql(self.purpose.schema).execute(&mut connection);
            self.within(&format!("make the {what}'s tables"), made).await?;
        }
        Ok(connection)
    }

    /// The answer to a statement, unless it takes too long. Then the connection is of no use any more.
    pub(crate) async fn within<T>(
        &self,
        doing: &str,
        statement: impl Future<Output = std::result::Result<T, sqlx::Error>>,
    ) -> std::result::Result<T, Failed> {
        let answer = match tokio::time::timeout(self.patience, statement).await {
            Ok(answer) => answer,
            Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
        };
        answer.map_err(|error| Failed::of(self.purpose, &self.place(), doing, &error))
    }

    /// For people.
    pub(crate) fn place(&self) -> String {
        format!("database {} of {}", swarmsecrets_core::ids::quoted(&self.server.database), self.server)
    }
}
