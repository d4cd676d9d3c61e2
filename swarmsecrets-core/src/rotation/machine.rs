//! The machine: one poll, one handle, and the stages between them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::action::{Action, ActionId, Answer, Change, Reply};
use super::hand::Hand;
use super::report::Report;
use super::state::{Old, Progress, Stage, State};
use crate::audit::Actor;
use crate::clock::Now;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, SpecVersion};
use crate::journal::{ChangeResult, End, Event, Found, MadeVersion};
use crate::plan::{Plan, Recovered};

/// What the machine wants.
#[derive(Debug)]
pub enum Poll {
    /// This is to be done, and its reply given to [`Rotation::handle`].
    Act(ActionId, Action),
    /// Nothing before this time.
    Wait(Now),
    /// It has ended, or waits for a person or for time to pass.
    Done(Box<Report>),
}

/// One rotation on its way.
#[derive(Debug)]
pub struct Rotation {
    pub(super) state: State,
    /// Events that are not in the journal yet.
    outbox: Vec<Event>,
    /// What was given out and not answered.
    flight: Option<Flight>,
    next: u32,
    /// Whether a consumer counts as good in this run although its probes cannot tell.
    pub(super) accepting: bool,
    /// The newest versions of the consumers that are known of in this run.
    pub(super) newest: BTreeMap<usize, SpecVersion>,
    pub(super) work: Work,
}

/// An action that was given out.
#[derive(Debug)]
struct Flight {
    id: ActionId,
    /// The number of its intent, for a mutation.
    step: Option<u32>,
    /// The consumer that it was for, if it was for one.
    consumer: Option<usize>,
}

/// What a stage remembers that a crash may forget.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// The consumers in hand, by their places in the plan.
    pub(super) hands: BTreeMap<usize, Hand>,
    /// The stack that is to be written.
    pub(super) stack: Option<Change>,
    /// The stacks that could not be written in this run, and why.
    pub(super) unwritten: BTreeMap<String, String>,
    /// Nothing is done before this.
    pub(super) not_before: Option<Now>,
    /// Tries of the present step that did not come to an end.
    pub(super) tries: u32,
    /// Whether to look before sending, and why.
    pub(super) look: Option<LookFirst>,
    /// Whether the stacks were looked at on the way back.
    pub(super) settled: bool,
    /// Whether the stage was done in this run and waits for a person or for time.
    pub(super) rests: bool,
    /// The world was looked at, and nothing in it is against the next step: that a version is removed or made again, or a
    /// password ended or restored. What is to be said of it.
    pub(super) cleared: Option<Vec<String>>,
    /// The secret whose password the action given out restores, or looks whether it may be.
    pub(super) restoring: Option<usize>,
    /// The service that must have both versions beside each other before a command can be run in it, and has not.
    pub(super) lacking: Option<usize>,
    /// How many times one had to be given the old version once more.
    pub(super) offers: u32,
    /// The secret whose old password was given back, and is yet to be tried.
    pub(super) given_back: Option<usize>,
    /// Whether the old password was seen to log in, just before it is made the only one again.
    pub(super) old_works: bool,
    /// How many of the old versions the undo has seen, to go back to.
    pub(super) old_seen: usize,
    /// Whether the next one of them is gone.
    pub(super) old_gone: bool,
}

/// Why one looks before sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookFirst {
    /// The name is taken.
    Taken,
    /// The last try may have been done.
    Unknown,
}

/// What a stage wants next.
pub(super) enum Next {
    Act(Action),
    /// An action for the consumer at this place of the plan.
    For(usize, Action),
    Wait(Now),
    /// Something was noted; ask again.
    Again,
    Done,
}

impl Rotation {
    /// Begins a rotation of a plan.
    ///
    /// # Errors
    /// `Journal`, never in practice: the beginning always fits.
    pub fn begin(rotation: RotationId, plan: Plan, actor: Actor) -> Result<Self> {
        Self::first(Event::Begun { rotation, actor, plan: Box::new(plan), found: None })
    }

