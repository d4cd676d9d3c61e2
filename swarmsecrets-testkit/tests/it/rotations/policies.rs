//! Rotations under a policy: what it forbids, its hours, and its kill switch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZoneDatabase;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::executor::{Executor, Parts, Supply, Values};
use swarmsecrets_core::policy::{Decision, Guard, KillSwitch, Policy};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, NEW};

const DAY: Duration = Duration::from_secs(86_400);

fn policy(text: &str) -> Policy {
    Policy::parse(&format!("schema = 1\nphase = 'automated'\n{text}"), &TimeZoneDatabase::bundled()).unwrap()
}

fn guard(text: &str) -> Guard {
    Guard::new("policy.toml", policy(text)).unwrap()
}

/// Two services, the second behind the first.
fn desk() -> Desk {
    let service = |name: &str| {
        ServiceBuilder::new(name, "local/app:1").replicas(2).secret("db").restart_delay(Duration::from_secs(1))
    };
    Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), Program::runs())])
}

async fn rotate(desk: &Desk, guards: &[Guard]) -> Result<Report> {
    let plan = desk.plan("db", DAY).await?;
    let mut supply = Supply { values: Values::one(SecretValue::new(NEW.to_vec())?), random: &mut Counting(5) };
    desk.executor(&desk.swarm.clock()).guarded(guards).apply(&plan, &mut supply).await
}

#[tokio::test]
async fn what_a_policy_forbids_is_not_begun_whatever_the_plan_says() {
    let desk = desk();
    let deny = "[[rules]]\nname = 'no-agents'\neffect = 'deny'\nreason = 'payments are for people'\nselect = { labels = { team = 'payments' } }";
    let error = rotate(&desk, &[guard(""), guard(deny)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("payments are for people (rule `no-agents`)"), "{error}");
    let assisted = Policy::parse("schema = 1\nphase = 'assisted'", &TimeZoneDatabase::bundled()).unwrap();
    let error = rotate(&desk, &[Guard::new("p", assisted).unwrap()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsApproval);
    let grace = "[[grace]]\nmax = '1h'";
    let error = rotate(&desk, &[guard(grace)]).await.unwrap_err();
    assert!(error.to_string().contains("is longer than 1h, the most"), "{error}");
    let value = "[[values]]\nmin_length = 4000";
    let error = rotate(&desk, &[guard(value)]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("fewer than 4000"), "{error}");
    assert!(!desk.has_secret("db_v2"), "nothing was sent");
    assert!(desk.intents().is_empty());
}

/// The plan was made by a person, and an agent carries it out.
#[tokio::test]
async fn an_agent_that_carries_out_the_plan_of_a_person_is_judged_as_that_agent() {
    let desk = desk();
    let deny = "[[rules]]\nname = 'r'\neffect = 'deny'\nreason = 'not by agents'\nselect = { agents = ['agent-7'] }";
    let plan = desk.plan("db", DAY).await.unwrap();
    assert_eq!(plan.agent, None);
    let judged = plan.clone().judged([&policy(deny)], &desk.inventory().await).unwrap();
    assert_eq!(judged.decision, Decision::Allow, "a person planned it");
    let error = rotate(&desk, &[guard(deny)]).await.unwrap_err();
    assert!(error.to_string().contains("not by agents"), "{error}");
    // Nor may it go on with what a person has begun.
    desk.trail.stop_after(1);
    let id = rotate(&desk, &[]).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    let guards = [guard(deny)];
    let clock = desk.swarm.clock();
    let mut supply = Supply { values: Values::none(), random: &mut Counting(9) };
    let report = desk.executor(&clock).guarded(&guards).resume(&id, &mut supply).await.unwrap();
    assert!(report.warnings[0].contains("not by agents"), "{:?}", report.warnings);
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db".to_owned()], vec!["db".to_owned()]));
}

#[tokio::test]
async fn a_plan_carries_the_decision_and_its_digest_covers_it() {
    let desk = desk();
    let deny = policy("[[rules]]\nname = 'r'\neffect = 'deny'\nreason = 'no'");
    let inventory = desk.inventory().await;
    let plan = desk.plan("db", DAY).await.unwrap();
    let same = plan.clone().judged([&policy("")], &inventory).unwrap();
    assert_eq!((same.digest(), &same.decision), (plan.digest(), &Decision::Allow));
    let judged = plan.clone().judged([&policy(""), &deny], &inventory).unwrap();
    assert_ne!(judged.digest(), plan.digest());
    assert_eq!(judged.decision, Decision::Deny { reason: "no (rule `r`)".into() });
    let mut supply = Supply { values: Values::one(SecretValue::new(NEW.to_vec()).unwrap()), random: &mut Counting(5) };
    let error = desk.executor(&desk.swarm.clock()).apply(&judged, &mut supply).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "it holds also where the policy is not at hand");
}

/// A window that opens an hour ago and closes so much later than now, by the simulated clock.
fn window(desk: &Desk, closes_in: Duration) -> Guard {
    let now = desk.swarm.clock().now().wall;
    let time = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).time().to_string()[..5].to_owned();
    let from = time(now - jiff::SignedDuration::from_hours(1));
    // Windows close with a minute.
    let until = time(now + jiff::SignedDuration::try_from(closes_in).unwrap() + jiff::SignedDuration::from_secs(59));
    guard(&format!("[[windows]]\nname = 'w'\nzone = 'UTC'\nfrom = '{from}'\nuntil = '{until}'"))
}

#[tokio::test]
async fn nothing_is_begun_in_a_closed_window_and_the_next_one_is_told() {
    let desk = desk();
    let open = window(&desk, Duration::from_secs(600));
    desk.swarm.engine().run_for(Duration::from_secs(3600));
    let error = rotate(&desk, std::slice::from_ref(&open)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("the maintenance window is closed (`w`); `w` opens at "), "{error}");
    assert!(!desk.has_secret("db_v2"));
}

