//! The journals and the audit trails of simulated processes. They outlive the processes, and can be full.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink, Phase};
use swarmsecrets_core::clock::{Clock, Now};
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::executor::{Observer, Progress};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{ChangeRecord, Entry, Event, Journal, JournalStore, Lease};
use swarmsecrets_core::rotation::State;

use super::begun::Begun;
use super::disk::{Host, lock};
use super::logins;
use super::probes;
use super::script::Op;
use super::stage::{Fired, Stage};
use super::trouble::{Class, Leaves};

/// What one operation of one process writes to.
pub(super) struct Records {
    pub(super) stage: Arc<Stage>,
    pub(super) host: Host,
    pub(super) who: usize,
    pub(super) op: Op,
    /// The number of the operation.
    pub(super) run: u64,
    /// The intent that allows the next mutation.
    pub(super) leave: Mutex<Option<AuditRecord>>,
    /// The leases that it has taken.
    pub(super) leases: Mutex<BTreeMap<RotationId, (usize, u64)>>,
    /// The rotation whose lease it has taken last.
    last: Mutex<Option<RotationId>>,
}

/// What stands in audit trail and journal before a mutation.
pub(super) struct Leave {
    pub(super) intent: AuditRecord,
    pub(super) change: ChangeRecord,
    pub(super) state: State,
}

impl Records {
    pub(super) fn new(stage: Arc<Stage>, host: Host, who: usize, op: Op) -> Self {
        let run = {
            let mut live = stage.live();
            live.runs += 1;
            live.runs
        };
        let (leave, leases, last) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { stage, host, who, op, run, leave, leases, last }
    }

    /// How far a rotation is by its journal here, if it has one.
    pub(super) fn state(&self, rotation: &RotationId) -> Option<State> {
        lock(&self.host).state(rotation)
    }

    /// The rotation that it has in hand.
    pub(super) fn in_hand(&self) -> Option<(RotationId, State)> {
        let rotation = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let state = self.state(&rotation)?;
        Some((rotation, state))
    }

    /// Comes to a point with what is being written down.
    async fn pass(&self, class: Class, entry: Option<(&RotationId, &Entry)>) {
        match self.stage.reach(self.who, class) {
            Fired::Crash(leaves) => {
                if let (Leaves::Torn(thousandths), Some((rotation, entry))) = (leaves, entry) {
                    lock(&self.host).tear(rotation, entry, thousandths);
                }
                self.die(leaves).await;
            }
            _ => self.stage.give_way().await,
        }
    }

    /// The process dies, and perhaps its journals with it: then its host is gone, and whoever else runs there.
    pub(super) async fn die(&self, leaves: Leaves) {
        if leaves == Leaves::Nothing {
            let lost = lock(&self.host).lose();
            self.stage.lost(&lost);
            self.stage.all_die();
        }
        self.stage.die(self.who).await;
    }

    /// The leave for the next mutation: it is used up.
    pub(super) fn take_leave(&self, what: &str) -> std::result::Result<Leave, String> {
        let intent = self.leave.lock().unwrap_or_else(PoisonError::into_inner).take();
        let intent = intent.ok_or_else(|| format!("{what}: sent without an audit intent of its own"))?;
        // It may lose its lease after it has looked, and before what it sends arrives; not before that.
        if self.stage.live().processes[self.who].knows.contains(&intent.rotation) {
            return Err(format!("{what}: sent by a process that has seen that its lease is lost"));
        }
        let disk = lock(&self.host);
        let Some(Event::Intent { step, change }) = disk.last(&intent.rotation) else {
            return Err(format!("{what}: sent without an intent in the journal"));
        };
        if *step != intent.step {
            return Err(format!("{what}: the journal's last intent is another one ({change:?})"));
        }
        let state = disk.state(&intent.rotation).ok_or_else(|| format!("{what}: the journal cannot be folded"))?;
        Ok(Leave { change: change.clone(), state, intent })
    }