    /// Takes up a rotation whose journal is lost, as it can be seen in the world: towards the new versions if any service
    /// is on one, back to the old ones otherwise, as nothing proves the new value.
    ///
    /// # Errors
    /// `Journal`, never in practice: what was read back always fits.
    pub fn recover(rotation: RotationId, recovered: Recovered, actor: Actor) -> Result<Self> {
        Self::found(rotation, recovered, actor, false)
    }

    /// Takes up a rotation whose journal is lost to remove its old versions alone, once their grace, which begins anew, is
    /// over: nothing is judged, updated or put back.
    ///
    /// # Errors
    /// `Journal`, never in practice: what was read back always fits.
    pub fn recover_to_retire(rotation: RotationId, recovered: Recovered, actor: Actor) -> Result<Self> {
        Self::found(rotation, recovered, actor, true)
    }

    fn found(rotation: RotationId, recovered: Recovered, actor: Actor, moved: bool) -> Result<Self> {
        let Recovered { plan, versions, touched, begun, .. } = recovered;
        let versions =
            versions.into_iter().map(|version| MadeVersion { id: version.id, owner: version.owner }).collect();
        let found = Some(Found { versions, touched, begun, moved });
        Self::first(Event::Begun { rotation, actor, plan: Box::new(plan), found })
    }

    fn first(begun: Event) -> Result<Self> {
        Ok(Self::with(State::begin(&begun)?, vec![begun]))
    }

