//! The sink.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use swarmsecrets_core::audit::{
    AuditRecord, AuditSink, Checkpoint, Found, Link as End, Linked, MAX_LINE, Query, Reading, Selection, Verdict,
};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use tokio::sync::Mutex;

use crate::database::{Link, Purpose, Session};

/// The statements that make the table and its trigger. They may be run again at any time; the file says what rights the sink needs.
pub const AUDIT_SCHEMA: &str = include_str!("schema.sql");

const PURPOSE: Purpose =
    Purpose { what: "audit trail", kind: ErrorKind::Audit, table: "swarmsecrets.audit", schema: AUDIT_SCHEMA };

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often others may be faster before it is given up.
const TURNS: u32 = 100;

/// How many lines are read at a time.
const PAGE: i64 = 1000;

/// As the next one, and only after the very line that it is bound to. Of two that are inserted at once the second one waits for the
/// first, and is not written.
const APPEND: &str = "INSERT INTO swarmsecrets.audit (n, line) SELECT $1, $2 \
     WHERE $1 = (SELECT coalesce(max(n) + 1, 0) FROM swarmsecrets.audit) \
     AND ($1 = 0 OR EXISTS (SELECT FROM swarmsecrets.audit WHERE n = $1 - 1 AND line = $3)) \
     ON CONFLICT DO NOTHING RETURNING n";

const LAST: &str = "SELECT n, line FROM swarmsecrets.audit ORDER BY n DESC LIMIT 1";

const AT: &str = "SELECT n, line FROM swarmsecrets.audit WHERE n = $1";

const FROM: &str = "SELECT n, line FROM swarmsecrets.audit WHERE n >= $1 ORDER BY n LIMIT $2";

/// An audit trail in PostgreSQL, for processes on several hosts. See [the crate](crate#audit-trails).
///
/// Opened anew for each process, and used from one runtime: its connection belongs to that.
pub struct PostgresAudit {
    session: Session,
    /// The end of the trail, and the line there, as far as this process knows; nothing before it has looked.
    end: Mutex<Option<(End, String)>>,
}

impl PostgresAudit {
    /// The trail in the database that a URL names, as [`PostgresJournal::at`](crate::PostgresJournal::at) takes it. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying what is missing or cannot be, and showing no part of the URL.
    pub fn at(url: &SecretValue) -> Result<Self> {
        Ok(Self { session: Session::new(Link::new(PURPOSE, url, PATIENCE)?), end: Mutex::default() })
    }

    /// Gives each line of the trail to `each`, in its order. They are those of a file: written one after the other, each with a
    /// line feed, `swarmsecrets audit verify` reads them.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if the database cannot be read, and what `each` says.
    pub async fn read(&self, mut each: impl FnMut(&str) -> Result<()> + Send) -> Result<()> {
        self.rows(|_, line| each(line)).await
    }

    async fn rows(&self, mut each: impl FnMut(i64, &str) -> Result<()> + Send) -> Result<()> {
        let mut next = 0_i64;
        loop {
            let (rows, _) =
                self.session.ask("read the audit trail", || sqlx::query(FROM).bind(next).bind(PAGE)).await?;
            for row in &rows {
                let (n, line) = self.row(row)?;
                each(n, &line)?;
                next = n.saturating_add(1);
            }
            if rows.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// Checks the whole trail, and holds it against checkpoints, whose signatures were checked. What is wrong with it stands in the
    /// verdict.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if the database cannot be read.
    pub async fn verify(&self, checkpoints: Vec<Checkpoint>) -> Result<Verdict> {
        let (mut reading, mut broken) = (Reading::against(checkpoints), None);
        self.rows(|row, line| {
            let n = reading.records();
            if broken.is_none() && u64::try_from(row) != Ok(n) {
                broken =
                    Some(format!("audit record {n}: it stands in row {row}: a row was removed, moved or inserted"));
            }
            if broken.is_none() {
                broken = reading.take(line.as_bytes()).err().map(|error| error.message().to_owned());
            }
            Ok(())
        })
        .await?;
        Ok(Verdict::of(self.session.link.place(), &reading, broken, None))
    }

    /// Finds records in the trail, and checks all of it on the way.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`], naming the first record that is wrong, or if the database cannot be read; [`ErrorKind::Invalid`] for a query that
    /// nothing can match.
    pub async fn query(&self, query: &Query) -> Result<Found> {
        query.check()?;
        let (mut selection, mut reading) = (Selection::new(query), Reading::default());
        let place = || format!("the audit trail in {}", self.session.link.place());
        self.read(|line| {
            reading.take(line.as_bytes()).map(|entry| selection.see(entry)).map_err(|e| e.context(place()))
        })
        .await?;
        Ok(Found { schema: 1, records: selection.end(&reading), torn_bytes: 0 })
    }

    /// The last line, with the end of the trail behind it; of an empty trail, nothing before it.
    async fn last(&self) -> Result<(End, String)> {
        let (rows, _) = self.session.ask("read the audit trail", || sqlx::query(LAST)).await?;
        let Some(row) = rows.first() else { return Ok((End::default(), String::new())) };
        let (n, text) = self.row(row)?;
        let wrong = |why: &str| PURPOSE.error(format!("the audit trail in {}: {why}", self.session.link.place()));
        let line: Linked = serde_json::from_str(&text)
            .map_err(|e| wrong("its last line is no audit record: it was damaged or changed").with_source(e))?;
        let end = End::at(&line).map_err(|e| e.context(format!("the audit trail in {}", self.session.link.place())))?;
        match i64::try_from(line.n) == Ok(n) {
            true => Ok((end, text)),
            false => Err(wrong("its last line stands in another's place: it was changed")),
        }
    }

    fn row(&self, row: &PgRow) -> Result<(i64, String)> {
        let read = row.try_get(0).and_then(|n| Ok((n, row.try_get(1)?)));
        read.map_err(|e| {
            PURPOSE
                .error(format!("{} holds an audit trail in a form that is not known: {e}", self.session.link.place()))
        })
    }
}

#[async_trait]
impl AuditSink for PostgresAudit {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        // Held until it is written: of several records of this process, one after the other.
        let mut known = self.end.lock().await;
        for _ in 0..TURNS {
            // Taken out, so that it is looked up again if this is broken off.
            let (end, last) = match known.take() {
                Some(known) => known,
                None => self.last().await?,
            };
            let line = end.line(record)?;
            let after = end.after(&line)?;
            let text = serde_json::to_string(&line)
                .map_err(|e| Error::new(ErrorKind::Audit, "the audit record cannot be encoded").with_source(e))?;
            if text.len() > MAX_LINE {
                let why =
                    format!("the audit record has {} bytes, more than {MAX_LINE}: shorten the reason", text.len());
                return Err(PURPOSE.error(why));
            }
            let n = i64::try_from(line.n).map_err(|_| PURPOSE.error(format!("a trail has no record {}", line.n)))?;
            let append = || sqlx::query(APPEND).bind(n).bind(&text).bind(&last);
            let (mut written, broke) = self.session.ask("write the audit trail", append).await?;
            if written.is_empty() && broke {
                // The first one may have been taken, and its answer lost.
                let (there, _) = self.session.ask("read the audit trail", || sqlx::query(AT).bind(n)).await?;
                written = there.into_iter().filter(|row| self.row(row).is_ok_and(|(_, line)| line == text)).collect();
            }
            if !written.is_empty() {
                *known = Some((after, text));
                return Ok(());
            }
        }
        let text =
            format!("others were faster {TURNS} times to write to the audit trail in {}", self.session.link.place());
        Err(PURPOSE.error(text))
    }
}
