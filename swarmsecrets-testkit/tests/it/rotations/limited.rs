//! Rotations under limits: how often they begin, and how many are in hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZoneDatabase;
use swarmsecrets_core::audit::Phase;
use swarmsecrets_core::executor::{Supply, Values};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::{RotationRequest, ValueRecipe, plan_rotation};
use swarmsecrets_core::policy::{Beginning, Counters, Equipment, Guard, Held, MemoryCounters, Policy};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, NEW};

const DAY: Duration = Duration::from_secs(86_400);

/// Two secrets, each with a service of its own.
fn desk() -> Desk {
    let service = |name: &str, secret: &str| {
        ServiceBuilder::new(name, "local/app:1").replicas(2).secret(secret).restart_delay(Duration::from_secs(1))
    };
    let services = vec![(service("s0", "db"), Program::runs()), (service("s1", "key"), Program::runs())];
    Desk::with_secrets(&["db", "key"], services)
}

fn guards(limit: &str, counters: Arc<dyn Counters>) -> [Guard; 1] {
    let text =
        format!("schema = 1\nphase = 'automated'\nstate = '/s'\n[[limits]]\nname = 'l'\nreason = 'slowly'\n{limit}");
    let policy = Policy::parse(&text, &TimeZoneDatabase::bundled()).unwrap();
    [Guard::equipped("p", policy, Equipment { counters: Some(counters), ..Equipment::default() }).unwrap()]
}

async fn rotate(desk: &Desk, secret: &str, n: u8, guards: &[Guard]) -> Result<Report> {
    let plan = desk.plan(secret, DAY).await?;
    let mut supply = Supply { values: Values::one(SecretValue::new(NEW.to_vec())?), random: &mut Counting(n) };
    desk.executor(&desk.swarm.clock()).guarded(guards).apply(&plan, &mut supply).await
}

#[tokio::test]
async fn what_is_over_the_rate_is_not_begun_and_is_told_and_time_makes_room() {
    let (desk, guards) = (desk(), guards("at_most = 2\nper = '7d'", Arc::<MemoryCounters>::default()));
    for (n, secret) in ["db", "key"].into_iter().enumerate() {
        let report = rotate(&desk, secret, u8::try_from(n).unwrap(), &guards).await.unwrap();
        assert_eq!(report.outcome, Outcome::Applied);
    }
    let sent = desk.intents().len();
    let error = rotate(&desk, "db", 5, &guards).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("slowly (limit `l`): at most 2 may be begun in 7d, and 2 were"), "{error}");
    assert_eq!(desk.intents().len(), sent, "nothing was sent");
    assert!(!desk.has_secret("db_v3"));
    {
        let records = desk.trail.records.lock().unwrap();
        let last = records.last().unwrap();
        assert!(
            last.phase == Phase::Outcome && last.outcome.as_ref().unwrap().starts_with("refused: denied"),
            "{last:?}"
        );
    }
    desk.swarm.engine().run_for(7 * DAY);
    assert_eq!(rotate(&desk, "db", 6, &guards).await.unwrap().outcome, Outcome::Applied);
}

#[tokio::test]
async fn a_plan_for_two_secrets_counts_two() {
    let desk = desk();
    let request = RotationRequest::of(["db", "key"].map(|secret| (secret.to_owned(), ValueRecipe::Supplied)));
    let plan = plan_rotation(&desk.inventory().await, &request).unwrap();
    for (at_most, begins) in [(1, false), (2, true)] {
        let guards = guards(&format!("at_most = {at_most}\nper = '1h'"), Arc::<MemoryCounters>::default());
        let value = |secret: &str| (secret.to_owned(), SecretValue::new(NEW.to_vec()).unwrap());
        let values = Values::named(["db", "key"].map(value));
        let mut supply = Supply { values, random: &mut Counting(4) };
        let done = desk.executor(&desk.swarm.clock()).guarded(&guards).apply(&plan, &mut supply).await;
        assert_eq!(done.is_ok(), begins, "{done:?}");
    }
}