#[tokio::test]
async fn a_window_that_closes_on_the_way_lets_the_service_in_hand_finish_and_no_other_begin() {
    let desk = desk();
    let guards = [window(&desk, Duration::from_secs(60))];
    let engine = desk.swarm.engine().clone();
    let mut moved = false;
    desk.client.on_request(move |view| {
        if !moved && view.path.ends_with("/update") {
            moved = true;
            engine.run_for(Duration::from_secs(300));
        }
        None
    });
    let report = rotate(&desk, &guards).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db_v2".to_owned()], vec!["db".to_owned()]));
    assert!(report.warnings.iter().any(|w| w.contains("interrupted after 1 of 2 consumers")), "{:?}", report.warnings);
    let id = report.rotation.unwrap();
    let report = desk.resume(&id).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "in the next window it goes on: {report:?}");
}

/// A switch that is turned after some looks at it.
struct Turned {
    left: AtomicU8,
    broken: bool,
}

#[async_trait]
impl KillSwitch for Turned {
    async fn is_on(&self) -> Result<bool> {
        let on = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err();
        match (on, self.broken) {
            (true, true) => Err(Error::new(ErrorKind::Io, "made up")),
            (on, _) => Ok(on),
        }
    }
}

fn switched(on_kill: &str, left: u8, broken: bool) -> [Guard; 1] {
    let policy = policy(&format!("[kill_switch]\nfile = '/run/stop'\non_kill = '{on_kill}'"));
    [Guard::with_switch("p", policy, Arc::new(Turned { left: AtomicU8::new(left), broken }))]
}

#[tokio::test]
async fn the_kill_switch_stops_before_the_next_mutation_and_what_is_left_can_be_resumed() {
    for broken in [false, true] {
        for left in 0..6 {
            let desk = desk();
            let done = rotate(&desk, &switched("stop", left, broken)).await;
            let sent = u8::try_from(desk.intents().len()).unwrap();
            assert_eq!(
                sent,
                left.saturating_sub(1).min(3),
                "it is asked at the beginning, and before each of three mutations"
            );
            let Ok(report) = done else { continue };
            if report.outcome == Outcome::Applied {
                continue;
            }
            assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
            assert!(report.warnings[0].contains("the kill switch `/run/stop`"), "{:?}", report.warnings);
            let mut supply =
                Supply { values: Values::one(SecretValue::new(NEW.to_vec()).unwrap()), random: &mut Counting(9) };
            let id = report.rotation.unwrap();
            let report = desk.executor(&desk.swarm.clock()).resume(&id, &mut supply).await.unwrap();
            assert_eq!(report.outcome, Outcome::Applied, "{left}: {report:?}");
        }
    }
}

#[tokio::test]
async fn a_kill_switch_that_restores_puts_everything_back() {
    let mut undone = 0;
    for left in 1..16 {
        let desk = desk();
        let Ok(report) = rotate(&desk, &switched("restore", left, false)).await else { continue };
        if report.outcome == Outcome::Applied {
            continue;
        }
        assert!(matches!(report.outcome, Outcome::RolledBack | Outcome::NotStarted), "{left}: {report:?}");
        assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db".to_owned()], vec!["db".to_owned()]));
        assert!(!desk.has_secret("db_v2"));
        undone += 1;
    }
    assert!(undone >= 4, "only {undone} were undone");
}

#[tokio::test]
async fn outside_of_its_hours_an_old_version_is_kept() {
    let desk = desk();
    rotate(&desk, &[]).await.unwrap();
    let guards = [window(&desk, Duration::from_secs(600))];
    desk.swarm.engine().run_for(DAY + Duration::from_secs(7200));
    let clock = desk.swarm.clock();
    let reports = desk.executor(&clock).guarded(&guards).retire().await.unwrap();
    assert!(reports[0].warnings[0].contains("the maintenance window is closed"), "{:?}", reports[0].warnings);
    assert!(desk.has_secret("db"));
    desk.executor(&clock).retire().await.unwrap();
    assert!(!desk.has_secret("db"));
}

/// Putting a finished rotation back changes services as a rotation does.
#[tokio::test]
async fn what_may_not_be_begun_may_not_be_undone_or_ended_either() {
    let desk = desk();
    let id = rotate(&desk, &[]).await.unwrap().rotation.unwrap();
    let (clock, moved) = (desk.swarm.clock(), (desk.mounts("s0"), desk.mounts("s1")));
    let [denied, approved] = [
        guard("[[rules]]\nname = 'r'\neffect = 'deny'\nreason = 'not by agents'\nselect = { agents = ['agent-7'] }"),
        guard("[[rules]]\nname = 'r'\neffect = 'needs-approval'\nreason = 'ask'"),
    ];
    for (guards, kind) in [([denied], ErrorKind::Denied), ([approved], ErrorKind::NeedsApproval)] {
        let told = desk.trail.records.lock().unwrap().len();
        let executor = || desk.executor(&clock).guarded(&guards);
        for error in
            [executor().rollback(&id, "a test").await.unwrap_err(), executor().close(&id, "a test").await.unwrap_err()]
        {
            assert_eq!(error.kind(), kind, "{error}");
        }
        assert_eq!(desk.trail.records.lock().unwrap().len(), told + 2, "both are told");
    }
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), moved);
    // A person may always get back to where they were.
    let guards = [guard("[[rules]]\nname = 'r'\neffect = 'deny'\nreason = 'no'")];
    let person = Executor::new(Parts { agent: None, ..desk.parts(&clock) }).guarded(&guards);
    let report = person.rollback(&id, "a test").await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
}