    /// Takes up a rotation from the events of its journal.
    ///
    /// # Errors
    /// `Journal` if they are not the events of one rotation.
    pub fn resume<'a>(events: impl IntoIterator<Item = &'a Event>, actor: Actor) -> Result<Self> {
        let mut rotation = Self::with(State::replay(events)?, Vec::new());
        rotation.emit(Event::Resumed { actor })?;
        Ok(rotation)
    }

    fn with(state: State, outbox: Vec<Event>) -> Self {
        Self { state, outbox, flight: None, next: 1, accepting: false, newest: BTreeMap::new(), work: Work::default() }
    }

    /// What is known of it.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes the events that have happened since the last time. They must be durable before the next action is begun.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.outbox)
    }

    /// Asks it to stop: no further consumer is begun, the one in hand is finished or undone.
    ///
    /// # Errors
    /// `Journal`, never in practice.
    pub fn interrupt(&mut self) -> Result<()> {
        if self.state.interrupted { Ok(()) } else { self.emit(Event::Interrupted) }
    }

    /// Lets a consumer count as good in this run although its probes cannot tell whether it works.
    pub fn accept_inconclusive(&mut self) {
        self.accepting = true;
    }

    /// Asks it to put everything back.
    ///
    /// # Errors
    /// `Refused` if the old version is gone or the rotation has been undone already.
    pub fn roll_back(&mut self, reason: &str) -> Result<()> {
        if let Some(why) = self.cannot_go_back() {
            let text = format!("rotation {} cannot be undone: {why}", self.state.rotation);
            return Err(Error::new(ErrorKind::Refused, text));
        }
        self.emit(Event::UndoBegun { reason: reason.to_owned() })
    }

    /// Ends it where it stands, as a person has seen to what it left: nothing more is done for it.
    ///
    /// # Errors
    /// `Refused` if it has ended already.
    pub fn close(&mut self, reason: &str) -> Result<()> {
        if let Stage::Ended(_) = self.state.stage {
            let text = format!("rotation {} has ended: nothing is left to close", self.state.rotation);
            return Err(Error::new(ErrorKind::Refused, text));
        }
        self.stop(
            End::Closed,
            format!("closed, as a person has seen to it: {reason}; `swarmsecrets inventory` shows what serves now"),
        )
    }

    fn cannot_go_back(&self) -> Option<String> {
        let replaced = self.state.plan.secrets.iter().zip(&self.state.versions);
        let old = |wanted: Old| {
            let mut found = replaced.clone().filter(|(_, version)| version.old == wanted);
            found.find_map(|(planned, _)| Some(&planned.previous.as_ref()?.name))
        };
        if let Some(name) = old(Old::Retired) {
            return Some(format!("its old version `{name}` is gone; rotate again, with the old value if need be"));
        }
        if let Some(name) = old(Old::Sent) {
            let id = &self.state.rotation;
            return Some(format!(
                "the removal of its old version `{name}` was sent, and may be done yet: `swarmsecrets resume {id}` goes on with it"
            ));
        }
        if let Stage::Ended(_) = self.state.stage {
            return Some("it has ended, and nothing of it is left to undo".to_owned());
        }
        let account = self.ended_password()?;
        Some(format!("the old password of {account} was ended; rotate again"))
    }

    /// Begins the way back. With an old password ended there is none: a person must look.
    pub(super) fn undo_because(&mut self, reason: impl Into<String>) -> Result<()> {
        let reason = reason.into();
        let Some(account) = self.ended_password() else { return self.emit(Event::UndoBegun { reason }) };
        let text = format!(
            "{reason}; it cannot be undone, as the old password of {account} was ended: mend that, then `swarmsecrets resume {}`",
            self.state.rotation
        );
        self.stop(End::NeedsHuman, text)
    }

    /// What is to be done next. Called until it says to wait or that it is done.
    pub fn poll(&mut self, now: Now) -> Poll {
        if self.flight.is_some() {
            return Poll::Wait(now.after(Duration::from_secs(1)));
        }
        loop {
            match self.stage(now) {
                Ok(Next::Again) => {}
                Ok(Next::Act(action)) => return self.give_out(action, None),
                Ok(Next::For(consumer, action)) => return self.give_out(action, Some(consumer)),
                Ok(Next::Wait(until)) => return Poll::Wait(until),
                Ok(Next::Done) => return Poll::Done(Box::new(Report::of(&self.state))),
                Err(error) => return self.broken(&error),
            }
        }
    }

    /// An event that does not fit is a fault of ours; a person must look, and nothing more is sent.
    fn broken(&mut self, error: &Error) -> Poll {
        let stopped = Event::Stopped { end: End::NeedsHuman, reason: error.to_string() };
        let mut report = Report::of(&self.state);
        report.warnings.push(error.to_string());
        self.outbox.push(stopped);
        report.outcome = super::Outcome::NeedsHuman;
        Poll::Done(Box::new(report))
    }

    fn give_out(&mut self, action: Action, consumer: Option<usize>) -> Poll {
        let id = ActionId(self.next);
        self.next += 1;
        let step = match &action {
            Action::Look(_) => None,
            Action::Change(change) => match self.intend(change) {
                Ok(step) => Some(step),
                Err(error) => return self.broken(&error),
            },
        };
        self.flight = Some(Flight { id, step, consumer });
        Poll::Act(id, action)
    }

    fn intend(&mut self, change: &Change) -> Result<u32> {
        let step = self.state.step + 1;
        self.emit(Event::Intent { step, change: change.record() })?;
        Ok(step)
    }

    /// Takes in how an action went.
    ///
    /// # Errors
    /// `Invalid` if the action was not given out or is answered already.
    pub fn handle(&mut self, id: ActionId, reply: Reply, now: Now) -> Result<()> {
        let Some(flight) = self.flight.take_if(|waiting| waiting.id == id) else {
            return Err(Error::new(ErrorKind::Invalid, format!("action {} is not waited for", id.0)));
        };
        if let Some(step) = flight.step {
            self.emit(Event::Outcome { step, result: result(&reply) })?;
        }
        match flight.consumer {
            Some(consumer) => {
                if let Some(hand) = self.work.hands.get_mut(&consumer) {
                    hand.handle(reply, now);
                    self.newest.insert(consumer, hand.newest());
                }
                Ok(())
            }
            None => self.take_in(reply, flight.step.is_some(), now),
        }
    }

    /// Takes in the reply to what was `sent` to change something, or to a look.
    fn take_in(&mut self, reply: Reply, sent: bool, now: Now) -> Result<()> {
        if let Some(stack) = self.work.stack.take() {
            return self.stack_written(&stack, reply, now);
        }
        match (self.state.stage, reply) {
            (Stage::Prepare, reply) => self.prepared(reply, sent, now),
            (Stage::Credential | Stage::Close, reply) => self.credential_answered(reply, now),
            (Stage::Settle | Stage::AwaitPatch, Reply::Done(Answer::World(world))) => self.settled(&world, now),
            (Stage::Grace, reply) => self.retired(reply, sent, now),
            (Stage::Undo, reply) => self.undone(reply, sent, now),
            (_, Reply::Refused(error) | Reply::Unknown(error)) => self.look_later(&error, now),
            (_, Reply::Done(_)) => Ok(()),
        }
    }

    fn stage(&mut self, now: Now) -> Result<Next> {
        if self.state.stopped.is_some() {
            return Ok(Next::Done);
        }
        if let Some(until) = self.work.not_before.filter(|until| now.mono < until.mono) {
            return Ok(Next::Wait(until));
        }
        match self.state.stage {
            Stage::Prepare => self.prepare(),
            Stage::Credential => self.set_credentials(now),
            Stage::Update => self.update(now),
            Stage::Close => self.close_credentials(now),
            Stage::Settle => self.settle(),
            Stage::AwaitPatch => Ok(self.await_patch()),
            Stage::Grace => self.grace(now),
            Stage::Undo => self.undo(now),
            Stage::Ended(_) => Ok(Next::Done),
        }
    }

    /// Notes an event: in the state at once, in the journal before the next action.
    pub(super) fn emit(&mut self, event: Event) -> Result<()> {
        let before = (self.state.stage, self.state.versions_done());
        self.state.apply(&event)?;
        self.outbox.push(event);
        if self.state.stage != before.0 {
            self.work = Work { rests: self.work.rests, ..Work::default() };
        } else if self.state.versions_done() != before.1 {
            self.work = Work {
                hands: std::mem::take(&mut self.work.hands),
                rests: self.work.rests,
                settled: self.work.settled,
                old_seen: self.work.old_seen,
                ..Work::default()
            };
        }
        Ok(())
    }

    /// Stops here, with what a person should know.
    pub(super) fn stop(&mut self, end: End, reason: impl Into<String>) -> Result<()> {
        self.emit(Event::Stopped { end, reason: reason.into() })
    }

    /// Tries the present step again after a growing pause; after too many tries a person must look.
    pub(super) fn look_later(&mut self, error: &Error, now: Now) -> Result<()> {
        const TRIES: u32 = 12;
        self.work.tries += 1;
        if self.work.tries > TRIES || !(error.is_retryable() || error.is_conflict()) {
            let goes_on = if self.state.stage == Stage::Undo { "goes on putting everything back" } else { "goes on" };
            let text =
                format!("{error}; once that has changed, `swarmsecrets resume {}` {goes_on}", self.state.rotation);
            return self.stop(End::NeedsHuman, text);
        }
        let pause = Duration::from_millis(200 << self.work.tries.min(6)).min(Duration::from_secs(10));
        self.work.not_before = Some(now.after(pause));
        Ok(())
    }

    /// The first consumer that satisfies.
    pub(super) fn consumer(&self, wanted: impl Fn(&Progress) -> bool) -> Option<usize> {
        self.state.consumers.iter().position(wanted)
    }
}

fn result(reply: &Reply) -> ChangeResult {
    match reply {
        Reply::Done(_) => ChangeResult::Done,
        Reply::Refused(error) => ChangeResult::Refused { message: error.to_string() },
        Reply::Unknown(error) => ChangeResult::Unknown { message: error.to_string() },
    }
}
