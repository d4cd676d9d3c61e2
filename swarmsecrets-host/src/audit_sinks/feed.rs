//! A sink that may lag, and the task that brings it what it lacks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use swarmsecrets_core::audit::AuditRecord;
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::cursor::{Cursor, Place};
use super::durable::Asked;
use super::{Behind, NamedSink};
use crate::audit::FileAudit;
use crate::blocking::blocking;

/// How many records are read at a time, and may be sent a second time after a crash.
const BATCH: usize = 64;
/// How long is waited after a failure: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How often is looked whether another process, which feeds the sink now, is done.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The sink, its bound, and how far it is.
pub(super) struct Feed {
    state: Arc<State>,
    bound: u64,
    task: OnceLock<JoinHandle<()>>,
}

/// What the task and those who wait for it share.
struct State {
    to: NamedSink,
    place: Place,
    /// How many records it has taken, as far as this process knows.
    sent: AtomicU64,
    /// How many of them are known on the disk to be taken: the others are sent a second time after a crash.
    kept: AtomicU64,
    /// Why it goes on no further, if it does not.
    trouble: Mutex<Option<String>>,
    /// How often it failed.
    failures: AtomicU64,
    /// There may be something to send.
    wake: Notify,
    /// Somebody waits for it: do not wait any longer after a failure.
    urge: Notify,
    /// Something was sent, or failed.
    moved: Notify,
}

impl Feed {
    pub(super) fn open(to: NamedSink, bound: u64, file: &FileAudit) -> Result<Self> {
        let place = Place::of(file.path(), &to.name);
        let known = place.read()?.records;
        let (sent, kept) = (AtomicU64::new(known), AtomicU64::new(known));
        let (wake, urge, moved) = (Notify::new(), Notify::new(), Notify::new());
        let (trouble, failures) = (Mutex::default(), AtomicU64::new(0));
        let state = State { to, place, sent, kept, trouble, failures, wake, urge, moved };
        Ok(Self { state: Arc::new(state), bound, task: OnceLock::new() })
    }

    pub(super) fn name(&self) -> &String {
        &self.state.to.name
    }

    /// What it lacks, if it lacks something.
    pub(super) fn behind(&self, file: &FileAudit) -> Option<Behind> {
        let records = self.state.behind(file);
        let reason = self.state.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (records > 0).then(|| Behind { name: self.name().clone(), records, reason })
    }

    /// Tells it that something was written.
    pub(super) fn wake(&self) {
        self.begin();
        self.state.wake.notify_one();
    }

    /// Whether it lacks no more than it may, before another record is written.
    pub(super) async fn within_bound(&self, file: &FileAudit) -> Result<()> {
        if self.state.behind(file) < self.bound {
            return Ok(());
        }
        self.catch_up(file, self.bound - 1, self.state.to.within).await;
        match self.behind(file) {
            Some(behind) if behind.records >= self.bound => {
                let why = behind.reason.unwrap_or_else(|| format!("audit sink {}: it is slow", behind.name));
                let text = format!(
                    "audit sink {} lacks {} records and may lack {}: nothing is changed until it takes them ({why})",
                    behind.name, behind.records, self.bound
                );
                tracing::warn!(sink = %behind.name, records = behind.records, "an audit sink lags by more than it may");
                Err(Error::new(ErrorKind::Audit, text))
            }
            _ => Ok(()),
        }
    }

    /// Waits until it lacks so many records at most, as long as it takes one within this time and does not fail.
    pub(super) async fn catch_up(&self, file: &FileAudit, most: u64, within: Duration) {
        self.begin();
        let failures = self.state.failures.load(Ordering::Acquire);
        let taken = || self.state.sent.load(Ordering::Acquire);
        let (mut before, mut until) = (taken(), Instant::now() + within);
        self.state.wake.notify_one();
        self.state.urge.notify_one();
        loop {
            // Made before the looks, so that what comes between them and the waiting is not missed.
            let moved = self.state.moved.notified();
            if self.state.behind(file) <= most {
                return;
            }
            if taken() > before {
                (before, until) = (taken(), Instant::now() + within);
            }
            let failed = self.state.failures.load(Ordering::Acquire) != failures;
            if failed || timeout_at(until, moved).await.is_err() {
                return;
            }
        }
    }

    /// Starts the task, on the runtime that writes the first record.
    fn begin(&self) {
        self.task.get_or_init(|| tokio::spawn(Arc::clone(&self.state).work()));
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl State {
    fn behind(&self, file: &FileAudit) -> u64 {
        file.records().saturating_sub(self.kept.load(Ordering::Acquire))
    }

    async fn work(self: Arc<Self>) {
        let mut pause = PAUSES.0;
        loop {
            match self.feed().await {
                Ok(()) => {
                    pause = PAUSES.0;
                    self.note(None);
                    self.wake.notified().await;
                }
                Err(error) => {
                    self.failures.fetch_add(1, Ordering::AcqRel);
                    self.note(Some(error.message()));
                    tokio::select! {
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
                        () = self.urge.notified() => {}
                    }
                }
            }
        }
    }

    /// Sends what there is.
    async fn feed(&self) -> Result<()> {
        let at = || self.place.clone();
        let place = at();
        let Some(_mine) = blocking(ErrorKind::Audit, move || place.take()).await? else {
            // Another process feeds it: how far that is stands in the file.
            tokio::time::sleep(LOOK_AGAIN).await;
            let place = at();
            let cursor = blocking(ErrorKind::Audit, move || place.read()).await?;
            self.kept_to(cursor.records);
            self.wake.notify_one();
            return Ok(());
        };
        let place = at();
        let mut cursor = blocking(ErrorKind::Audit, move || place.read()).await?;
        self.kept_to(cursor.records);
        loop {
            let (place, from) = (at(), cursor.clone());
            let batch = blocking(ErrorKind::Audit, move || place.next(&from, BATCH)).await?;
            let full = batch.len() == BATCH;
            let (sent, result) = self.send(batch).await;
            if let Some(last) = sent {
                let (place, kept) = (at(), last.clone());
                blocking(ErrorKind::Audit, move || place.write(&kept)).await?;
                self.kept_to(last.records);
                cursor = last;
            }
            result?;
            if !full {
                return Ok(());
            }
        }
    }

    /// Sends records one after the other. Gives the place after the last one that was taken.
    async fn send(&self, batch: Vec<(AuditRecord, Cursor)>) -> (Option<Cursor>, Result<()>) {
        let mut sent = None;
        for (record, after) in batch {
            if let Err(error) = Asked::begin(&self.to, &record).ended().await {
                return (sent, Err(error));
            }
            self.sent.store(after.records, Ordering::Release);
            self.moved.notify_waiters();
            sent = Some(after);
        }
        (sent, Ok(()))
    }

    fn kept_to(&self, records: u64) {
        self.sent.store(records, Ordering::Release);
        self.kept.store(records, Ordering::Release);
        self.moved.notify_waiters();
    }

    /// Says what is wrong, once, and once that it is over.
    fn note(&self, trouble: Option<&str>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = &self.to.name;
        match (known.as_deref(), trouble) {
            (Some(_), None) => tracing::info!(%sink, "an audit sink that may lag takes records again"),
            (was, Some(now)) if was != Some(now) => {
                tracing::warn!(%sink, error = %now, "an audit sink that may lag does not take records");
            }
            _ => {}
        }
        *known = trouble.map(str::to_owned);
        drop(known);
        self.moved.notify_waiters();
    }
}