    fn remember(&self, rotation: &RotationId, event: &Event) {
        let named = |secret: usize| {
            let state = lock(&self.host).state(rotation)?;
            Some(state.plan.secrets.get(secret)?.secret.clone())
        };
        let created = match event {
            Event::Created { secret, id, .. } => named(*secret).map(|name| (name, id.to_string())),
            _ => None,
        };
        let mut live = self.stage.live();
        match event {
            Event::Begun { plan, found, .. } => {
                if let Some(begun) = live.begun.get_mut(rotation) {
                    begun.anew(plan);
                } else {
                    let begun = Begun::new(plan, self.op.clone(), |id| logins::works(&live, id, &self.stage.systems));
                    live.begun.insert(rotation.clone(), begun);
                }
                let versions = found.iter().flat_map(|found| plan.secrets.iter().zip(&found.versions));
                for (secret, version) in versions {
                    live.watch.late.remove(version.id.as_str());
                    if let Some(begun) = live.begun.get_mut(rotation) {
                        begun.created.insert(secret.secret.clone(), version.id.to_string());
                    }
                }
                live.tally.begun += 1;
                live.tally.provided += u64::from(plan.secrets.iter().any(|secret| secret.provider().is_some()));
            }
            Event::Created { id, .. } => {
                live.watch.late.remove(id.as_str());
                if let Some(begun) = live.begun.get_mut(rotation) {
                    begun.created.extend(created);
                }
            }
            Event::Intent { change: ChangeRecord::Stack { commit, .. }, .. } => match commit {
                None => live.tally.redeployed.0 += 1,
                Some(_) => live.tally.redeployed.1 += 1,
            },
            _ => {}
        }
    }
}

#[async_trait]
impl JournalStore for Records {
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        self.pass(Class::Journal, Some((rotation, entry))).await;
        let fails = {
            let mut live = self.stage.live();
            let left = &mut live.processes[self.who].journal_fails;
            std::mem::replace(left, left.saturating_sub(1)) > 0
        };
        if fails {
            self.stage.note(|| format!("process {}: the journal cannot be written", self.who));
            return Err(Error::new(ErrorKind::Journal, "cannot write the journal: no space left on device"));
        }
        let lease = self.leases.lock().unwrap_or_else(PoisonError::into_inner).get(rotation).copied();
        if lock(&self.host).leases.get(rotation).copied() != lease && self.stage.is_overtaken(self.who) {
            self.stage.live().processes[self.who].knows.insert(rotation.clone());
            return Err(Error::new(ErrorKind::Journal, "cannot write the journal: its lease is another process's now"));
        }
        let appended = lock(&self.host).append(rotation, entry);
        if let Err(why) = appended {
            // The one thing that may come between is the loss of the journals while this process runs.
            if !self.stage.live().begun.get(rotation).is_some_and(|begun| begun.lost) {
                self.stage.violated(format!("rotation {rotation}: {why}"));
            }
            return Err(Error::new(ErrorKind::Journal, why));
        }
        self.remember(rotation, &entry.event);
        probes::noted(self, rotation, &entry.event);
        self.stage.note(|| format!("process {}: {}", self.who, words(&entry.event)));
        self.pass(Class::Journalled, None).await;
        Ok(())
    }

    async fn load(&self, rotation: &RotationId) -> Result<Journal> {
        let missing = || Error::new(ErrorKind::NotFound, format!("there is no journal of rotation {rotation}"));
        lock(&self.host).read(rotation).ok_or_else(missing)
    }

    async fn list(&self) -> Result<Vec<RotationId>> {
        Ok(lock(&self.host).rotations())
    }

    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>> {
        let mut disk = lock(&self.host);
        let holder = disk.leases.get(rotation).map(|(holder, _)| *holder);
        if holder.is_some_and(|holder| !self.stage.take_over(holder, self.who)) {
            return Err(Error::new(ErrorKind::Conflict, format!("rotation {rotation} is in other hands")));
        }
        disk.given += 1;
        let lease = (self.who, disk.given);
        disk.leases.insert(rotation.clone(), lease);
        drop(disk);
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).insert(rotation.clone(), lease);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(rotation.clone());
        let (stage, host) = (self.stage.clone(), self.host.clone());
        Ok(Box::new(Held { stage, host, rotation: rotation.clone(), lease }))
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
    stage: Arc<Stage>,
    host: Host,
    rotation: RotationId,
    lease: (usize, u64),
}

impl Held {
    fn is_mine(&self) -> bool {
        lock(&self.host).leases.get(&self.rotation) == Some(&self.lease)
    }
}

impl Lease for Held {
    fn held(&self) -> bool {
        let mine = self.is_mine();
        if !mine {
            self.stage.live().processes[self.lease.0].knows.insert(self.rotation.clone());
        }
        mine
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_mine() {
            lock(&self.host).leases.remove(&self.rotation);
        }
    }
}

#[async_trait]
impl AuditSink for Records {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        self.pass(Class::Audit, None).await;
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
        self.pass(Class::Audited, None).await;
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
        self.stage.now_of(self.who)
    }

    async fn sleep(&self, duration: std::time::Duration) {
        self.stage.sleep(self.who, duration).await;
    }
}
