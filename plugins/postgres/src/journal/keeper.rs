//! Who takes a lease, renews it, and gives it back: a thread of its own, so that no work of the program holds it up, and so
//! that a lease can be given back also where there is nobody to await that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::failure::journal;
use super::moment::Moment;
use crate::database::{Failed, Link};
use crate::server;

/// How long giving back may hold up whoever drops the lease. A lease that could not be given back ends by itself.
const GIVE_BACK_WITHIN: Duration = Duration::from_secs(3);

/// All times are the server's. A lease that has ended is taken with the next epoch.
const TAKE: &str = "INSERT INTO swarmsecrets.lease AS l (rotation, epoch, holder, expires_at) \
     VALUES ($1, 1, $2, clock_timestamp() + make_interval(secs => $3)) \
     ON CONFLICT (rotation) DO UPDATE \
         SET epoch = l.epoch + 1, holder = excluded.holder, expires_at = excluded.expires_at \
         WHERE l.expires_at <= clock_timestamp() \
     RETURNING epoch";

/// A lease that has ended and that nobody has taken since is still its holder's to renew.
const RENEW: &str = "UPDATE swarmsecrets.lease SET expires_at = clock_timestamp() + make_interval(secs => $3) \
     WHERE rotation = $1 AND epoch = $2";

const GIVE_BACK: &str = "UPDATE swarmsecrets.lease SET expires_at = '-infinity' WHERE rotation = $1 AND epoch = $2";

const WHO: &str = "SELECT holder, \
     ceil(extract(epoch FROM greatest(expires_at - clock_timestamp(), interval '0')))::int8 AS seconds \
     FROM swarmsecrets.lease WHERE rotation = $1 AND expires_at > clock_timestamp()";

/// How long a lease is known to be held.
pub(super) struct Term {
    /// When the last renewal was sent that the server took; nothing once somebody else has it.
    renewed: Mutex<Option<Moment>>,
    lasts: Duration,
}

impl Term {
    pub(super) fn new(lasts: Duration) -> Self {
        Self { renewed: Mutex::new(None), lasts }
    }

    /// The server counts from when a renewal arrives and we from when it was sent, so this ends first. A tenth less, as no
    /// two clocks go alike.
    pub(super) fn runs(&self) -> bool {
        let renewed = *self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.is_some_and(|moment| moment.age() < self.lasts - self.lasts / 10)
    }

    fn set(&self, renewed: Option<Moment>) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
    }
}

/// The work of the thread.
pub(super) struct Keeper {
    pub(super) link: Arc<Link>,
    pub(super) rotation: RotationId,
    pub(super) holder: String,
    pub(super) term: Arc<Term>,
}

impl Keeper {
    /// Takes the lease and tells its epoch, keeps it until `stop` is told or dropped, and gives it back.
    pub(super) fn work(self, told: oneshot::Sender<Result<i64>>, stop: oneshot::Receiver<()>) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(e) => {
                let _ = told.send(Err(journal(format!("cannot keep the lease on rotation {}: {e}", self.rotation))));
                return;
            }
        };
        runtime.block_on(async {
            match self.take().await {
                Ok((epoch, connection)) => {
                    let mut session = Some(connection);
                    // Nobody hears it if nobody waits any more: then it is given back at once.
                    if told.send(Ok(epoch)).is_ok() {
                        self.keep(&mut session, epoch, stop).await;
                    }
                    let _ = tokio::time::timeout(GIVE_BACK_WITHIN, self.give_back(session, epoch)).await;
                }
                Err(error) => {
                    let _ = told.send(Err(error));
                }
            }
        });
    }

    async fn take(&self) -> Result<(i64, PgConnection)> {
        let mut connection = self.link.open().await?;
        let sent = Moment::now();
        let take = sqlx::query_scalar(TAKE).bind(self.rotation.as_str()).bind(&self.holder).bind(self.seconds());
        let epoch = self.link.within("take the rotation", take.fetch_optional(&mut connection)).await?;
        match epoch {
            Some(epoch) => {
                self.term.set(Some(sent));
                Ok((epoch, connection))
            }
            None => Err(self.taken(connection).await?),
        }
    }

    /// Says who has it.
    async fn taken(&self, mut connection: PgConnection) -> std::result::Result<Error, Failed> {
        let who = sqlx::query(WHO).bind(self.rotation.as_str()).fetch_optional(&mut connection);
        let row = self.link.within("see who has the rotation", who).await?;
        server::close(connection).await;
        let by = match row {
            Some(row) => format!(
                "{}: wait for it, or stop it first; if it is gone, its lease ends in {} s",
                row.try_get::<String, _>("holder").unwrap_or_default(),
                row.try_get::<i64, _>("seconds").unwrap_or_default()
            ),
            None => "another process that has just ended: try again".to_owned(),
        };
        let text = format!("rotation {} is being carried out by {by}", self.rotation);
        Ok(Error::new(ErrorKind::Conflict, text))
    }

    /// Renews it until it is to be given back, or is lost.
    async fn keep(&self, session: &mut Option<PgConnection>, epoch: i64, mut stop: oneshot::Receiver<()>) {
        let mut pause = self.term.lasts / 3;
        loop {
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
            let renewed = tokio::select! {
                _ = &mut stop => return,
                renewed = self.renew(session, epoch) => renewed,
            };
            pause = match renewed {
                Ok(Some(moment)) => {
                    self.term.set(Some(moment));
                    self.term.lasts / 3
                }
                Ok(None) => {
                    self.term.set(None);
                    return;
                }
                // The server may be back before the lease ends.
                Err(_) => self.term.lasts / 10,
            };
        }
    }

    /// When the renewal was sent; nothing if somebody else has the lease.
    async fn renew(
        &self,
        session: &mut Option<PgConnection>,
        epoch: i64,
    ) -> std::result::Result<Option<Moment>, Failed> {
        let mut connection = match session.take() {
            Some(connection) => connection,
            None => self.link.open().await?,
        };
        let sent = Moment::now();
        let renew = sqlx::query(RENEW).bind(self.rotation.as_str()).bind(epoch).bind(self.seconds());
        let done = self.link.within("renew the lease", renew.execute(&mut connection)).await?;
        *session = Some(connection);
        Ok((done.rows_affected() == 1).then_some(sent))
    }

    async fn give_back(&self, session: Option<PgConnection>, epoch: i64) -> std::result::Result<(), Failed> {
        let mut connection = match session {
            Some(connection) => connection,
            None => self.link.open().await?,
        };
        let give = sqlx::query(GIVE_BACK).bind(self.rotation.as_str()).bind(epoch).execute(&mut connection);
        self.link.within("give the lease back", give).await?;
        server::close(connection).await;
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.term.lasts.as_secs_f64()
    }
}
