//! Rotations that were begun with an approval, and what becomes of it on the way.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use swarmsecrets_core::approval::{ChangeRequest, Draft, Given, Nonces, Requester, SignedDecision, Verdict};
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::executor::{Approval, Supply, Values};
use swarmsecrets_core::ids::Nonce;
use swarmsecrets_core::keys::{FingerprintKey, Keyring, SigningKey};
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::policy::{Guard, Policy, in_force};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, NEW};

const DAY: Duration = Duration::from_secs(86_400);
const INSTANCE: &str = "https://portainer.example";

/// Nonces as long as the test lasts.
#[derive(Default)]
struct Memory {
    spent: Mutex<BTreeSet<Nonce>>,
    latest: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl Nonces for Memory {
    async fn spend(&self, nonce: &Nonce, _: Timestamp) -> Result<()> {
        let first = self.spent.lock().unwrap().insert(nonce.clone());
        if first { Ok(()) } else { Err(Error::new(ErrorKind::Conflict, "used before")) }
    }

    async fn latest(&self, now: Timestamp) -> Result<Timestamp> {
        let mut latest = self.latest.lock().unwrap();
        let newest = latest.map_or(now, |seen| seen.max(now));
        Ok(*latest.insert(newest))
    }
}

/// A desk under a policy by which everything needs an approval, and an approver.
struct Office {
    desk: Desk,
    guards: [Guard; 1],
    key: SigningKey,
    keyring: Keyring,
    nonces: Memory,
    fingerprint_key: Option<FingerprintKey>,
}

impl Office {
    fn new() -> Self {
        let service = |name: &str| {
            ServiceBuilder::new(name, "local/app:1").replicas(2).secret("db").restart_delay(Duration::from_secs(1))
        };
        let desk = Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), Program::runs())]);
        let policy = Policy::parse("schema = 1\nphase = 'assisted'", &TimeZoneDatabase::bundled()).unwrap();
        let key = SigningKey::generate(&mut Mixed(1)).unwrap();
        let mut keyring = Keyring::new();
        keyring.add("alice", key.public()).unwrap();
        let guards = [Guard::new("p", policy).unwrap()];
        Self { desk, guards, key, keyring, nonces: Memory::default(), fingerprint_key: None }
    }

    fn now(&self) -> Timestamp {
        self.desk.swarm.clock().now().wall
    }

    async fn plan(&self) -> Plan {
        let plan = self.desk.plan("db", DAY).await.unwrap();
        plan.judged([self.guards[0].policy()], &self.desk.inventory().await).unwrap()
    }

    fn ask(&self, plan: Plan) -> ChangeRequest {
        let requester = Requester { account: "admin".into(), agent: Some("agent-7".into()) };
        Draft::new(plan, requester, INSTANCE, in_force(&self.guards), self.now()).seal(&mut Mixed(2)).unwrap()
    }

    fn approve(&self, request: &ChangeRequest) -> Given {
        SignedDecision::sign(request, Verdict::Approve, "alice", self.now(), None, &self.key).unwrap().into()
    }

    async fn apply(&self, plan: &Plan, request: &ChangeRequest, decisions: &[Given]) -> Result<Report> {
        let approval = Approval {
            request,
            decisions,
            keyring: &self.keyring,
            nonces: &self.nonces,
            instance: INSTANCE,
            fingerprint_key: self.fingerprint_key.as_ref(),
        };
        let value = Values::one(SecretValue::new(NEW.to_vec())?);
        let mut supply = Supply { values: value, random: &mut Counting(5) };
        let clock = self.desk.swarm.clock();
        self.desk.executor(&clock).guarded(&self.guards).approved(approval).apply(plan, &mut supply).await
    }

    /// Begins with an approval, and stops after so many records of the audit trail.
    async fn broken_off(&self, records: usize) -> Report {
        let plan = self.plan().await;
        let request = self.ask(plan.clone());
        let decision = self.approve(&request);
        self.desk.trail.stop_after(records);
        let report = self.apply(&plan, &request, &[decision]).await.unwrap();
        self.desk.trail.go_on();
        report
    }
}

