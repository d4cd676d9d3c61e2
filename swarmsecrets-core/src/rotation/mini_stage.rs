//! A rotation on the mini world, for the tests of the machine: run to its end, or until the process dies.

use std::time::Duration;

use super::mini_world::{Fault, World, actor};
use super::{Action, Outcome, Poll, Report, Rotation};
use crate::ids::RotationId;
use crate::journal::Event;
use crate::plan::Plan;

pub(super) fn id() -> RotationId {
    RotationId::from_random([1; 10])
}

/// A rotation, its journal, and its Swarm.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) rotation: Rotation,
    pub(super) journal: Vec<Event>,
    pub(super) changes: u32,
}

pub(super) enum Turn {
    Done(Box<Report>),
    Crashed,
}

impl Stage {
    pub(super) fn new(world: World, grace: Duration) -> Self {
        let plan = world.plan(grace);
        Self::of(world, plan)
    }

    pub(super) fn of(world: World, plan: Plan) -> Self {
        let rotation = Rotation::begin(id(), plan, actor()).unwrap();
        Self { world, rotation, journal: Vec::new(), changes: 0 }
    }

    /// Runs until it is done or `crash` says so, just before or just after a change is sent.
    pub(super) fn run(
        &mut self,
        mut fault: impl FnMut(u32, &Action) -> Fault,
        mut crash: impl FnMut(usize, bool) -> bool,
    ) -> Turn {
        for _ in 0..100_000 {
            let poll = self.rotation.poll(self.world.now);
            for event in self.rotation.take_events() {
                self.journal.push(event);
                if crash(self.journal.len(), false) {
                    return Turn::Crashed;
                }
            }
            match poll {
                Poll::Done(report) => return Turn::Done(report),
                Poll::Wait(until) => self.world.now = until,
                Poll::Act(id, action) => {
                    if matches!(action, Action::Change(_)) {
                        self.changes += 1;
                    }
                    let reply = self.world.reply(&action, fault(self.changes, &action));
                    assert!(self.world.sound(), "a service mounts a secret that is gone, after {action:?}");
                    if crash(self.journal.len(), true) {
                        return Turn::Crashed;
                    }
                    self.rotation.handle(id, reply, self.world.now).unwrap();
                }
            }
        }
        panic!("it never ends: {:?}", self.rotation.state());
    }

    pub(super) fn finish(&mut self) -> Report {
        match self.run(|_, _| Fault::None, |_, _| false) {
            Turn::Done(report) => *report,
            Turn::Crashed => unreachable!(),
        }
    }

    /// Runs to the end in two processes. The first dies at `at` entries of the journal or soon after: once one is written, or
    /// once a request is sent.
    pub(super) fn finish_after_a_crash(&mut self, at: usize, after_request: bool) -> Report {
        if matches!(self.run(|_, _| Fault::None, |n, sent| n >= at && sent == after_request), Turn::Crashed) {
            self.restart();
        }
        self.finish()
    }

    /// Runs to the end whatever is lost on the way (0: a request, 1: an answer) and wherever the process dies; a person who is
    /// asked resumes it.
    pub(super) fn finish_in_spite_of(&mut self, faults: Vec<u8>, mut crashes: Vec<usize>) -> Report {
        let mut faults = faults.into_iter();
        loop {
            let strike = |_, _: &Action| match faults.next() {
                Some(0) => Fault::Lost,
                Some(1) => Fault::AnswerLost,
                _ => Fault::None,
            };
            let at = crashes.pop().unwrap_or(usize::MAX);
            match self.run(strike, |n, _| n >= at) {
                Turn::Done(report) if report.outcome != Outcome::NeedsHuman => return *report,
                _ => self.restart(),
            }
        }
    }

    /// What a new process knows: the journal.
    pub(super) fn restart(&mut self) {
        self.rotation = Rotation::resume(&self.journal, actor()).unwrap();
    }

    /// Every consumer on one version, and the report says which.
    pub(super) fn assert_consistent(&self, report: &Report) {
        match report.outcome {
            Outcome::Applied => assert!(self.world.all_on("db_v2"), "{report:?}"),
            Outcome::RolledBack | Outcome::NotStarted => {
                assert!(self.world.all_on("db"), "{report:?}");
                assert!(!self.world.secrets.contains_key("db_v2"), "{report:?}");
            }
            other => panic!("{other:?}: {report:?}"),
        }
        assert!(self.world.made <= 1 || report.outcome != Outcome::Applied || self.world.secrets.contains_key("db_v2"));
    }
}
