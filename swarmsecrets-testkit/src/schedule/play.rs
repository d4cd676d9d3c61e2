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

struct Run {
    stage: Arc<Stage>,
    scene: Arc<Scene>,
    hosts: [Host; PROCESSES],
    user: &'static str,
    dice: Dice,
    oracle: Oracle,
}

impl Run {
    fn new(stage: Arc<Stage>, script: &Script) -> Self {
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

    fn rounds(&mut self, script: &Script) {
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

#[cfg(test)]
mod tests {
    use swarmsecrets_core::rotation::{Progress, Stage as Step};

    use super::*;
    use crate::portainer::PortainerRequest;
    use crate::schedule::begun::{Begun, Pair};
    use crate::schedule::manner::Said;
    use crate::schedule::providers;
    use crate::schedule::rules::only_references;

    /// A rotation in which nothing goes wrong: the first seed that has one, what was run, and the report.
    fn applied(from: u64) -> (u64, Run, Report) {
        applied_if(from, |_, _| true)
    }

    /// The same of a rotation that is as wanted.
    fn applied_if(from: u64, wanted: impl Fn(&Begun, &Report) -> bool) -> (u64, Run, Report) {
        for seed in from.. {
            let mut script = Script::of(seed);
            script.happenings.clear();
            script.rounds.truncate(1);
            script.rounds[0].before.clear();
            let stage = Arc::new(Stage::of(&script.scene, false).unwrap());
            let mut run = Run::new(stage, &script);
            run.rounds(&script);
            let report = run.oracle.last.values().next().cloned();
            let good = |report: &Report| report.outcome == Outcome::Applied && !report.consumers.is_empty();
            let Some(report) = report.filter(good) else { continue };
            let fits = {
                let live = run.stage.live();
                let begun = report.rotation.as_ref().and_then(|id| live.begun.get(id));
                begun.is_some_and(|begun| wanted(begun, &report))
            };
            if fits {
                return (seed, run, report);
            }
        }
        unreachable!("the seeds do not end")
    }

    #[test]
    fn a_report_that_is_not_true_is_found() {
        type Lie = fn(&mut Report);
        let lies: [(&str, Lie); 6] = [
            ("", |_| ()),
            ("still there", |report| report.outcome = Outcome::RolledBack),
            ("a version of it, is there", |report| report.outcome = Outcome::NotStarted),
            ("it is not on the old version", |report| report.consumers[0].outcome = "rolled_back".into()),
            ("it was updated", |report| report.consumers[0].outcome = "not_started".into()),
            ("not the one that it made", |report| report.secrets[0].current = report.secrets[0].previous.clone()),
        ];
        let (seed, ..) = applied(0);
        for (found, lie) in lies {
            let (_, mut run, mut report) = applied(seed);
            lie(&mut report);
            if report.outcome != Outcome::Applied {
                report.consumers.clear();
            }
            run.oracle.reported(report);
            let violation = run.stage.violation().unwrap_or_default();
            assert!(violation.contains(found) && violation.is_empty() == found.is_empty(), "{found}: {violation}");
        }
    }

    #[test]
    fn an_update_that_changes_more_or_less_than_its_references_is_found() {
        let (_, run, report) = applied(0);
        let live = run.stage.live();
        let service = report.consumers[0].id.as_str();
        let begun = &live.begun[report.rotation.as_ref().unwrap()];
        let sent = run.stage.swarm.engine().world().services[service].current.spec.to_string();
        let back = |text: String, (_, pair): &(&str, Pair<'_>)| {
            let text = text.replace(pair.new.unwrap(), pair.old_id());
            text.replace(&format!("\"{}\"", pair.new_name), &format!("\"{}\"", pair.old.unwrap().name))
        };
        let served = begun.mounts(service).iter().fold(sent.clone(), back);
        let judged = |sent: &str| only_references(begun, service, &served, sent);
        assert_eq!(judged(&sent), Ok(()));
        assert!(judged(&served).unwrap_err().contains("some of the references"));
        assert!(judged(&sent.replace("local/app:1", "local/app:2")).unwrap_err().contains("more of the spec"));
    }

    #[test]
    fn what_we_put_back_in_part_is_found() {
        let two = |begun: &Begun, report: &Report| begun.mounts(report.consumers[0].id.as_str()).len() > 1;
        let (_, run, report) = applied_if(0, two);
        let live = run.stage.live();
        let service = report.consumers[0].id.as_str();
        let begun = &live.begun[report.rotation.as_ref().unwrap()];
        let served = run.stage.swarm.engine().world().services[service].current.spec.to_string();
        let back = |only: Option<&str>| {
            let mut spec: serde_json::Value = serde_json::from_str(&served).unwrap();
            for reference in spec["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap() {
                let target = reference["File"]["Name"].as_str().unwrap().to_owned();
                let mounts = begun.mounts(service);
                let Some((_, pair)) = mounts.into_iter().find(|(at, _)| *at == target) else { continue };
                if only.is_none_or(|only| only == target) {
                    reference["SecretID"] = pair.old_id().into();
                    reference["SecretName"] = pair.old.unwrap().name.as_str().into();
                }
            }
            spec.to_string()
        };
        assert_eq!(only_references(begun, service, &served, &back(None)), Ok(()));
        for (target, _) in begun.mounts(service) {
            let why = only_references(begun, service, &served, &back(Some(target))).unwrap_err();
            assert!(why.contains("some of the references"), "{target}: {why}");
        }
    }

    #[test]
    fn a_service_that_is_called_good_against_its_probe_is_found() {
        let probed = |begun: &Begun, report: &Report| {
            begun.plan.consumers[0].id == report.consumers[0].id && !begun.plan.consumers[0].probes.is_empty()
        };
        let (seed, run, report) = applied_if(0, probed);
        drop(run);
        for said in [Said::Healthy, Said::Unhealthy] {
            let (_, mut run, _) = applied_if(seed, probed);
            let (id, service) = (report.rotation.as_ref().unwrap(), report.consumers[0].id.as_str());
            run.stage.live().looks.add(id, service, (0, Some(said)));
            run.oracle.reported(report.clone());
            let violation = run.stage.violation().unwrap_or_default();
            assert_eq!(violation.contains("its probe has said last"), said == Said::Unhealthy, "{violation}");
        }
    }

    /// A rotation of several services in which commands in the first one changed the password, applied.
    fn provided() -> (Run, Report) {
        let wanted = |begun: &Begun, _: &Report| {
            providers::besides(begun).count() == 1 && begun.plan.consumers.len() > 1 && begun.plan.secrets.len() == 1
        };
        let (_, run, report) = applied_if(0, wanted);
        (run, report)
    }

    #[test]
    fn what_a_provider_has_beside_is_looked_at() {
        let (mut run, report) = provided();
        let stage = run.stage.clone();
        let id = report.rotation.clone().unwrap();
        let (service, both, done, version) = {
            let live = stage.live();
            let begun = &live.begun[&id];
            let one = providers::besides(begun).next().unwrap();
            let world = stage.swarm.engine().world();
            let service = &world.services[one.service];
            let done = service.current.spec.clone();
            let mut both = done.clone();
            let all = both["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap();
            let mut old = all.iter().find(|r| r["File"]["Name"] == one.target).unwrap().clone();
            old["File"]["Name"] = one.beside.clone().into();
            old["SecretID"] = one.pair.old_id().into();
            old["SecretName"] = one.pair.old.unwrap().name.as_str().into();
            all.push(old.clone());
            let judged = |service: &str, from: &serde_json::Value, to: &serde_json::Value| {
                only_references(begun, service, &from.to_string(), &to.to_string())
            };
            assert_eq!(judged(one.service, &both, &done), Ok(()));
            assert_eq!(judged(one.service, &done, &both), Ok(()));
            // With another mode, and in a service of the plan that is no provider.
            let mut other = both.clone();
            let list = other["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap();
            list.last_mut().unwrap()["File"]["Mode"] = 0o777.into();
            assert!(judged(one.service, &done, &other).unwrap_err().contains("it changes what stands at"));
            let mut consumers = begun.plan.consumers.iter().map(|consumer| consumer.id.as_str());
            let other = consumers.find(|id| *id != one.service).unwrap();
            assert!(judged(other, &done, &both).unwrap_err().contains("more of the spec"));
            // No command may run any more.
            let number = crate::schedule::scene::SECRETS.iter().position(|name| *name == begun.plan.secrets[0].secret);
            let why = providers::ready(&live, 0, &id, number.unwrap()).unwrap_err();
            assert!(why.contains("without both versions"), "{why}");
            assert!(providers::is_beside(&live, one.service, &one.beside, one.pair.old_id()));
            assert!(!providers::is_beside(&live, other, &one.beside, one.pair.old_id()));
            assert!(!providers::is_beside(&live, one.service, one.target, one.pair.old_id()));
            (one.service.to_owned(), both, done, service.version)
        };
        assert_ne!(both, done);
        let path = format!("/api/endpoints/1/docker/services/{service}/update");
        let update = PortainerRequest::new("POST", &path).param("version", &version.to_string()).json(&both);
        // A grace of no time may have ended the old version.
        if stage.swarm.ask("admin", update).is_ok() {
            stage.look(&By::Rotation(id.to_string()), None);
            run.oracle.reported(report);
            let violation = stage.violation().unwrap_or_default();
            assert!(violation.contains("the old version is left at"), "{violation}");
        }
    }

    #[test]
    fn a_provider_that_is_updated_without_need_is_found() {
        let (run, report) = provided();
        let mut state = lock(&run.hosts[0]).state(report.rotation.as_ref().unwrap()).unwrap();
        let good = Progress::Converged(None);
        for (stage, progress, lacks, may) in [
            (Step::Credential, &Progress::Begun, true, true),
            (Step::Credential, &good, false, false),
            (Step::Credential, &good, true, true),
            (Step::Update, &Progress::Begun, true, false),
            (Step::Close, &Progress::Begun, false, true),
            (Step::Close, &good, false, false),
            (Step::Close, &good, true, true),
            (Step::Undo, &good, true, true),
            (Step::Undo, &Progress::Begun, false, false),
        ] {
            state.stage = stage;
            assert_eq!(providers::in_turn(&state, progress, lacks).is_ok(), may, "{stage:?} {progress:?} {lacks}");
        }
        let providers = state.plan.consumers.iter().filter(|planned| providers::provides(&state, planned));
        assert_eq!(providers.count(), 1);
        // All passwords are ended: no provider goes back any more.
        assert!(!state.plan.consumers.iter().any(|planned| providers::goes_back(&state, planned.id.as_str())));
    }

    #[test]
    fn a_seed_gives_the_same_trace_each_time() {
        let mut lines = 0;
        for seed in 0..5 {
            let script = Script::of(seed);
            let (one, two) = (play(&script, true), play(&script, true));
            assert_eq!(one.trace, two.trace);
            assert_eq!(one.tally, two.tally);
            lines += one.trace.len();
        }
        assert!(lines > 100, "{lines}");
    }
}