#[tokio::test]
async fn a_value_that_was_exchanged_after_the_approval_is_refused() {
    let mut office = Office::new();
    let plan = office.plan().await;
    let key = FingerprintKey::new(SecretValue::new(b"made-up-fingerprint-key".to_vec()).unwrap()).unwrap();
    let ask = |value: &[u8]| {
        let values = Values::one(SecretValue::new(value.to_vec()).unwrap());
        let requester = Requester { account: "admin".into(), agent: None };
        let draft = Draft::new(plan.clone(), requester, INSTANCE, in_force(&office.guards), office.now());
        Draft { fingerprints: values.fingerprints(&plan, &key), ..draft }.seal(&mut Mixed(2)).unwrap()
    };
    let (same, other) = (ask(NEW), ask(b"made-up-other-value"));
    let (for_same, for_other) = (office.approve(&same), office.approve(&other));
    let without = office.apply(&plan, &same, std::slice::from_ref(&for_same)).await.unwrap_err();
    assert_eq!(without.kind(), ErrorKind::Denied, "without the key nobody can tell: {without}");
    office.fingerprint_key = Some(key);
    let exchanged = office.apply(&plan, &other, &[for_other]).await.unwrap_err();
    assert_eq!(exchanged.kind(), ErrorKind::Denied, "{exchanged}");
    // Nor is it exchanged once the rotation has begun, and broke off before the new version was made.
    office.desk.trail.stop_after(0);
    let id = office.apply(&plan, &same, &[for_same]).await.unwrap().rotation.unwrap();
    office.desk.trail.go_on();
    let clock = office.desk.swarm.clock();
    let resume = async |value: &[u8], key: Option<&FingerprintKey>| {
        let values = Values::one(SecretValue::new(value.to_vec())?);
        let mut supply = Supply { values, random: &mut Counting(9) };
        let executor = office.desk.executor(&clock).guarded(&office.guards).knowing_values_by(key);
        executor.resume(&id, &mut supply).await
    };
    let key = office.fingerprint_key.as_ref();
    for (value, key) in [(&b"made-up-other-value"[..], key), (NEW, None)] {
        let error = resume(value, key).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Denied && error.message().contains("`db`"), "{error}");
    }
    assert!(!office.desk.has_secret("db_v2"));
    assert_eq!(resume(NEW, key).await.unwrap().outcome, Outcome::Applied);
}

/// Bytes of which no two draws are alike.
struct Mixed(u64);

impl swarmsecrets_core::generate::Random for Mixed {
    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        for byte in into {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_approved_plan_runs_once_and_its_records_say_by_whose_leave() {
    let office = Office::new();
    let plan = office.plan().await;
    let request = office.ask(plan.clone());
    assert_eq!(office.apply(&plan, &request, &[]).await.unwrap_err().kind(), ErrorKind::NeedsApproval);
    let decision = office.approve(&request);
    let report = office.apply(&plan, &request, std::slice::from_ref(&decision)).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let records = office.desk.trail.records.lock().unwrap().clone();
    let refused: Vec<&str> = records.iter().filter(|r| r.step == 0).filter_map(|r| r.outcome.as_deref()).collect();
    assert!(refused.len() == 1 && refused[0].starts_with("refused: not enough approvals"), "{refused:?}");
    assert!(records.len() > 4);
    for record in records.into_iter().filter(|record| record.step > 0) {
        let leave = record.actor.leave.unwrap();
        assert_eq!((leave.approvers.as_slice(), &leave.request), (&["alice".to_owned()][..], request.digest()));
    }
}

#[tokio::test]
async fn two_that_use_one_approval_at_the_same_time_are_one() {
    let office = Office::new();
    let plan = office.plan().await;
    let request = office.ask(plan.clone());
    let decisions = [office.approve(&request)];
    let (one, other) =
        tokio::join!(office.apply(&plan, &request, &decisions), office.apply(&plan, &request, &decisions));
    let errors: Vec<Error> = [one, other].into_iter().filter_map(Result::err).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].is_conflict(), "{errors:?}");
}

#[tokio::test]
async fn an_approval_that_runs_out_on_the_way_stops_what_is_not_begun() {
    let office = Office::new();
    let plan = office.plan().await;
    let request = office.ask(plan.clone());
    let decision = office.approve(&request);
    let engine = office.desk.swarm.engine().clone();
    let mut moved = false;
    office.desk.client.on_request(move |view| {
        if !moved && view.path.ends_with("/update") {
            moved = true;
            engine.run_for(Duration::from_secs(45 * 60));
        }
        None
    });
    let report = office.apply(&plan, &request, &[decision]).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!(office.desk.mounts("s1"), ["db"], "the second one was not begun");
    let id = report.rotation.unwrap();
    let clock = office.desk.swarm.clock();
    let mut supply = Supply { values: Values::none(), random: &mut Counting(9) };
    let report = office.desk.executor(&clock).guarded(&office.guards).resume(&id, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "within an hour it may be finished: {report:?}");
}

