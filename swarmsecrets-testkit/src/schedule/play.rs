//! Plays a script: rounds with faults, then a time without any, then the judgement.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use swarmsecrets_core::error::Result;
use swarmsecrets_core::rotation::{Outcome, Report};

use super::disk::{Host, lock};
use super::oracle::{self, Oracle};
use super::process::Desk;
use super::scene::Scene;
use super::script::{Op, Script, Task};
use super::stage::{PROCESSES, Stage};
use super::tally::Tally;
use super::values;
use super::watch::By;
use super::{lockouts, people, truth};
use crate::sim::Dice;

/// How a script went.
pub(super) struct Played {
    pub(super) tally: Tally,
    /// What was not as it must be, if anything was not.
    pub(super) violation: Option<String>,
    pub(super) trace: Vec<String>,
}

/// More turns than any script needs: whoever reaches it goes in circles.
const MOST_TURNS: u64 = 20_000;

/// How often what is open is taken up at the end, as long as it comes on.
const MOST_RESUMES: u32 = 6;

/// So long that people mend by themselves what fails all the time.
const LONG: Duration = Duration::from_secs(3_600);

/// Plays a script from its beginning to its judgement.
pub(super) fn play(script: &Script, traced: bool) -> Played {
    values::record();
    let stage = match Stage::of(&script.scene, traced) {
        Ok(stage) => Arc::new(stage),
        Err(error) => {
            let violation = Some(format!("the world could not be built: {error}"));
            return Played { tally: Tally::default(), violation, trace: Vec::new() };
        }
    };
    let mut run = Run::new(stage.clone(), script);
    run.rounds(script);
    if stage.violation().is_none() {
        run.calm();
    }
    let mut live = stage.live();
    let mut tally = std::mem::take(&mut live.tally);
    drop(live);
    tally.worlds = 1;
    tally.probed = u64::from(script.scene.probed);
    tally.logging_in = u64::from(script.scene.has_logins());
    tally.services = (script.scene.services.len() + script.scene.stacks.len()) as u64;
    Played { tally, violation: stage.violation(), trace: stage.trace() }
}

type Running = Pin<Box<dyn Future<Output = Result<Vec<Report>>>>>;

pub(super) struct Run {
    pub(super) stage: Arc<Stage>,
    scene: Arc<Scene>,
    pub(super) hosts: [Host; PROCESSES],
    user: &'static str,
    dice: Dice,
    pub(super) oracle: Oracle,
}

impl Run {
    pub(super) fn new(stage: Arc<Stage>, script: &Script) -> Self {
        let first = Host::default();
        stage.live().one_host = script.one_journal;
        let second = if script.one_journal { first.clone() } else { Host::default() };
        let dice = Dice::new(script.scene.seed ^ 0x7e57_7e57_7e57_7e57);
        let oracle = Oracle::new(stage.clone());
        Self {
            stage,
            scene: Arc::new(script.scene.clone()),
            hosts: [first, second],
            user: script.scene.account(),
            dice,
            oracle,
        }
    }

    pub(super) fn rounds(&mut self, script: &Script) {
        for (n, round) in script.rounds.iter().enumerate() {
            if round.wait >= LONG {
                let shut = lockouts::shut_out(&self.stage);
                self.stage.live().edited |= !shut.is_empty();
                self.stop(shut);
            }
            self.stage.pass(round.wait);
            round.before.iter().for_each(|deed| self.stage.person(deed));
            let happenings = script.happenings.iter().filter(|h| h.round == n).cloned().collect();
            self.stage.arm(n, happenings);
            self.together(&round.tasks);
            if self.stage.violation().is_some() {
                return;
            }
        }
        self.stage.arm(script.rounds.len(), Vec::new());
    }

    /// Several processes at once: whose turn it is, is drawn; where none can go on, time passes.
    fn together(&mut self, tasks: &[Task]) {
        let mut running: Vec<(usize, Op, Running)> = tasks
            .iter()
            .map(|Task { who, later, op }| {
                self.stage.note(|| format!("process {who}: {op:?}"));
                let (host, dice) = (self.hosts[*who].clone(), Dice::new(self.dice.below(u64::MAX)));
                let (stage, scene) = (self.stage.clone(), self.scene.clone());
                let desk = Desk { stage, scene, host, who: *who, user: self.user, dice, later: *later };
                (*who, op.clone(), Box::pin(desk.run(op.clone())) as Running)
            })
            .collect();
        for _ in 0..MOST_TURNS {
            running.retain(|(who, ..)| !self.stage.has_died(*who));
            if running.is_empty() || self.stage.violation().is_some() {
                return;
            }
            let Some(turn) = self.whose_turn(&running) else { continue };
            let (who, _, future) = &mut running[turn];
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if self.stage.has_died(*who) {
                drop(running.swap_remove(turn));
            } else if let Poll::Ready(done) = polled {
                let (who, op, future) = running.swap_remove(turn);
                drop(future);
                self.ended(who, &op, done);
            }
        }
        self.stage.violated(format!("no end after {MOST_TURNS} turns"));
    }

