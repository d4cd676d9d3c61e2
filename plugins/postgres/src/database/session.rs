//! A connection that is kept for the next question, and replaced when it breaks.

use std::sync::Arc;

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use swarmsecrets_core::Result;
use tokio::sync::Mutex;

use super::{Failed, Link};

/// The way to a database, and a connection that nobody uses at the moment.
pub(crate) struct Session {
    pub(crate) link: Arc<Link>,
    idle: Mutex<Option<PgConnection>>,
}

impl Session {
    /// Nothing is connected yet.
    pub(crate) fn new(link: Link) -> Self {
        Self { link: Arc::new(link), idle: Mutex::default() }
    }

    /// Asks, a second time over a new connection if the first one broke. Tells whether it did.
    pub(crate) async fn ask<'q>(
        &self,
        doing: &str,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
    ) -> Result<(Vec<PgRow>, bool)> {
        let first = query();
        match self.ask_once(doing, first).await {
            Ok(rows) => Ok((rows, false)),
            Err(Failed::Lost(_)) => Ok((self.ask_once(doing, query()).await?, true)),
            Err(Failed::Refused(error)) => Err(error),
        }
    }

    /// Asks once.
    pub(crate) async fn ask_once(
        &self,
        doing: &str,
        query: Query<'_, Postgres, PgArguments>,
    ) -> std::result::Result<Vec<PgRow>, Failed> {
        let mut idle = self.idle.lock().await;
        // It is put back only if it can be used again.
        let mut connection = match idle.take() {
            Some(connection) => connection,
            None => self.link.open().await?,
        };
        let rows = self.link.within(doing, query.fetch_all(&mut connection)).await?;
        *idle = Some(connection);
        Ok(rows)
    }
}
