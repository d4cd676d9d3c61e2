//! Connections to the database of the journals.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use swarmsecrets_core::{Result, SecretValue};

use super::failure::Failed;
use super::url;
use crate::server::Server;

/// Where the database is, who asks it, and how long an answer may take.
#[derive(Clone)]
pub(super) struct Link {
    server: Server,
    role: String,
    password: SecretValue,
    patience: Duration,
}

/// Looks for the tables, and has what is written stay written: a server may be set up to acknowledge before that.
const READY: &str = "SELECT to_regclass('swarmsecrets.entry') IS NOT NULL \
     FROM set_config('synchronous_commit', \
         CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

impl Link {
    pub(super) fn new(url: &SecretValue, patience: Duration) -> Result<Self> {
        let url::Place { server, role, password } = url::read(url)?;
        Ok(Self { server, role, password, patience })
    }

    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Opens a connection to tables that are there, making them if they are not.
    pub(super) async fn open(&self) -> std::result::Result<PgConnection, Failed> {
        let place = self.place();
        let password = std::str::from_utf8(self.password.expose()).unwrap_or_default();
        let opened = self.server.connect(&self.role, password, "swarmsecrets journal").await;
        let mut connection = opened.map_err(|error| Failed::to_connect(&place, &error))?;
        let ready = sqlx::query_scalar(READY).fetch_one(&mut connection);
        if !self.within("look for the journal's tables", ready).await? {
            let made = sqlx::raw_sql(super::SCHEMA).execute(&mut connection);
            self.within("make the journal's tables", made).await?;
        }
        Ok(connection)
    }

    /// The answer to a statement, unless it takes too long. Then the connection is of no use any more.
    pub(super) async fn within<T>(
        &self,
        doing: &str,
        statement: impl Future<Output = std::result::Result<T, sqlx::Error>>,
    ) -> std::result::Result<T, Failed> {
        let answer = match tokio::time::timeout(self.patience, statement).await {
            Ok(answer) => answer,
            Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
        };
        answer.map_err(|error| Failed::of(&self.place(), doing, &error))
    }

    /// For people.
    pub(super) fn place(&self) -> String {
        format!("database {} of {}", swarmsecrets_core::ids::quoted(&self.server.database), self.server)
    }
}
