//! The journals and the audit trails of simulated processes. They outlive the processes, and can be full.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink, Phase};
use swarmsecrets_core::clock::{Clock, Now};
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::executor::{Observer, Progress};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, Event, Journal, JournalStore, Lease};
use swarmsecrets_core::rotation::State;

use super::script::{Class, Op};
use super::stage::{Begun, Fired, Stage};

/// What is on the disk of one host.
#[derive(Default)]
pub(super) struct Disk {
    /// In the order in which they were begun.
    pub(super) order: Vec<RotationId>,
    pub(super) journals: BTreeMap<RotationId, Vec<Entry>>,
    torn: BTreeSet<RotationId>,
    locked: BTreeSet<RotationId>,
    pub(super) audit: Vec<AuditRecord>,
}

impl Disk {
    /// Whether anything is left to do, if only to wait.
    pub(super) fn has_open(&self) -> bool {
        let begun = self.journals.values().filter(|entries| !entries.is_empty());
        begun
            .map(|entries| State::replay(entries.iter().map(|entry| &entry.event)))
            .any(|s| s.is_ok_and(|s| !s.is_over()))
    }

    /// Whether the last process that had a rotation in hand died or was stopped: what it wrote last is not an end.
    pub(super) fn ends_in_mid_air(&self, rotation: &RotationId) -> bool {
        let last = self.journals.get(rotation).and_then(|entries| entries.last());
        last.is_none_or(|entry| {
            !matches!(
                entry.event,
                Event::Stopped { .. } | Event::Settled { .. } | Event::GraceBegun { .. } | Event::Retired { .. }
            )
        })
    }
}

/// The disk, shared by the processes of its host.
pub(super) type Host = Arc<Mutex<Disk>>;

pub(super) fn lock(host: &Host) -> MutexGuard<'_, Disk> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one operation of one process writes to.
pub(super) struct Records {
    pub(super) stage: Arc<Stage>,
    pub(super) host: Host,
    pub(super) who: usize,
    pub(super) op: Op,
    /// The intent that allows the next mutation.
    pub(super) leave: Mutex<Option<AuditRecord>>,
}

impl Records {
    /// Comes to a point; gives back whether what is written has arrived, if the process dies here.
    async fn pass(&self, class: Class, rotation: &RotationId) {
        match self.stage.reach(self.who, class) {
            Fired::Crash { torn } => {
                if torn {
                    let mut disk = lock(&self.host);
                    if !disk.journals.contains_key(rotation) {
                        disk.order.push(rotation.clone());
                        disk.journals.insert(rotation.clone(), Vec::new());
                    }
                    disk.torn.insert(rotation.clone());
                }
                self.stage.die(self.who).await;
            }
            _ => self.stage.give_way().await,
        }
    }

    fn remember(&self, rotation: &RotationId, event: &Event) {
        let mut live = self.stage.live();
        match event {
            Event::Begun { plan, .. } => {
                let begun = Begun { plan: (**plan).clone(), op: self.op.clone(), created: None, late: false };
                live.begun.insert(rotation.clone(), begun);
                live.tally.begun += 1;
            }
            Event::Created { id, .. } => {
                if let Some(begun) = live.begun.get_mut(rotation) {
                    begun.created = Some(id.to_string());
                }
            }
            _ => {}
        }
    }
}

#[async_trait]
impl JournalStore for Records {
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        self.pass(Class::Journal, rotation).await;
        let fails = {
            let mut live = self.stage.live();
            let left = &mut live.processes[self.who].journal_fails;
            std::mem::replace(left, left.saturating_sub(1)) > 0
        };
        if fails {
            self.stage.note(|| format!("process {}: the journal cannot be written", self.who));
            return Err(Error::new(ErrorKind::Journal, "cannot write the journal: no space left on device"));
        }
        {
            let mut disk = lock(&self.host);
            if !disk.journals.contains_key(rotation) {
                disk.order.push(rotation.clone());
            }
            let journal = disk.journals.entry(rotation.clone()).or_default();
            let (place, wanted) = (journal.len() as u64, entry.n);
            journal.push(entry.clone());
            if place != wanted {
                drop(disk);
                self.stage.violated(format!("journal entry {wanted} of {rotation} was written at place {place}"));
            }
        }
        self.remember(rotation, &entry.event);
        self.stage.note(|| format!("process {}: {}", self.who, words(&entry.event)));
        self.pass(Class::Journalled, rotation).await;
        Ok(())
    }

    async fn load(&self, rotation: &RotationId) -> Result<Journal> {
        let mut disk = lock(&self.host);
        let torn_bytes = if disk.torn.remove(rotation) { 17 } else { 0 };
        let entries = disk.journals.get(rotation).cloned();
        let entries = entries
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no journal of rotation {rotation}")))?;
        Ok(Journal { entries, torn_bytes })
    }

    async fn list(&self) -> Result<Vec<RotationId>> {
        Ok(lock(&self.host).order.clone())
    }

    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>> {
        if !lock(&self.host).locked.insert(rotation.clone()) {
            return Err(Error::new(ErrorKind::Conflict, format!("rotation {rotation} is in other hands")));
        }
        Ok(Box::new(Held { host: self.host.clone(), rotation: rotation.clone() }))
    }
}

/// An event without the plan that it may hold.
fn words(event: &Event) -> String {
    match event {
        Event::Begun { rotation, plan, .. } => {
            let consumers: Vec<&str> = plan.consumers.iter().map(|c| c.service.as_str()).collect();
            format!("begun {rotation}: {} for {}", plan.secrets[0].next.name, consumers.join(", "))
        }
        event => serde_json::to_string(event).unwrap_or_default(),
    }
}

struct Held {
    host: Host,
    rotation: RotationId,
}

impl Lease for Held {
    fn held(&self) -> bool {
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        lock(&self.host).locked.remove(&self.rotation);
    }
}

#[async_trait]
impl AuditSink for Records {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        self.pass(Class::Audit, &record.rotation).await;
        let fails = {
            let mut live = self.stage.live();
            let left = &mut live.processes[self.who].audit_fails;
            std::mem::replace(left, left.saturating_sub(1)) > 0
        };
        if fails {
            self.stage.note(|| format!("process {}: the audit trail cannot be written", self.who));
            return Err(Error::new(ErrorKind::Audit, "cannot write the audit record: no space left on device"));
        }
        lock(&self.host).audit.push(record.clone());
        if record.phase == Phase::Intent {
            *self.leave.lock().unwrap_or_else(PoisonError::into_inner) = Some(record.clone());
        }
        self.pass(Class::Audited, &record.rotation).await;
        Ok(())
    }
}

impl Observer for Records {
    fn tell(&self, progress: &Progress<'_>) {
        if let Progress::Trouble { message } = progress {
            self.stage.note(|| format!("process {}: trouble: {message}", self.who));
        }
    }
}

#[async_trait]
impl Clock for Records {
    fn now(&self) -> Now {
        self.stage.swarm.clock().now()
    }

    async fn sleep(&self, duration: std::time::Duration) {
        self.stage.sleep(self.who, duration).await;
    }
}
