//! Rotations whose services are asked by probes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::audit::Phase;
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::executor::{Executor, Parts, Probes, Silent, Supply, Values};
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, LogProbe, Target};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, Journal, JournalStore, Lease, MemoryJournal};
use swarmsecrets_core::plan::{Plan, Probed, RotationRequest, Timing, ValueRecipe, plan_rotation};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, ENVIRONMENT, NEW};

const TRIES: Duration = Duration::from_secs(5);

/// Says what it is told to, one answer after the other, and then that all is well.
#[derive(Default)]
pub(super) struct Fake {
    says: Mutex<VecDeque<Health>>,
    /// The versions that the services were on: for the baselines, and for the health.
    saw: Mutex<(Vec<String>, Vec<String>)>,
    /// Whether it refuses to take a baseline.
    broken: bool,
    /// What it runs in the container.
    command: Vec<String>,
}

impl Fake {
    pub(super) fn saying(health: impl IntoIterator<Item = Health>) -> Self {
        Self { says: Mutex::new(health.into_iter().collect()), ..Self::default() }
    }

    pub(super) fn broken() -> Self {
        Self { broken: true, ..Self::default() }
    }

    fn running(command: &[&str]) -> Self {
        Self { command: command.iter().map(|word| (*word).to_owned()).collect(), ..Self::default() }
    }

    /// How many baselines were taken, and how many times the health was asked for.
    fn asked(&self) -> (usize, usize) {
        let saw = self.saw.lock().unwrap();
        (saw.0.len(), saw.1.len())
    }

    async fn run(&self, target: &Target, exec: &dyn Exec) -> Result<()> {
        for task in target.tasks.iter().filter(|_| !self.command.is_empty()) {
            let code = exec.run(&task.id, &self.command, TRIES).await?;
            if code != 0 {
                return Err(Error::new(ErrorKind::Refused, format!("the command ends with {code}")));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl HealthProbe for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    async fn baseline(&self, target: &Target, exec: &dyn Exec) -> Result<Baseline> {
        if self.broken {
            return Err(Error::new(ErrorKind::Refused, "it does not answer even now"));
        }
        self.run(target, exec).await?;
        self.saw.lock().unwrap().0.push(target.versions[0].to_string());
        Baseline::of(&target.versions[0])
    }

    async fn check(&self, target: &Target, baseline: &Baseline, exec: &dyn Exec) -> Health {
        self.saw.lock().unwrap().1.push(target.versions[0].to_string());
        assert_eq!(baseline.read::<String>().unwrap(), "db", "the baseline is of the version before");
        match self.run(target, exec).await {
            Ok(()) => self.says.lock().unwrap().pop_front().unwrap_or(Health::Healthy),
            Err(error) => Health::inconclusive(error.to_string()),
        }
    }
}

/// Two services with one probe for both.
pub(super) struct Play {
    pub(super) desk: Desk,
    pub(super) fake: Arc<Fake>,
}

impl Play {
    pub(super) fn new(fake: Fake) -> Self {
        let service = |name: &str| ServiceBuilder::new(name, "local/app:1").secret("db").label("tier", "web");
        let desk = Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), Program::runs())]);
        Self { desk, fake: Arc::new(fake) }
    }

    pub(super) fn probes(&self) -> Probes<'static> {
        Probes::none().and(Probed::Labelled("tier".into(), "web".into()), self.fake.clone())
    }

    pub(super) async fn plan(&self, probes: &Probes<'_>) -> Result<Plan> {
        let request = RotationRequest {
            timing: Timing { grace: Duration::ZERO, ..Timing::default() },
            probes: probes.requested(),
            ..RotationRequest::new("db", ValueRecipe::Supplied)
        };
        plan_rotation(&self.desk.inventory().await, &request)
    }

    pub(super) async fn apply(&self, plan: &Plan, probes: Probes<'_>) -> Result<Report> {
        let mut random = Counting(5);
        let mut supply = Supply { values: value(), random: &mut random };
        self.desk.executor(&self.desk.swarm.clock()).with_probes(probes).apply(plan, &mut supply).await
    }

    pub(super) async fn rotate(&self) -> Report {
        let plan = self.plan(&self.probes()).await.unwrap();
        self.apply(&plan, self.probes()).await.unwrap()
    }

    pub(super) async fn resume(&self, id: &RotationId, probes: Probes<'_>) -> Result<Report> {
        let mut random = Counting(9);
        let mut supply = Supply { values: value(), random: &mut random };
        self.desk.executor(&self.desk.swarm.clock()).with_probes(probes).resume(id, &mut supply).await
    }

    fn all_on(&self, name: &str) -> bool {
        ["s0", "s1"].iter().all(|service| self.desk.mounts(service) == [name])
    }
}

fn value() -> Values {
    Values::one(SecretValue::new(NEW.to_vec()).unwrap())
}

pub(super) fn unsure(times: usize) -> impl Iterator<Item = Health> {
    std::iter::repeat_n(Health::inconclusive("it cannot be told"), times)
}

