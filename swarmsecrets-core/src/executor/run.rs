//! Carries rotations out.

use std::collections::BTreeMap;

use super::act;
use super::approval::{Approval, with_leave};
use super::counted::Counted;
use super::earlier::Earlier;
use super::fresh::Fresh;
use super::guards::is_half_way;
use super::leave::AuditedLeave;
use super::limits::Places;
use super::parts::{Parts, Supply};
use super::passwords::{PasswordChange, Passwords};
use super::probes::{Probes, rollout_of};
use super::progress::Progress;
use super::read::read_inventory;
use super::stopped::stopped_by;
use super::trail::{Ended, Trail};
use crate::audit::{Actor, AuditRecord, Leave, Phase};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::ContainerExec;
use crate::git::GitRemotes;
use crate::health::Health;
use crate::ids::RotationId;
use crate::inventory::Inventory;
use crate::journal::{Entry, FORMAT, Journal, Lease};
use crate::keys::FingerprintKey;
use crate::plan::{Plan, recover};
use crate::policy::{Direction, Gate, Guard};
use crate::rotation::{Action, ActionId, Answer, Change, Look, Poll, Reply, Report, Rotation, Stage, State};
use crate::source::Sources;

/// Carries rotations out, one at a time.
pub struct Executor<'a> {
    pub(super) parts: Parts<'a>,
    pub(super) transport: Counted<'a>,
    pub(super) passwords: Passwords,
    pub(super) probes: Probes<'a>,
    pub(super) remotes: Option<&'a dyn GitRemotes>,
    pub(super) sources: Sources,
    pub(super) guards: &'a [Guard],
    pub(super) approval: Option<Approval<'a>>,
    pub(super) fingerprint_key: Option<&'a FingerprintKey>,
    accepting: bool,
}

/// What a rotation is taken up for.
enum Purpose<'r, 's> {
    /// To be carried on, with what it needs.
    GoOn(&'r mut Supply<'s>),
    /// To be put back.
    GoBack,
    /// To lose its old versions, and for nothing else.
    Retire,
    /// To be called over.
    Close,
}

/// What one run holds.
pub(super) struct Run<'r, 's> {
    pub(super) rotation: Rotation,
    pub(super) gate: Gate,
    actor: Actor,
    pub(super) supply: Option<&'r mut Supply<'s>>,
    pub(super) fresh: Fresh,
    pub(super) earlier: Earlier,
    /// How many entries the journal has.
    written: u64,
    lease: Box<dyn Lease>,
    /// Its places in the counts of limits, until they are kept.
    places: Places,
}

impl<'a> Executor<'a> {
    /// An executor of these parts.
    #[must_use]
    pub fn new(parts: Parts<'a>) -> Self {
        let transport = Counted::new(parts.transport);
        let (passwords, probes) = (Passwords::default(), Probes::none());
        Self {
            parts,
            transport,
            passwords,
            probes,
            remotes: None,
            sources: Sources::none(),
            guards: &[],
            approval: None,
            fingerprint_key: None,
            accepting: false,
        }
    }

    /// The same executor, which also changes the passwords behind these logical secrets, for plans that say so.
    #[must_use]
    pub fn with_passwords(mut self, changes: BTreeMap<String, PasswordChange>) -> Self {
        self.passwords = Passwords::new(changes);
        self
    }

    /// The same executor, which also asks these probes, for plans that say so.
    #[must_use]
    pub fn with_probes(mut self, probes: Probes<'a>) -> Self {
        self.probes = probes;
        self
    }

    /// The same executor, for which a service counts as good although its probes cannot tell: the word of a person who has
    /// looked at it, for [`Executor::resume`].
    #[must_use]
    pub fn accepting_inconclusive(mut self) -> Self {
        self.accepting = true;
        self
    }