#[tokio::test]
async fn one_that_broke_off_is_in_hand_and_going_on_or_back_is_never_held_up() {
    for back in [false, true] {
        let (desk, counters) = (desk(), Arc::<MemoryCounters>::default());
        let guards = guards("at_most = 1\nper = '1h'\nat_once = 1\nfor_each = 'environment'", counters);
        desk.trail.stop_after(1);
        let id = rotate(&desk, "db", 5, &guards).await.unwrap().rotation.unwrap();
        desk.trail.go_on();
        desk.swarm.engine().run_for(Duration::from_secs(3600));
        let error = rotate(&desk, "key", 6, &guards).await.unwrap_err();
        assert!(error.to_string().contains("at most 1 may be in hand at once for `environment 1 of swarm"), "{error}");
        assert!(error.to_string().contains(&format!("and 1 are: `{id}`")), "{error}");
        let clock = desk.swarm.clock();
        let executor = desk.executor(&clock).guarded(&guards);
        let report = if back {
            executor.rollback(&id, "a test").await.unwrap()
        } else {
            let values = Values::one(SecretValue::new(NEW.to_vec()).unwrap());
            executor.resume(&id, &mut Supply { values, random: &mut Counting(9) }).await.unwrap()
        };
        assert!(matches!(report.outcome, Outcome::Applied | Outcome::RolledBack), "{report:?}");
        let report = rotate(&desk, "key", 7, &guards).await.unwrap();
        assert_eq!(report.outcome, Outcome::Applied, "it is in its grace, or at its end");
    }
}

#[tokio::test]
async fn whoever_plans_and_whoever_carries_out_are_both_counted() {
    let (desk, guards) =
        (desk(), guards("at_most = 1\nper = '1h'\nfor_each = 'agent'", Arc::<MemoryCounters>::default()));
    let by = async |secret: &str, agent: Option<&str>| {
        let request =
            RotationRequest { agent: agent.map(str::to_owned), ..RotationRequest::new(secret, ValueRecipe::Supplied) };
        plan_rotation(&desk.inventory().await, &request).unwrap()
    };
    let apply = async |plan: swarmsecrets_core::plan::Plan, n| {
        let values = Values::one(SecretValue::new(NEW.to_vec()).unwrap());
        let mut supply = Supply { values, random: &mut Counting(n) };
        desk.executor(&desk.swarm.clock()).guarded(&guards).apply(&plan, &mut supply).await
    };
    apply(by("db", Some("agent-8")).await, 1).await.unwrap();
    let error = apply(by("key", None).await, 2).await.unwrap_err();
    assert!(error.to_string().contains("`agent agent-7`"), "it carries the plan out: {error}");
}

/// A memory that fails at one of its works.
#[derive(Default)]
struct Broken {
    begins: AtomicBool,
    keeps: AtomicBool,
    ends: AtomicBool,
}

struct BrokenPlace(bool);

fn made_up(fails: bool) -> Result<()> {
    if fails { Err(Error::new(ErrorKind::Io, "made up: no space left on device")) } else { Ok(()) }
}

#[async_trait]
impl Counters for Broken {
    async fn begin(&self, _: Beginning) -> Result<Box<dyn Held>> {
        made_up(self.begins.load(Ordering::SeqCst))?;
        Ok(Box::new(BrokenPlace(self.keeps.load(Ordering::SeqCst))))
    }

    async fn end(&self, _: &RotationId, _: bool) -> Result<()> {
        made_up(self.ends.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Held for BrokenPlace {
    async fn keep(self: Box<Self>) -> Result<()> {
        made_up(self.0)
    }
}

#[tokio::test]
async fn what_cannot_be_counted_is_not_done() {
    let (desk, broken) = (desk(), Arc::<Broken>::default());
    let guards = guards("at_once = 1", broken.clone());
    broken.begins.store(true, Ordering::SeqCst);
    let error = rotate(&desk, "db", 5, &guards).await.unwrap_err();
    assert!(error.to_string().contains("no space left on device"), "{error}");
    assert!(desk.intents().is_empty());
    broken.begins.store(false, Ordering::SeqCst);
    broken.keeps.store(true, Ordering::SeqCst);
    let report = rotate(&desk, "db", 6, &guards).await.unwrap();
    assert!(report.outcome == Outcome::NeedsHuman && report.warnings[0].contains("no space left"), "{report:?}");
    assert!(desk.intents().is_empty(), "nothing was sent");
    broken.ends.store(true, Ordering::SeqCst);
    let values = Values::one(SecretValue::new(NEW.to_vec()).unwrap());
    let mut supply = Supply { values, random: &mut Counting(9) };
    let clock = desk.swarm.clock();
    let executor = desk.executor(&clock).guarded(&guards);
    let report = executor.resume(&report.rotation.unwrap(), &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied);
    let warned = |text: &String| text.starts_with("limits still count the rotation as in hand: made up");
    assert!(report.warnings.iter().any(warned), "{:?}", report.warnings);
}
