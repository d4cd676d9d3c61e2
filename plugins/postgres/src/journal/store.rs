//! The store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, FORMAT, Journal, JournalStore, Lease};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use super::failure::{PURPOSE, journal};
use super::keeper::{Keeper, Term};
use super::lease::{PostgresLease, Taken};
use crate::database::{Link, Session};

/// The statements that make the tables. They may be run again at any time; the file says what rights the journal needs.
pub const SCHEMA: &str = include_str!("schema.sql");

/// A lease lasts so long without being renewed, if nothing else was said.
const LASTS: Duration = Duration::from_secs(30);

/// Written only under the epoch of the present lease, which nobody can take in between: the row is locked until the entry is
/// there. And only as the next one.
const APPEND: &str = "WITH mine AS MATERIALIZED \
         (SELECT epoch FROM swarmsecrets.lease WHERE rotation = $1 AND epoch = $2 FOR SHARE) \
     INSERT INTO swarmsecrets.entry (rotation, n, epoch, entry) \
     SELECT $1, $3, mine.epoch, $4::json FROM mine \
     WHERE $3 = (SELECT coalesce(max(n) + 1, 0) FROM swarmsecrets.entry WHERE rotation = $1) \
     ON CONFLICT DO NOTHING RETURNING n";

const WHY_NOT: &str = "SELECT epoch, holder, \
         (SELECT coalesce(max(n) + 1, 0) FROM swarmsecrets.entry WHERE rotation = $1) AS next, \
         EXISTS (SELECT FROM swarmsecrets.entry \
             WHERE rotation = $1 AND n = $2 AND epoch = $3 AND entry::text = $4) AS there \
     FROM swarmsecrets.lease WHERE rotation = $1";

const LOAD: &str = "SELECT n, entry::text FROM swarmsecrets.entry WHERE rotation = $1 ORDER BY n";

const LIST: &str = "SELECT rotation FROM swarmsecrets.entry WHERE n = 0 ORDER BY written_at, rotation";

/// Journals in PostgreSQL, for processes on several hosts. See [the crate](crate#journals).
///
/// Opened anew for each process, and used from one runtime: its connection belongs to that.
pub struct PostgresJournal {
    session: Session,
    taken: Taken,
    holder: String,
    lasts: Duration,
}

/// What every version of an entry has.
#[derive(Deserialize)]
struct Format {
    v: u32,
}

impl PostgresJournal {
    /// The journals in the database that a URL names: `postgres://user:password@host:5432/database`. Nothing is connected yet.
    ///
    /// Over a network the connection is encrypted and the certificate checked, on this machine it is not;
    /// `sslmode=verify-full` asks for it always, `sslmode=disable` never. `sslrootcert` names a file (PEM) with an authority that is
    /// trusted besides those of the system; `host` the folder of a Unix socket.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying what is missing or cannot be, and showing no part of the URL.
    pub fn at(url: &SecretValue) -> Result<Self> {
        Ok(Self {
            session: Session::new(Link::new(PURPOSE, url, patience(LASTS))?),
            taken: Taken::default(),
            holder: this_process(),
            lasts: LASTS,
        })
    }

    /// What others are told of who holds a rotation. Without it, the number of the process, and its host.
    #[must_use]
    pub fn holder(self, words: &str) -> Self {
        Self { holder: words.to_owned(), ..self }
    }

    /// How long a lease lasts that is not renewed: 30 seconds if not set, and a second at least. So long nobody can go on when a
    /// holder was killed, and so long a connection may be lost without the lease.
    #[must_use]
    pub fn lasts(self, lasts: Duration) -> Self {
        let lasts = lasts.max(Duration::from_secs(1));
        let session = Session::new((*self.session.link).clone().with_patience(patience(lasts)));
        Self { session, lasts, ..self }
    }

    fn odd(&self, error: &sqlx::Error) -> Error {
        journal(format!("{} holds journals in a form that is not known: {error}", self.session.link.place()))
    }
}