    /// Carries out a plan: checks that the world is still as it says, asks for leave, and runs it to its end or its grace.
    ///
    /// # Errors
    /// Errors are of what came before the first mutation: `Stale` or `Conflict` if the world has moved, `Conflict` if a
    /// rotation that has not come to its end has a password of the plan, `Denied` and
    /// `NeedsApproval` from the guardrails, `Invalid` without a value or a probe, `Journal`, and those of [`Transport::read`](crate::transport::Transport::read).
    /// Whatever happens later is in the report.
    pub async fn apply(&self, plan: &Plan, supply: &mut Supply<'_>) -> Result<Report> {
        supply.values.check(plan)?;
        self.check_sources(plan)?;
        self.passwords.check(plan)?;
        let world = self.world().await?;
        let (gate, approved) = self.may_begin(plan, supply, &world).await?;
        self.must_fit(plan, supply, &world).await?;
        let mut random = [0; 10];
        supply.random.fill(&mut random)?;
        let id = RotationId::from_random(random);
        let lease = self.parts.journal.lock(&id).await?;
        let actor = Actor { leave: approved.as_ref().map(Leave::from), ..self.actor(&world) };
        let places = self.count(&id, plan, supply, &world).await?;
        self.use_up(approved.as_ref(), plan, supply, &world).await?;
        let rotation = Rotation::begin(id, plan.clone(), actor.clone())?;
        let (fresh, earlier) = (Fresh::of(rotation.state()), self.earlier(plan, &world, None));
        let mut run = Run { rotation, gate, actor, supply: Some(supply), fresh, earlier, written: 0, lease, places };
        self.write_down(&mut run).await?;
        Ok(self.drive(run).await)
    }

    /// Goes on with a rotation from its journal. With the journal lost, it is read back from labels and specs: towards
    /// the new version if any service is on it, back to the old one otherwise.
    ///
    /// # Errors
    /// `NotFound` and `Journal` from the journal, `Conflict` if another process carries it, `Stale` if it belongs to
    /// another Swarm, `Invalid` without a setter or a probe that it needs yet, and those of [`Transport::read`](crate::transport::Transport::read).
    pub async fn resume(&self, id: &RotationId, supply: &mut Supply<'_>) -> Result<Report> {
        let mut run = self.take_up(id, Purpose::GoOn(supply)).await?;
        if self.accepting {
            run.rotation.accept_inconclusive();
        }
        Ok(self.drive(run).await)
    }

    /// Puts every consumer of a rotation back to the old version and removes the new one.
    ///
    /// # Errors
    /// As [`Executor::resume`]; `Refused` if the old version is gone or the rotation has ended.
    pub async fn rollback(&self, id: &RotationId, reason: &str) -> Result<Report> {
        let mut run = self.take_up(id, Purpose::GoBack).await?;
        // One that is half-way may be put back by anybody who has the word: that leaves nothing half done.
        if !is_half_way(run.rotation.state()) {
            self.may_undo(&run, &format!("put rotation {id} back")).await?;
        }
        run.rotation.roll_back(reason)?;
        Ok(self.drive(run).await)
    }

    /// Ends a rotation where it stands, by the word of a person who has seen to what it left: nothing is sent, and nothing
    /// more is done for it. What it left is no longer in the way of another one.
    ///
    /// # Errors
    /// As [`Executor::resume`]; `Refused` if it has ended.
    pub async fn close(&self, id: &RotationId, reason: &str) -> Result<Report> {
        let (mut run, words) = (self.take_up(id, Purpose::Close).await?, format!("close rotation {id}"));
        self.may_undo(&run, &words).await?;
        run.rotation.close(reason)?;
        let trail = self.trail(&run, Direction::Restore);
        trail.intent(&words).await?;
        self.write_down(&mut run).await?;
        trail.outcome(&words, Ended::Done).await;
        let mut report = Report::of(run.rotation.state());
        self.let_go(run.rotation.state(), &mut report).await;
        Ok(report)
    }