#[tokio::test]
async fn long_after_it_has_expired_a_rotation_is_only_put_back() {
    let mut stopped = 0;
    for records in 1..5 {
        let office = Office::new();
        let report = office.broken_off(records).await;
        if report.outcome == Outcome::Applied {
            continue;
        }
        stopped += 1;
        let id = report.rotation.unwrap();
        office.desk.swarm.engine().run_for(Duration::from_secs(3 * 3600));
        let clock = office.desk.swarm.clock();
        let executor = office.desk.executor(&clock).guarded(&office.guards);
        let value = Values::one(SecretValue::new(NEW.to_vec()).unwrap());
        let mut supply = Supply { values: value, random: &mut Counting(9) };
        let report = executor.resume(&id, &mut supply).await.unwrap();
        assert_ne!(report.outcome, Outcome::Applied, "{records}: {report:?}");
        let report = executor.rollback(&id, "too late").await;
        let back = [office.desk.mounts("s0"), office.desk.mounts("s1")];
        assert_eq!(back, [["db"], ["db"]], "{records}: {report:?}");
        assert!(!office.desk.has_secret("db_v2"), "{records}");
    }
    assert_eq!(stopped, 2, "of three mutations, one goes through or two");
}

#[tokio::test]
async fn the_old_version_goes_after_its_grace_as_was_approved() {
    let office = Office::new();
    let plan = office.plan().await;
    let request = office.ask(plan.clone());
    let decision = office.approve(&request);
    office.apply(&plan, &request, &[decision]).await.unwrap();
    office.desk.swarm.engine().run_for(DAY + DAY);
    let clock = office.desk.swarm.clock();
    office.desk.executor(&clock).guarded(&office.guards).retire().await.unwrap();
    assert!(!office.desk.has_secret("db"));
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_nothing_good_again() {
    let office = Office::new();
    let plan = office.plan().await;
    let request = office.ask(plan.clone());
    let decision = office.approve(&request);
    // Somebody has seen a later time here.
    office.nonces.latest(request.expires + jiff::SignedDuration::from_secs(1)).await.unwrap();
    let error = office.apply(&plan, &request, &[decision]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::NeedsApproval && error.to_string().contains("expired"), "{error}");
}

#[tokio::test]
async fn a_world_that_moved_after_the_approval_is_refused_and_told() {
    let office = Office::new();
    let plan = office.plan().await;
    let request = office.ask(plan.clone());
    let decision = office.approve(&request);
    office.desk.edit("s1", |spec| spec["TaskTemplate"]["ContainerSpec"]["Env"] = serde_json::json!(["BY_HAND=yes"]));
    office.desk.swarm.engine().run_for(Duration::from_secs(60));
    let error = office.apply(&plan, &request, &[decision]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stale, "{error}");
    assert_eq!(office.desk.trail.refused(), [format!("refused: {error}")]);
    assert!(office.desk.intents().is_empty() && !office.desk.has_secret("db_v2"));
    assert!(office.nonces.spent.lock().unwrap().is_empty(), "nothing was begun with it");
}

#[tokio::test]
async fn an_approval_of_another_plan_or_for_another_portainer_is_refused_and_told() {
    let office = Office::new();
    let plan = office.plan().await;
    let request = office.ask(plan.clone());
    let decision = office.approve(&request);
    let other = office.desk.plan("db", 2 * DAY).await.unwrap();
    let other = other.judged([office.guards[0].policy()], &office.desk.inventory().await).unwrap();
    assert_ne!(other.digest(), plan.digest());
    let error = office.apply(&other, &request, std::slice::from_ref(&decision)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.message().contains("is about to run"), "{error}");
    let requester = Requester { account: "admin".into(), agent: Some("agent-7".into()) };
    let there = "https://portainer.elsewhere.example";
    let draft = Draft::new(plan.clone(), requester, there, in_force(&office.guards), office.now());
    let elsewhere = draft.seal(&mut Mixed(3)).unwrap();
    let error = office.apply(&plan, &elsewhere, &[office.approve(&elsewhere)]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.message().contains(there), "{error}");
    // Nor does the decision on the one count for the other.
    let error = office.apply(&plan, &elsewhere, &[decision]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    let told = office.desk.trail.refused();
    assert!(told.len() == 3 && told.iter().all(|one| one.starts_with("refused: ")), "{told:?}");
    assert!(office.desk.intents().is_empty() && !office.desk.has_secret("db_v2"));
}