    fn whose_turn(&mut self, running: &[(usize, Op, Running)]) -> Option<usize> {
        let wakes: Vec<Option<Duration>> = running.iter().map(|(who, ..)| self.stage.wakes(*who)).collect();
        let ready: Vec<usize> = (0..wakes.len()).filter(|n| wakes[*n].is_none()).collect();
        if let Some(turn) = self.dice.pick(&ready) {
            return Some(*turn);
        }
        let first = wakes.into_iter().flatten().min()?;
        self.stage.pass(first.saturating_sub(self.stage.mono()));
        None
    }

    fn ended(&mut self, who: usize, op: &Op, done: Result<Vec<Report>>) {
        match done {
            Ok(reports) => reports.into_iter().for_each(|report| {
                self.stage.note(|| format!("process {who}: {}", summary(&report)));
                // What became of its rotation is the other one's to say.
                if self.stage.is_overtaken(who) {
                    self.stage.check(oracle::of_overtaken(&self.stage, who, &report));
                } else {
                    self.oracle.reported(report);
                }
            }),
            Err(error) => {
                self.stage.refused(who, &format!("{op:?}"), &error);
                if !self.stage.is_overtaken(who) {
                    self.oracle.refused(who, op, &error);
                }
            }
        }
    }

    /// No more faults: what is open is taken up until it is over or a person is asked, people do what they are asked
    /// to, and grace ends.
    fn calm(&mut self) {
        self.stage.note(|| "from here on nothing goes wrong".into());
        self.stage.deliver();
        self.stage.pass(Duration::from_secs(900));
        // Whoever is asked again may have looked at what probes cannot tell.
        let accepts = self.dice.percent(50);
        let mut before = Vec::new();
        for again in 0..MOST_RESUMES {
            let hosts = &self.hosts[..1 + usize::from(!Arc::ptr_eq(&self.hosts[0], &self.hosts[1]))];
            let now: Vec<String> = self.oracle.last.values().map(summary).collect();
            let moves = std::mem::replace(&mut before, now) != before;
            if !self.oracle.is_open(hosts.iter().map(lock)) || !(again < 2 || self.oracle.is_in_doubt() || moves) {
                break;
            }
            self.everybody(|dice| Op::Resume { with_value: dice.percent(70), accept: accepts && again > 0 });
        }
        self.stage.check(lockouts::nobody_is_left(&self.stage, self.oracle.last.values()));
        let failed = self.oracle.failed();
        let broken = failed.iter().filter(|service| !truth::healthy(&self.stage, service)).cloned().collect();
        self.stage.live().broken = broken;
        self.stop(failed.into_iter().collect());
        let shut = lockouts::shut_out(&self.stage);
        if !shut.is_empty() {
            // Some of these are removed, and may have been what a rotation waited for.
            self.stop(shut);
            self.everybody(|_| Op::Resume { with_value: true, accept: false });
        }
        if self.oracle.waits_for_a_patch() {
            let stacks = self.stage.swarm.portainer().state().stacks().to_vec();
            for stack in stacks {
                let done = people::patch(&self.stage.swarm, &stack);
                let said = done.map_or_else(|error| error.to_string(), |_| "done".into());
                self.stage.note(|| format!("somebody patches stack {}: {said}", stack.name));
                self.stage.look(&By::Person, None);
            }
            self.stage.pass(Duration::from_secs(120));
            self.everybody(|_| Op::Resume { with_value: true, accept: false });
        }
        // Longer than a grace period by a clock that is wrong.
        self.stage.pass(Duration::from_secs(3 * 86_400));
        self.everybody(
            |dice| if dice.percent(50) { Op::Retire } else { Op::Resume { with_value: false, accept: false } },
        );
        if self.stage.violation().is_some() {
            return;
        }
        self.stage.pass(Duration::from_secs(60));
        // One disk may be both processes'.
        let both = !Arc::ptr_eq(&self.hosts[0], &self.hosts[1]);
        let disks: Vec<_> = self.hosts.iter().take(1 + usize::from(both)).map(lock).collect();
        self.oracle.read(&disks);
        drop(disks);
        self.oracle.judge();
    }

    /// Nobody lets a service fail for hours.
    fn stop(&self, services: Vec<String>) {
        for service in services {
            let done = people::stop(&self.stage.swarm, &service);
            let said = done.map_or_else(|error| error.to_string(), |_| "done".into());
            self.stage.note(|| format!("somebody stops service {service}: {said}"));
            self.stage.look(&By::Person, None);
        }
    }

    fn everybody(&mut self, op: impl Fn(&mut Dice) -> Op) {
        for who in 0..PROCESSES {
            let its_own = who == 0 || !Arc::ptr_eq(&self.hosts[0], &self.hosts[1]);
            let has_open = lock(&self.hosts[who]).has_open() || who == 0 && self.oracle.has_lost();
            if its_own && has_open && self.stage.violation().is_none() {
                self.stage.arm(usize::MAX, Vec::new());
                let op = op(&mut self.dice);
                self.together(&[Task { who, later: Duration::ZERO, op }]);
            }
        }
    }
}

fn summary(report: &Report) -> String {
    let consumers: Vec<String> = report.consumers.iter().map(|c| format!("{} {}", c.service, c.outcome)).collect();
    let id = report.rotation.as_ref().map_or("-", |id| id.as_str());
    let first = report.warnings.first().filter(|_| report.outcome != Outcome::Applied).map_or("", String::as_str);
    format!("{id} {} [{}] {first}", report.outcome, consumers.join(", "))
}