#[tokio::test]
async fn each_service_is_asked_before_and_after() {
    let play = Play::new(Fake::default());
    let plan = play.plan(&play.probes()).await.unwrap();
    assert!(plan.diff().to_string().contains("db -> db_v2 at db, then asked by fake"), "{}", plan.diff());
    assert!(plan.steps.iter().any(|s| s.text.ends_with("judge its rollout, and ask fake")), "{:?}", plan.steps);
    let report = play.apply(&plan, play.probes()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let saw = play.fake.saw.lock().unwrap();
    assert_eq!(
        (saw.0.as_slice(), saw.1.as_slice()),
        (&["db"; 2].map(String::from)[..], &["db_v2"; 2].map(String::from)[..])
    );
}

#[tokio::test]
async fn an_unhealthy_service_takes_everything_back() {
    let bad = Health::unhealthy("HTTP 503\u{1b}[31m\nnow");
    let play = Play::new(Fake::saying([Health::Healthy, bad]));
    let report = play.rotate().await;
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(play.all_on("db") && !play.desk.has_secret("db_v2"));
    assert_eq!(report.warnings[0], "`s1` does not work with the new version: HTTP 503 [31m now");
    assert_eq!(play.fake.asked(), (2, 2), "nobody is asked on the way back");
}

#[tokio::test]
async fn what_cannot_be_told_waits_for_a_person_who_asks_again_or_takes_it() {
    for accept in [false, true] {
        let play = Play::new(Fake::saying(unsure(if accept { 9 } else { 3 })));
        let report = play.rotate().await;
        assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
        assert_eq!(
            (report.consumers[0].outcome.as_str(), report.consumers[1].outcome.as_str()),
            ("inconclusive", "not_started")
        );
        assert!(report.warnings[0].contains("it cannot be told"), "{:?}", report.warnings);
        assert!(play.desk.has_secret("db") && play.desk.mounts("s0") == ["db_v2"] && play.desk.mounts("s1") == ["db"]);
        let id = report.rotation.unwrap();

        let error = play.resume(&id, Probes::none()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("`s0` is to be asked by the probe `fake`"), "{error}");
        let report = match accept {
            false => play.resume(&id, play.probes()).await.unwrap(),
            true => {
                let (mut random, clock) = (Counting(9), play.desk.swarm.clock());
                let mut supply = Supply { values: Values::none(), random: &mut random };
                let executor = play.desk.executor(&clock).with_probes(play.probes()).accepting_inconclusive();
                executor.resume(&id, &mut supply).await.unwrap()
            }
        };
        assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
        assert!(play.all_on("db_v2"));
        assert_eq!(play.fake.asked().0, 2, "the baselines are those from before");
    }
}

#[tokio::test]
async fn what_cannot_be_told_can_be_undone_without_its_probes() {
    let play = Play::new(Fake::saying(unsure(3)));
    let id = play.rotate().await.rotation.unwrap();
    let report = play.desk.executor(&play.desk.swarm.clock()).rollback(&id, "it is not worth it").await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(play.all_on("db") && !play.desk.has_secret("db_v2"));
}

#[tokio::test]
async fn a_probe_that_does_not_work_before_refuses_the_rotation() {
    let play = Play::new(Fake::broken());
    let report = play.rotate().await;
    assert_eq!(report.outcome, Outcome::NotStarted, "{report:?}");
    let said = "`s0` cannot be asked how it is before it is touched: it does not answer even now";
    assert_eq!(report.warnings[0], said);
    assert!(play.desk.intents().is_empty() && !play.desk.has_secret("db_v2"));
}

#[tokio::test]
async fn a_service_without_tasks_is_not_asked() {
    let idle = ServiceBuilder::new("s0", "local/app:1").secret("db").replicas(0);
    let desk = Desk::with(vec![(idle, Program::runs())]);
    let play = Play { desk, fake: Arc::default() };
    let probes = || Probes::none().and(Probed::Named("s0".into()), play.fake.clone());
    let plan = play.plan(&probes()).await.unwrap();
    let report = play.apply(&plan, probes()).await.unwrap();
    assert_eq!((report.outcome, play.fake.asked()), (Outcome::Applied, (0, 0)), "{report:?}");
}

#[tokio::test]
async fn probes_that_are_not_there_and_services_that_are_not_are_said() {
    let play = Play::new(Fake::default());
    let plan = play.plan(&play.probes()).await.unwrap();
    let other = Probes::none().and(Probed::Named("s0".into()), play.fake.clone());
    for probes in [Probes::none(), other] {
        let error = play.apply(&plan, probes).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.message().contains("(--probes)"), "{error}");
    }
    let refused = async |probes: Probes<'static>| play.plan(&probes).await.unwrap_err().message().to_owned();
    let nobody = Probes::none().and(Probed::Named("s9".into()), play.fake.clone());
    assert!(refused(nobody).await.contains("`fake` is to be asked about service `s9`"));
    let twice = play.probes().and(Probed::Named("s1".into()), play.fake.clone());
    assert!(refused(twice).await.contains("`s1` has two probes that are called `fake`"));
    assert!(play.desk.intents().is_empty());
}