#[async_trait]
impl JournalStore for PostgresJournal {
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        if entry.v != FORMAT {
            return Err(journal(format!("journal format {} cannot be written, only {FORMAT}", entry.v)));
        }
        let epoch = self.taken.epoch(rotation).ok_or_else(|| {
            journal(format!("rotation {rotation} was not taken here: only whoever has its lease may write its journal"))
        })?;
        let text = serde_json::to_string(entry)
            .map_err(|e| Error::new(ErrorKind::Journal, "the journal's entry cannot be encoded").with_source(e))?;
        let n = i64::try_from(entry.n).map_err(|_| journal(format!("a journal has no entry {}", entry.n)))?;
        let append = || sqlx::query(APPEND).bind(rotation.as_str()).bind(epoch).bind(n).bind(&text);
        let (written, broke) = self.session.ask("write the journal", append).await?;
        if !written.is_empty() {
            return Ok(());
        }
        let why_not = || sqlx::query(WHY_NOT).bind(rotation.as_str()).bind(n).bind(epoch).bind(&text);
        let (rows, _) = self.session.ask("read the journal", why_not).await?;
        let why = rows.first().map(WhyNot::from_row).transpose().map_err(|error| self.odd(&error))?;
        match why {
            // The first one was taken, and its answer was lost.
            Some(why) if broke && why.there => Ok(()),
            Some(why) if why.epoch == epoch => Err(journal(format!(
                "the journal of rotation {rotation} goes on with entry {}, not {n}: another process writes to it",
                why.next
            ))),
            Some(why) => {
                let text = format!("the lease on rotation {rotation} was lost, and {} has taken it over", why.holder);
                Err(Error::new(ErrorKind::Conflict, text))
            }
            None => Err(journal(format!("somebody has removed the lease on rotation {rotation} from the database"))),
        }
    }

    async fn load(&self, rotation: &RotationId) -> Result<Journal> {
        let (rows, _) = self.session.ask("read the journal", || sqlx::query(LOAD).bind(rotation.as_str())).await?;
        if rows.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no journal of rotation {rotation}")));
        }
        let entries = rows.iter().zip(0..).map(|(row, n)| {
            let read = (row.try_get(0), row.try_get(1));
            let (Ok(number), Ok(text)) = read else {
                return Err(journal(format!(
                    "entry {n} of rotation {rotation} in {} is damaged",
                    self.session.link.place()
                )));
            };
            entry(rotation, n, number, text)
        });
        Ok(Journal { entries: entries.collect::<Result<_>>()?, torn_bytes: 0 })
    }

    async fn list(&self) -> Result<Vec<RotationId>> {
        let (rows, _) = self.session.ask("list the journals", || sqlx::query(LIST)).await?;
        let name = |row: &PgRow| -> Result<RotationId> {
            row.try_get::<&str, _>(0).map_err(|error| self.odd(&error))?.parse()
        };
        rows.iter().map(name).collect()
    }

    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>> {
        let keeper = Keeper {
            link: self.session.link.clone(),
            rotation: rotation.clone(),
            holder: self.holder.clone(),
            term: Arc::new(Term::new(self.lasts)),
        };
        Ok(Box::new(PostgresLease::take(keeper, self.taken.clone()).await?))
    }
}

/// How long an answer is waited for: a connection that is dead must be given up while there is time left to renew a lease over
/// another one.
fn patience(lasts: Duration) -> Duration {
    lasts / 3
}

/// This process, in the words that others are told.
fn this_process() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => format!("process {}", std::process::id()),
        host => format!("process {} on {host}", std::process::id()),
    }
}

/// Why an entry was not written.
struct WhyNot {
    epoch: i64,
    holder: String,
    next: i64,
    there: bool,
}

impl WhyNot {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            epoch: row.try_get("epoch")?,
            holder: row.try_get("holder")?,
            next: row.try_get("next")?,
            there: row.try_get("there")?,
        })
    }
}

fn entry(rotation: &RotationId, n: i64, number: i64, text: &str) -> Result<Entry> {
    let place = format!("the journal of rotation {rotation}, entry {n}");
    if number != n {
        return Err(journal(format!("{place}: entry {number} stands there: entries were lost or added")));
    }
    let damaged = |e| {
        let text = format!("{place}: damaged: restore it from a backup, or look at the Swarm yourself");
        Error::new(ErrorKind::Journal, text).with_source(e)
    };
    let Format { v } = serde_json::from_str(text).map_err(damaged)?;
    if v != FORMAT {
        let text =
            format!("{place}: format {v} is not known, only {FORMAT}: use the version that wrote it, or a newer one");
        return Err(journal(text));
    }
    serde_json::from_str(text).map_err(damaged)
}