    /// Removes the old versions whose grace is over and that nothing uses any more. Reports on all that are kept yet.
    ///
    /// # Errors
    /// As [`Executor::resume`].
    pub async fn retire(&self) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        let world = self.world().await?;
        // Whoever has the journal of another one may still retire it in time.
        let moved =
            |id: &RotationId| recover(&world, id).is_ok_and(|found| found.begun && found.moved && found.is_due(&world));
        for id in self.lost_in(&world).await?.into_iter().filter(moved) {
            reports.push(self.retire_one(&id).await?);
        }
        for state in self.unfinished().await? {
            let seen = reports.iter().any(|r: &Report| r.rotation.as_ref() == Some(&state.rotation));
            if !matches!(state.stage, Stage::Grace | Stage::AwaitPatch) || !is_of(&state.plan, &world) || seen {
                continue;
            }
            match self.can_retire(&state) {
                Ok(()) => reports.push(self.retire_one(&state.rotation).await?),
                Err(error) => reports.push(Report { warnings: vec![error.to_string()], ..Report::of(&state) }),
            }
        }
        Ok(reports)
    }

    /// Outside of its hours an old version is kept, and that is no failure.
    async fn retire_one(&self, id: &RotationId) -> Result<Report> {
        let run = self.take_up(id, Purpose::Retire).await?;
        match run.gate.check(self.parts.clock.now().wall) {
            Ok(()) => Ok(self.drive(run).await),
            Err(error) => Ok(Report { warnings: vec![error.to_string()], ..Report::of(run.rotation.state()) }),
        }
    }

    async fn take_up<'r, 's>(&self, id: &RotationId, purpose: Purpose<'r, 's>) -> Result<Run<'r, 's>> {
        let lease = self.parts.journal.lock(id).await?;
        let journal = self.load(id).await?;
        if journal.torn_bytes > 0 {
            self.parts.observer.tell(&Progress::Torn { bytes: journal.torn_bytes });
        }
        let world = self.world().await?;
        let actor = self.actor(&world);
        let rotation = match journal.entries.as_slice() {
            [] => {
                let found = recover(&world, id)?;
                match purpose {
                    Purpose::Retire => Rotation::recover_to_retire(id.clone(), found, actor.clone())?,
                    Purpose::GoOn(_) | Purpose::GoBack | Purpose::Close => {
                        Rotation::recover(id.clone(), found, actor.clone())?
                    }
                }
            }
            entries => Rotation::resume(entries.iter().map(|e| &e.event), actor.clone())?,
        };
        let plan = &rotation.state().plan;
        if plan.cluster != world.cluster || plan.environment != world.environment {
            let text = format!(
                "rotation {id} belongs to environment {} of swarm {}, this is environment {} of swarm {}: go on with it there",
                plan.environment, plan.cluster, world.environment, world.cluster
            );
            return Err(Error::new(ErrorKind::Stale, text));
        }
        if !matches!(purpose, Purpose::Close) {
            self.can_go_on_with(rotation.state())?;
        }
        let mut supply = match purpose {
            Purpose::GoOn(supply) => Some(supply),
            // Nobody is asked.
            Purpose::GoBack | Purpose::Retire | Purpose::Close => None,
        };
        if supply.is_some() && rotation.state().needs_probes() {
            self.probes
                .check(plan, &world)
                .map_err(|error| error.context(format!("rotation {id} has probes to ask")))?;
        }
        let mut earlier = Earlier::default();
        if let Some(supply) = supply.as_mut() {
            self.check_approved_values(rotation.state(), &supply.values)?;
            self.fetch_again(rotation.state(), &mut supply.values).await?;
            if rotation.state().makes_versions() {
                earlier = self.earlier(plan, &world, Some(id));
                self.check_values(plan, &supply.values, &world)?;
                self.check_earlier(plan, &supply.values, &earlier).await?;
            }
        }
        let gate = with_leave(self.gate(plan, &world), rotation.state());
        let fresh = Fresh::of(rotation.state());
        let actor = Actor { leave: rotation.state().actor.leave.clone(), ..actor };
        Ok(Run {
            rotation,
            gate,
            actor,
            supply,
            fresh,
            earlier,
            written: journal.entries.len() as u64,
            lease,
            places: Vec::new(),
        })
    }

    /// Retirement updates no service and leaves passwords alone.
    fn can_retire(&self, state: &State) -> Result<()> {
        if state.moves_again() {
            let text = format!(
                "services could not be moved to the new version: `swarmsecrets resume {}` tries them again, and removes the old version after that",
                state.rotation
            );
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        self.can_go_on_with(state)
    }

    /// Without its setters, a rotation whose passwords are in the middle of their change could only stop or go astray.
    fn can_go_on_with(&self, state: &State) -> Result<()> {
        if !state.has_open_password() {
            return Ok(());
        }
        self.passwords.check(&state.plan).map_err(|error| {
            let text = format!("rotation {} is in the middle of changing a password", state.rotation);
            error.context(text)
        })
    }

    /// The journal of a rotation; empty if there is none.
    async fn load(&self, id: &RotationId) -> Result<Journal> {
        match self.parts.journal.load(id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Journal::default()),
            read => read,
        }
    }

    pub(super) async fn world(&self) -> Result<Inventory> {
        read_inventory(&self.transport, self.parts.environment, self.parts.clock).await
    }

    pub(super) fn actor(&self, world: &Inventory) -> Actor {
        Actor {
            account: world.account.name.clone(),
            agent: self.parts.agent.clone(),
            reason: self.parts.reason.clone(),
            leave: None,
        }
    }

    async fn drive(&self, mut run: Run<'_, '_>) -> Report {
        let done = match Self::keep(std::mem::take(&mut run.places)).await {
            Ok(()) => self.turn_until_done(&mut run).await,
            Err(error) => Err(error),
        };
        let mut report = match done {
            Ok(report) => report,
            Err(error) => stopped_by(run.rotation.state(), &error),
        };
        self.let_go(run.rotation.state(), &mut report).await;
        report.requests = self.transport.sent();
        report
    }

    async fn turn_until_done(&self, run: &mut Run<'_, '_>) -> Result<Report> {
        loop {
            self.heed(run).await?;
            if !run.lease.held() {
                return Err(Error::new(ErrorKind::Conflict, "the lease on the rotation was lost"));
            }
            let now = self.parts.clock.now();
            let poll = run.rotation.poll(now);
            self.write_down(run).await?;
            match poll {
                Poll::Done(report) => return Ok(*report),
                Poll::Wait(until) => self.parts.clock.sleep(until.mono.saturating_sub(now.mono)).await,
                Poll::Act(id, Action::Look(look)) => {
                    let reply = self.look(run, &look).await?;
                    self.answer(run, id, reply)?;
                }
                Poll::Act(id, Action::Change(change)) => {
                    let reply = self.mutate(run, &change).await?;
                    self.answer(run, id, reply)?;
                }
            }
        }
    }

    async fn look(&self, run: &mut Run<'_, '_>, look: &Look) -> Result<Reply> {
        match look {
            Look::Login { secret, which } => self.log_in(run, *secret, *which).await,
            Look::Baseline(_) | Look::Health(_) => self.ask(run, look).await,
            Look::Stacks(direction) => {
                let seen = act::look(&self.parts, &self.transport, look).await;
                Ok(self.with_heads(&run.rotation.state().plan, *direction, seen).await)
            }
            _ => Ok(act::look(&self.parts, &self.transport, look).await),
        }
    }

    fn answer(&self, run: &mut Run<'_, '_>, id: ActionId, reply: Reply) -> Result<()> {
        if let Reply::Refused(error) | Reply::Unknown(error) = &reply {
            self.parts.observer.tell(&Progress::Trouble { message: error.message() });
        }
        run.rotation.handle(id, reply, self.parts.clock.now())
    }

    /// Leave, then the audit trail's intent, then the mutation, then the audit trail's outcome.
    async fn mutate(&self, run: &mut Run<'_, '_>, change: &Change) -> Result<Reply> {
        self.switches_for(run, change.direction()).await?;
        let permit = run.gate.permit(change.direction(), self.parts.clock.now().wall)?;
        let made = match change {
            Change::Create { secret, .. } => self.make(run, *secret).await?,
            _ => Ok(None),
        };
        let (trail, words) = (self.trail(run, change.direction()), change.words());
        trail.intent(&words).await?;
        let reply = match change {
            Change::Credential { secret, step, .. } => {
                // It is no request of Portainer's, and takes its leave all the same.
                drop(permit);
                self.change_password(run, *secret, *step).await?
            }
            Change::Create { secret, .. } => {
                let reply = act::change(&self.parts, &self.transport, change, permit, made).await;
                if matches!(reply, Reply::Done(_)) {
                    run.fresh.took(*secret);
                }
                reply
            }
            _ => act::change(&self.parts, &self.transport, change, permit, made).await,
        };
        trail.outcome(&words, Ended::from(&reply)).await;
        Ok(reply)
    }

    /// Asks the probes of a service. Their commands take leave as any mutation does, and where it is withheld the run ends.
    async fn ask(&self, run: &Run<'_, '_>, look: &Look) -> Result<Reply> {
        let leave = self.leave(run, Direction::Forward);
        let exec = self.exec(&leave);
        let seen = act::look(&self.parts, &self.transport, &rollout_of(look)).await;
        let reply = self.probes.ask(run.rotation.state(), look, seen, &exec).await;
        if let Reply::Done(Answer::Health(Some(Health::Inconclusive { reason }))) = &reply {
            self.parts.observer.tell(&Progress::Trouble { message: reason });
        }
        leave.withheld().map_or(Ok(reply), Err)
    }

    /// Leave for what is done beside the mutations of the rotation itself: a permit and an audit record for each.
    pub(super) fn leave<'r>(&'r self, run: &'r Run<'_, '_>, direction: Direction) -> AuditedLeave<'r> {
        AuditedLeave::new(
            self.trail(run, direction),
            (&run.gate, self.guards, self.swarm_labels()),
            &*run.lease,
            direction,
        )
    }

    pub(super) fn exec<'r>(&'r self, leave: &'r AuditedLeave<'r>) -> ContainerExec<'r> {
        let (environment, clock) = (self.parts.environment, self.parts.clock);
        ContainerExec { transport: &self.transport, environment, clock, leave }
    }

    pub(super) fn trail(&self, run: &Run<'_, '_>, direction: Direction) -> Trail<'_> {
        let state = run.rotation.state();
        let record = AuditRecord {
            at: self.parts.clock.now().wall,
            actor: run.actor.clone(),
            environment: self.parts.environment,
            rotation: state.rotation.clone(),
            plan: state.plan.digest().clone(),
            phase: Phase::Intent,
            step: state.step,
            direction,
            action: String::new(),
            outcome: None,
            simulated: self.parts.transport.simulated(),
        };
        Trail::new(&self.parts, record)
    }

    /// Makes the events since the last time durable.
    async fn write_down(&self, run: &mut Run<'_, '_>) -> Result<()> {
        let rotation = run.rotation.state().rotation.clone();
        for event in run.rotation.take_events() {
            let entry = Entry { v: FORMAT, n: run.written, at: self.parts.clock.now().wall, event };
            self.parts.journal.append(&rotation, &entry).await?;
            run.written += 1;
            self.parts.observer.tell(&Progress::Event { rotation: &rotation, event: &entry.event });
        }
        Ok(())
    }
}

/// Whether a plan was made for this Swarm: a journal may hold rotations of several.
fn is_of(plan: &Plan, world: &Inventory) -> bool {
    plan.environment == world.environment && plan.cluster == world.cluster && plan.simulated == world.simulated
}
