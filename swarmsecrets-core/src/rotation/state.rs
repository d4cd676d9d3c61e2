//! The state of a rotation: the fold of its events, and nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::audit::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{ControlId, RotationId, SecretId, ServiceId};
use crate::inventory::Owner;
use crate::journal::{Access, ChangeRecord, ChangeResult, CredentialStep, End, Event, Measured, StackPatch};
use crate::plan::{Plan, PlanKind, Strategy};

/// What has to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Make the new versions and give them their owners.
    Prepare,
    /// Set the new passwords in the systems behind the secrets.
    Credential,
    /// Move the consumers.
    Update,
    /// Bring the stacks in line.
    Settle,
    /// Wait for people to patch stacks.
    AwaitPatch,
    /// End the old passwords.
    Close,
    /// Keep the old version for a while.
    Grace,
    /// Put everything back.
    Undo,
    /// Nothing: it has ended, and how.
    Ended(Ending),
}

/// How a rotation can have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The old version is gone, or there never was one.
    Complete,
    /// It stopped short.
    Stopped(End),
}

/// How far a consumer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not touched.
    Pending,
    /// Looked at, and perhaps updated.
    Begun,
    /// Healthy on the new version.
    Converged(Option<String>),
    /// Not healthy on the new version.
    Failed(String),
    /// On the new version, and its probes cannot tell whether it works.
    Unsure(String),
    /// Left as somebody else made it.
    Left(String),
    /// Healthy on the old version again.
    Restored(Option<String>),
    /// Could not be put back.
    RestoreFailed(String),
}

impl Progress {
    /// Whether a consumer so far is yet to be brought to its end on the way forward. One that does not work, or may not, is
    /// at its end only if the rotation goes on in spite of that.
    pub(super) fn is_open(&self, goes_on: bool) -> bool {
        match self {
            Self::Failed(_) | Self::Unsure(_) => !goes_on,
            p => matches!(p, Self::Pending | Self::Begun),
        }
    }

    /// Whether the consumer does not work with the new versions.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// How far one of the secrets is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Whether a create was ever sent.
    pub create_sent: bool,
    /// The new version, once it is there.
    pub created: Option<Created>,
    /// Whether it has its owner.
    pub owned: bool,
    /// Whether it is gone again, or never was there.
    pub withdrawn: bool,
    /// How far the password behind it is.
    pub access: Access,
    /// What became of the old version.
    pub old: Old,
}

impl Versions {
    /// Whether the new version is there, or may be.
    #[must_use]
    pub fn may_be_there(&self) -> bool {
        (self.create_sent || self.created.is_some()) && !self.withdrawn
    }
}

/// What became of an old version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Old {
    /// It is there.
    #[default]
    There,
    /// Its removal was sent, and may have been done or be done yet.
    Sent,
    /// It was kept in this run, and why.
    Kept(String),
    /// It is gone.
    Retired,
}

impl Old {
    /// Whether it is known what became of it, in this run.
    fn is_settled(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Retired)
    }
}

/// A new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: SecretId,
    /// Its resource control.
    pub control: Option<ControlId>,
    /// Who may see it as it was made.
    pub owner: Option<Owner>,
}

/// All that is known of a rotation.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its id.
    pub rotation: RotationId,
    /// Who began it.
    pub actor: Actor,
    /// The plan.
    pub plan: Plan,
    /// What has to be done next.
    pub stage: Stage,
    /// The secrets, in the order of the plan.
    pub versions: Vec<Versions>,
    /// The consumers, in the order of the plan.
    pub consumers: Vec<Progress>,
    /// What the probes saw of the consumers before anything was changed, in the order of the plan; none where that is not
    /// known yet.
    pub baselines: Vec<Option<Vec<Measured>>>,
    /// Why it is being undone, if it is.
    pub undo: Option<String>,
    /// Why it stopped, if it did.
    pub stopped: Option<String>,
    /// The stacks that wait for a patch.
    pub patches: Vec<StackPatch>,
    /// The stacks that were written, or may have been, and the commits that the repositories of git stacks stood at.
    pub written: BTreeMap<String, Option<String>>,
    /// How many times a consumer was put back to be tried again.
    pub failures: u32,
    /// When the old version may go.
    pub grace_until: Option<Timestamp>,
    /// Things to be said in the report.
    pub notes: Vec<String>,
    /// The number of the last mutation.
    pub step: u32,
    /// Whether someone asked to stop.
    pub interrupted: bool,
    /// The consumers that a revocation moves once more, and why they had failed: until that is begun they may be on either
    /// version, and an undo puts them back.
    pub again: BTreeMap<usize, String>,
    /// The secret whose new password is being set for the first time. If that is refused, its password is not ours to undo.
    pub first_set: Option<usize>,
}

