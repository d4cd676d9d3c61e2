//! A client that also changes.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use swarmsecrets_core::Result;
use swarmsecrets_core::approval::{ChangeRequest, Given};
use swarmsecrets_core::executor::{Attempt, Cancellation, Executor, Observer, Parts, Silent, Supply, Values};
use swarmsecrets_core::ids::{RotationId, quoted};
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::Report;
use swarmsecrets_host::{OsRandom, open_intents};

use crate::equipment::Equipment;
use crate::read_only::ReadOnlyClient;

/// How something is to be carried out.
pub struct Order<'a> {
    /// Whether the holder of the key has said yes.
    pub word: Word,
    /// Why.
    pub reason: Option<String>,
    /// Is told what happens.
    pub observer: &'a dyn Observer,
    /// Asks to stop.
    pub cancellation: Cancellation,
    /// Whether a service counts as good although its probes cannot tell.
    pub accept_inconclusive: bool,
}

impl Order<'_> {
    /// An order with the key holder's word, or without it, and nothing else said.
    #[must_use]
    pub fn of(word: Word) -> Self {
        let cancellation = Cancellation::default();
        Self { word, reason: None, observer: &Silent, cancellation, accept_inconclusive: false }
    }
}

/// A client that also carries out. All that a [`ReadOnlyClient`] can do it can do too.
pub struct Client {
    reading: ReadOnlyClient,
    /// The file of the trail, until it was looked at for intents without an outcome.
    unread_trail: Mutex<Option<PathBuf>>,
}

impl Deref for Client {
    type Target = ReadOnlyClient;

    fn deref(&self) -> &ReadOnlyClient {
        &self.reading
    }
}

impl Client {
    /// A client of this equipment. Nothing is sent yet.
    #[must_use]
    pub fn new(equipment: Equipment) -> Self {
        let unread_trail = Mutex::new(equipment.trail.clone());
        Self { reading: ReadOnlyClient::new(equipment), unread_trail }
    }

    /// Carries a plan out that needs no approval, or says that it needs one.
    ///
    /// # Errors
    /// As [`Executor::apply`].
    pub async fn apply(&self, plan: &Plan, values: Values, order: &Order<'_>) -> Result<Report> {
        self.begin().await?;
        let mut random = OsRandom;
        let mut supply = Supply { values, random: &mut random };
        let done = self.executor(order)?.apply(plan, &mut supply).await;
        self.end(done).await
    }

    /// Carries a plan out that people have approved. Decisions in hand stand beside those of the approvers: a denial is not left out.
    ///
    /// # Errors
    /// As [`Executor::apply`], and those of the approvers.
    pub async fn apply_approved(
        &self,
        request: &ChangeRequest,
        plan: &Plan,
        mut in_hand: Vec<Given>,
        values: Values,
        order: &Order<'_>,
    ) -> Result<Report> {
        self.begin().await?;
        let desk = self.desk()?;
        match desk.decisions(request).await {
            Ok(decided) => in_hand.extend(decided),
            Err(error) => {
                self.tell_refused(Attempt::Plan(&request.plan), &error, order.reason.as_deref()).await?;
                return Err(error);
            }
        }
        let (instance, key) = (&self.reading.0.instance, self.reading.0.fingerprint_key.as_ref());
        let approval = desk.approval(request, &in_hand, instance, key);
        let mut random = OsRandom;
        let mut supply = Supply { values, random: &mut random };
        let done = self.executor(order)?.approved(approval).apply(plan, &mut supply).await;
        self.end(done).await
    }

    /// Goes on with a rotation that was interrupted.
    ///
    /// # Errors
    /// As [`Executor::resume`].
    pub async fn resume(&self, id: &RotationId, values: Values, order: &Order<'_>) -> Result<Report> {
        self.begin().await?;
        let done = self.executor(order)?.resume(id, &mut Supply { values, random: &mut OsRandom }).await;
        self.end(done).await
    }

    /// Puts every service back on the version before, and removes the new one.
    ///
    /// # Errors
    /// As [`Executor::rollback`].
    pub async fn rollback(&self, id: &RotationId, order: &Order<'_>) -> Result<Report> {
        self.begin().await?;
        let why = order.reason.as_deref().unwrap_or("a person asked for it");
        let done = self.executor(order)?.rollback(id, why).await;
        self.end(done).await
    }

    /// Ends a rotation where it stands, when a person has seen to what it left.
    ///
    /// # Errors
    /// As [`Executor::close`].
    pub async fn close(&self, id: &RotationId, order: &Order<'_>) -> Result<Report> {
        self.begin().await?;
        let done = self.executor(order)?.close(id, order.reason.as_deref().unwrap_or_default()).await;
        self.end(done).await
    }

    /// Deletes replaced versions whose grace is over and that nothing uses. Reports on all that are kept yet.
    ///
    /// # Errors
    /// As [`Executor::retire`].
    pub async fn retire(&self, order: &Order<'_>) -> Result<Vec<Report>> {
        self.begin().await?;
        let done = self.executor(order)?.retire().await;
        self.end(done).await
    }

    fn executor<'a>(&'a self, order: &'a Order<'_>) -> Result<Executor<'a>> {
        let parts = &self.reading.0;
        let executor = Executor::new(Parts {
            transport: &*parts.transport,
            environment: parts.environment,
            clock: &*parts.clock,
            journal: &*parts.journal,
            audit: &*parts.audit,
            observer: order.observer,
            cancellation: order.cancellation.clone(),
            agent: parts.agent.clone(),
            reason: order.reason.clone(),
            word: order.word,
        })
        .guarded(self.guards())
        .with_passwords(parts.credentials.changes())
        .with_probes(parts.probes.of(&*parts.transport, parts.environment, &*parts.clock)?)
        .with_sources(parts.sources.clone())
        .with_git(&*parts.remotes)
        .knowing_values_by(parts.fingerprint_key.as_ref());
        Ok(if order.accept_inconclusive { executor.accepting_inconclusive() } else { executor })
    }

    /// What comes before every change.
    async fn begin(&self) -> Result<()> {
        self.meet().await?;
        self.tell_open().await;
        Ok(())
    }

    /// What comes after every change: audit sinks that lag are waited for a little.
    async fn end<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(behind) = self.reading.0.audit.flush().await {
            tracing::warn!("{behind}");
        }
        done
    }

    /// Logs, once, which mutations of rotations that are over nobody knows the outcome of.
    async fn tell_open(&self) {
        let trail = self.unread_trail.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(trail) = trail else { return };
        match open_intents(&trail, &*self.reading.0.journal).await {
            Err(error) => tracing::warn!("{error}"),
            Ok(open) => {
                for entry in open {
                    let (n, record) = (entry.n, entry.record);
                    tracing::warn!(
                        record = n, rotation = %record.rotation, step = record.step, action = %quoted(&record.action),
                        "the audit trail does not tell how a change went, and its rotation is over: look whether it was done"
                    );
                }
            }
        }
    }
}