#[tokio::test]
async fn commands_take_leave_and_stand_in_the_audit_trail() {
    let play = Play::new(Fake::running(&["cat", "/run/secrets/db"]));
    let report = play.rotate().await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let intents = play.desk.intents();
    let commands =
        |word: &str| intents.iter().filter(|i| i.starts_with(word) && i.contains("the command `cat`")).count();
    assert_eq!((commands("prepare"), commands("start")), (4, 4), "{intents:?}");
    assert!(intents.iter().position(|i| i.starts_with("create secret")).unwrap() == 4, "{intents:?}");
    let records = play.desk.trail.records.lock().unwrap();
    let outcomes = records.iter().filter(|r| r.phase == Phase::Outcome && r.action.contains("the command"));
    assert!(outcomes.clone().count() == 8 && outcomes.clone().all(|r| r.outcome.as_deref() == Some("done")));
}

/// The audit trail is full at each intent, those of the commands too: nothing more is sent, and the rotation goes on later.
#[tokio::test]
async fn a_full_audit_trail_stops_a_command_as_it_stops_anything() {
    for intents in 0..12 {
        let play = Play::new(Fake::running(&["cat", "/run/secrets/db"]));
        play.desk.trail.stop_after(intents);
        let report = play.rotate().await;
        assert_eq!(report.outcome, Outcome::NeedsHuman, "{intents}: {report:?}");
        assert!(report.warnings[0].contains("no space left"), "{intents}: {:?}", report.warnings);
        assert_eq!(play.desk.intents().len(), intents);
        play.desk.trail.go_on();
        let report = play.resume(&report.rotation.unwrap(), play.probes()).await.unwrap();
        assert_eq!(report.outcome, Outcome::Applied, "{intents}: {report:?}");
        assert!(play.all_on("db_v2") && play.fake.asked().0 == 2);
    }
}

/// Each service has its log, and one says that it was refused.
#[tokio::test]
async fn a_refused_password_in_a_log_takes_everything_back() {
    let service = |name: &str| ServiceBuilder::new(name, "local/app:1").secret("db");
    let refused = Program::runs().says("psql: FATAL: password authentication failed for user \"app\"");
    let desk = Desk::with(vec![(service("s0"), Program::runs().says("ready")), (service("s1"), Program::runs())]);
    desk.swarm.engine().program("s1", refused);
    let play = Play { desk, fake: Arc::default() };
    let clock = play.desk.swarm.clock();
    let logs = Arc::new(LogProbe::new(&play.desk.client, ENVIRONMENT, &clock).unwrap());
    let named = |name: &str| Probed::Named(name.to_owned());
    let probes = Probes::none().and(named("s0"), logs.clone()).and(named("s1"), logs);
    let plan = play.plan(&probes).await.unwrap();
    let report = play.apply(&plan, probes).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(report.warnings[0].contains("as PostgreSQL says"), "{:?}", report.warnings);
    assert!(play.all_on("db"));
}

/// A journal that takes so many entries and no more, as if the process had died then.
struct Dying<'a>(&'a MemoryJournal, u64);

#[async_trait]
impl JournalStore for Dying<'_> {
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        match entry.n < self.1 {
            true => self.0.append(rotation, entry).await,
            false => Err(Error::new(ErrorKind::Journal, "the process has died")),
        }
    }
    async fn load(&self, rotation: &RotationId) -> Result<Journal> {
        self.0.load(rotation).await
    }
    async fn list(&self) -> Result<Vec<RotationId>> {
        self.0.list().await
    }
    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>> {
        self.0.lock(rotation).await
    }
}

#[tokio::test]
async fn a_crash_after_any_entry_comes_to_the_same_end() {
    for bad in [false, true] {
        for entries in 1..32 {
            let play = Play::new(Fake::default());
            let plan = play.plan(&play.probes()).await.unwrap();
            if bad {
                play.fake.says.lock().unwrap().extend(std::iter::repeat_n(Health::unhealthy("HTTP 503"), 9));
            }
            let (clock, journal) = (play.desk.swarm.clock(), Dying(&play.desk.journal, entries));
            let executor = Executor::new(Parts {
                transport: &play.desk.client,
                environment: ENVIRONMENT,
                clock: &clock,
                journal: &journal,
                audit: play.desk.trail.as_ref(),
                observer: &Silent,
                cancellation: play.desk.cancellation.clone(),
                agent: None,
                reason: None,
                word: play.desk.word,
            });
            let mut random = Counting(5);
            let mut supply = Supply { values: value(), random: &mut random };
            let report = executor.with_probes(play.probes()).apply(&plan, &mut supply).await.unwrap();
            let id = report.rotation.clone().unwrap();
            let died = report.warnings.iter().any(|w| w.contains("the process has died"));
            let report = if died { play.resume(&id, play.probes()).await.unwrap() } else { report };
            let (expected, name) = if bad { (Outcome::RolledBack, "db") } else { (Outcome::Applied, "db_v2") };
            assert_eq!(report.outcome, expected, "after {entries}: {report:?}");
            assert!(play.all_on(name), "after {entries}");
            assert!((2..=3).contains(&play.fake.asked().0), "a baseline whose entry was lost is taken again");
        }
    }
}