impl State {
    /// The state after the first event.
    ///
    /// # Errors
    /// `Journal` if the first event is not [`Event::Begun`].
    pub fn begin(first: &Event) -> Result<Self> {
        let Event::Begun { rotation, actor, plan, found } = first else {
            return Err(Error::new(ErrorKind::Journal, "the journal does not begin with the beginning of a rotation"));
        };
        let mut state = Self {
            rotation: rotation.clone(),
            actor: actor.clone(),
            stage: Stage::Prepare,
            versions: vec![Versions::default(); plan.secrets.len()],
            consumers: vec![Progress::Pending; plan.consumers.len()],
            baselines: vec![None; plan.consumers.len()],
            undo: None,
            stopped: None,
            patches: Vec::new(),
            written: BTreeMap::new(),
            failures: 0,
            grace_until: None,
            notes: Vec::new(),
            step: 0,
            interrupted: false,
            again: BTreeMap::new(),
            first_set: None,
            plan: plan.as_ref().clone(),
        };
        found.iter().try_for_each(|found| state.take_over(found))?;
        Ok(state)
    }

    /// The state after all of these events.
    ///
    /// # Errors
    /// `Journal` if they are not the events of one rotation, saying which one does not fit.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self> {
        let mut events = events.into_iter();
        let first = events.next().ok_or_else(|| Error::new(ErrorKind::Journal, "the journal is empty"))?;
        let mut state = Self::begin(first)?;
        for (n, event) in events.enumerate() {
            state.apply(event).map_err(|e| e.context(format!("journal entry {}", n + 1)))?;
        }
        Ok(state)
    }

    /// Takes one event in.
    ///
    /// # Errors
    /// `Journal` if the event names a consumer that the plan does not have, or begins a rotation again.
    pub fn apply(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Begun { .. } => {
                return Err(Error::new(ErrorKind::Journal, "the rotation is begun a second time"));
            }
            Event::Intent { step, change } => {
                self.step = *step;
                match change {
                    ChangeRecord::Create { secret, .. } => self.version(*secret)?.create_sent = true,
                    ChangeRecord::Credential { secret, step: CredentialStep::Set } => {
                        let version = self.version(*secret)?;
                        let first = version.access < Access::Setting;
                        version.access = version.access.max(Access::Setting);
                        self.first_set = first.then_some(*secret);
                    }
                    ChangeRecord::Credential { secret, step: CredentialStep::Revoke } => {
                        let version = self.version(*secret)?;
                        version.access = version.access.max(Access::Revoking);
                    }
                    ChangeRecord::Retire { id } => self.sent_away(id),
                    ChangeRecord::Stack { name, commit, .. } => drop(self.written.insert(name.clone(), commit.clone())),
                    // From here on it may be on either version, until it is known to be restored.
                    ChangeRecord::Restore { service } => {
                        if let Progress::Converged(_) = self.progress(service)? {
                            self.set(service, Progress::Begun)?;
                        }
                    }
                    _ => {}
                }
            }
            // What is not known is looked for by the stage; that it was sent is known from its intent.
            Event::Outcome { result, .. } => {
                let refused = matches!(result, ChangeResult::Refused { .. });
                if let Some(secret) = self.first_set.take().filter(|_| refused) {
                    self.version(secret)?.access = Access::Old;
                }
                for version in self.versions.iter_mut().filter(|v| refused && v.old == Old::Sent) {
                    version.old = Old::There;
                }
            }
            Event::Created { secret, id, control, owner } => {
                let created = Created { id: id.clone(), control: *control, owner: owner.clone() };
                self.version(*secret)?.created = Some(created);
            }
            Event::Owned { secret, note } => {
                self.version(*secret)?.owned = true;
                self.notes.extend(note.iter().cloned());
                if self.stage == Stage::Prepare && self.versions.iter().all(|v| v.owned) {
                    self.stage = self.stage_after_create();
                }
            }
            Event::Credential { secret, access, note } => {
                self.version(*secret)?.access = *access;
                self.notes.extend(note.iter().cloned());
                self.release(*secret);
                self.after_credential();
            }
            Event::Withdrawn { secret } => self.version(*secret)?.withdrawn = true,
            Event::Baseline { service, seen } => {
                let n = self.place(service)?;
                self.baselines[n] = Some(seen.clone());
            }
            Event::ConsumerBegun { service } => {
                self.set(service, Progress::Begun)?;
                let n = self.place(service)?;
                self.again.remove(&n);
            }
            Event::ConsumerConverged { service, note } => {
                self.set(service, Progress::Converged(note.clone()))?;
                self.step_on();
                self.after_credential();
            }
            Event::ConsumerFailed { service, reason } => {
                self.set(service, Progress::Failed(reason.clone()))?;
                self.step_on();
            }
            Event::ConsumerUnsure { service, reason } => {
                self.set(service, Progress::Unsure(reason.clone()))?;
                self.step_on();
            }
            Event::ConsumerLeft { service, reason } => {
                self.set(service, Progress::Left(reason.clone()))?;
                self.step_on();
                self.after_credential();
            }
            Event::UndoBegun { reason } => {
                self.undo = Some(reason.clone());
                self.stopped = None;
                self.stage = Stage::Undo;
                for n in std::mem::take(&mut self.again).into_keys() {
                    if self.consumers[n] == Progress::Pending {
                        self.consumers[n] = Progress::Begun;
                    }
                }
            }
            Event::ConsumerRestored { service } => {
                let why = match self.progress(service)? {
                    Progress::Failed(reason) => Some(reason.clone()),
                    _ => None,
                };
                // Within the budget of failures it is tried again.
                let again = self.stage == Stage::Update;
                self.failures += u32::from(again);
                self.set(service, if again { Progress::Pending } else { Progress::Restored(why) })?;
            }
            Event::RestoreFailed { service, reason } => {
                self.set(service, Progress::RestoreFailed(reason.clone()))?;
            }
            Event::Settled { stacks, notes } => {
                self.patches.clone_from(stacks);
                self.notes.extend(notes.iter().cloned());
                let open = stacks.iter().any(|s| s.kind != "cli") && self.plan.strategy != Strategy::Revoke;
                self.stage = if open { Stage::AwaitPatch } else { Stage::Close };
                self.after_credential();
            }
            Event::GraceBegun { until } => {
                self.grace_until = Some(*until);
                self.stage = Stage::Grace;
            }
            Event::Retired { secret, notes, .. } => {
                self.version(*secret)?.old = Old::Retired;
                self.notes.extend(notes.iter().filter(|note| !self.notes.contains(note)).cloned().collect::<Vec<_>>());
                self.undo = None;
                let all = self.versions.iter().all(|v| v.old == Old::Retired);
                self.stage = if all { Stage::Ended(Ending::Complete) } else { Stage::Grace };
            }
            Event::RetireRefused { secret, reason } => {
                self.version(*secret)?.old = Old::Kept(reason.clone());
                self.stage = Stage::Grace;
            }
            Event::Interrupted => self.interrupted = true,
            Event::Stopped { end, reason } => {
                self.stopped = Some(reason.clone());
                if *end != End::NeedsHuman {
                    self.stage = Stage::Ended(Ending::Stopped(*end));
                }
            }
            Event::Resumed { .. } => self.take_up(),
        }
        Ok(())
    }

    /// The removal of an old version is on its way.
    fn sent_away(&mut self, id: &SecretId) {
        let secrets = self.plan.secrets.iter().zip(&mut self.versions);
        let mut gone = secrets.filter(|(planned, _)| planned.previous.as_ref().is_some_and(|old| old.id == *id));
        if let Some((_, version)) = gone.next() {
            version.old = Old::Sent;
        }
    }

    fn stage_after_create(&self) -> Stage {
        match self.plan.kind {
            PlanKind::Create => Stage::Ended(Ending::Complete),
            PlanKind::Rotate if self.credentials_are(self.access_before_consumers()) => self.stage_of_consumers(),
            PlanKind::Rotate => Stage::Credential,
        }
    }

    /// Services in whose containers commands change passwords have been moved before, and there may be no others.
    fn stage_of_consumers(&self) -> Stage {
        let goes_on = self.goes_on_in_spite_of_failures();
        if self.consumers.iter().any(|p| p.is_open(goes_on)) { Stage::Update } else { Stage::Settle }
    }

    /// How far passwords must be before the first consumer is moved: a revocation ends the old ones first of all.
    pub(super) fn access_before_consumers(&self) -> Access {
        if self.plan.strategy == Strategy::Revoke { Access::Closed } else { Access::Proved }
    }

    fn credentials_are(&self, wanted: Access) -> bool {
        let secrets = self.plan.secrets.iter().zip(&self.versions);
        secrets.filter(|(planned, _)| planned.credential.is_some()).all(|(_, version)| version.access >= wanted)
    }

    /// The stage after the passwords, once they are as far as they must be; after the last of them no service has an old version
    /// beside the new one any more.
    fn after_credential(&mut self) {
        if self.stage == Stage::Credential && self.credentials_are(self.access_before_consumers()) {
            self.stage = self.stage_of_consumers();
        }
        if self.stage == Stage::Close && self.credentials_are(Access::Closed) && self.providers_rest() {
            self.stage = Stage::Grace;
        }
    }

    /// The stage after `Update`, once no consumer is left to do.
    fn step_on(&mut self) {
        let goes_on = self.goes_on_in_spite_of_failures();
        if self.stage == Stage::Update && !self.consumers.iter().any(|p| p.is_open(goes_on)) {
            self.stage = Stage::Settle;
        }
    }

    /// Whether probes are yet to be asked about a consumer.
    #[must_use]
    pub fn needs_probes(&self) -> bool {
        let ahead = matches!(self.stage, Stage::Prepare | Stage::Credential | Stage::Update);
        let goes_on = self.goes_on_in_spite_of_failures();
        let mut consumers = self.plan.consumers.iter().zip(&self.consumers);
        ahead && consumers.any(|(planned, p)| !planned.probes.is_empty() && p.is_open(goes_on))
    }

    /// A revocation goes on with what works once its canary does: the old value must not come back.
    #[must_use]
    pub fn goes_on_in_spite_of_failures(&self) -> bool {
        let first = self.plan.consumers.iter().zip(&self.consumers).filter(|(planned, _)| planned.wave == 0);
        let canary = self.plan.consumers.iter().any(|c| c.wave > 0);
        let ended = self.versions.iter().any(|v| v.access >= Access::Revoking && v.access != Access::Restored);
        self.plan.strategy == Strategy::Revoke
            && (ended
                || !canary
                || first.into_iter().all(|(_, p)| matches!(p, Progress::Converged(_) | Progress::Left(_))))
    }

    /// Whether a consumer may have been updated.
    pub(super) fn is_touched(&self, n: usize) -> bool {
        self.consumers[n] != Progress::Pending || self.again.contains_key(&n)
    }

    /// Why a consumer could not be put back, if one could not.
    pub(super) fn stuck(&self) -> Option<&str> {
        self.consumers.iter().find_map(|p| match p {
            Progress::RestoreFailed(reason) => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Whether a password is in the middle of its change: what comes next needs its setter.
    #[must_use]
    pub fn has_open_password(&self) -> bool {
        let open = |access: Access| (Access::Setting..Access::Closed).contains(&access);
        !self.is_over() && self.versions.iter().any(|v| open(v.access))
    }

    /// How many things have been done to versions: what a step remembers of one says nothing of the next.
    pub(super) fn versions_done(&self) -> usize {
        let done = |v: &Versions| [v.created.is_some(), v.owned, v.withdrawn, v.old.is_settled()];
        let things = self.versions.iter().flat_map(done).filter(|done| *done).count();
        // Each step of a password is a thing of its own.
        things + self.versions.iter().map(|v| v.access as usize).sum::<usize>()
    }

    pub(super) fn version(&mut self, secret: usize) -> Result<&mut Versions> {
        let unknown = || Error::new(ErrorKind::Journal, format!("the plan has no secret number {secret}"));
        self.versions.get_mut(secret).ok_or_else(unknown)
    }

    fn place(&self, service: &ServiceId) -> Result<usize> {
        self.plan.consumers.iter().position(|c| c.id == *service).ok_or_else(|| {
            Error::new(
                ErrorKind::Journal,
                format!("service {service} is not in the plan of rotation {}", self.rotation),
            )
        })
    }

    fn progress(&self, service: &ServiceId) -> Result<&Progress> {
        self.place(service).map(|n| &self.consumers[n])
    }

    pub(super) fn set(&mut self, service: &ServiceId, progress: Progress) -> Result<()> {
        let n = self.place(service)?;
        self.consumers[n] = progress;
        Ok(())
    }
}
