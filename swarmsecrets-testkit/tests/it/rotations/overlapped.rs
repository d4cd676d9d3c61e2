//! Passwords that are changed in step with secrets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use swarmsecrets_core::credential::{CredentialSetter as _, Way};
use swarmsecrets_core::executor::{PasswordChange, Supply, Values};
use swarmsecrets_core::generate::GenerateSpec;
use swarmsecrets_core::plan::{RotationRequest, Strategy, Timing, ValueRecipe, plan_rotation};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::credential::{FakeCredential, Fault, Step};
use swarmsecrets_testkit::portainer::{PortainerRequest, WireFault};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, NEW, OLD};

fn value(bytes: &[u8]) -> SecretValue {
    SecretValue::new(bytes.to_vec()).unwrap()
}

/// Two services and the system that they log in to.
pub(super) struct Play {
    pub(super) desk: Desk,
    pub(super) fake: FakeCredential,
}

impl Play {
    pub(super) fn new(way: Way, second: Program) -> Self {
        let service =
            |name: &str| ServiceBuilder::new(name, "local/app:1").secret("db").restart_delay(Duration::from_secs(1));
        let desk = Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), second)]);
        Self { desk, fake: FakeCredential::new(way, &value(OLD)).unwrap() }
    }

    pub(super) fn request(&self, strategy: Strategy) -> RotationRequest {
        RotationRequest {
            strategy,
            timing: Timing { grace: Duration::ZERO, ..Timing::default() },
            credentials: BTreeMap::from([("db".to_owned(), self.fake.account())]),
            ..RotationRequest::new("db", ValueRecipe::Supplied)
        }
    }

    pub(super) fn passwords(&self) -> BTreeMap<String, PasswordChange> {
        let change = PasswordChange::Setter { setter: Arc::new(self.fake.clone()), current: Some(value(OLD)) };
        BTreeMap::from([("db".to_owned(), change)])
    }

    pub(super) async fn apply(&self, strategy: Strategy) -> Result<Report> {
        self.carry_out(&self.request(strategy)).await
    }

    pub(super) async fn carry_out(&self, request: &RotationRequest) -> Result<Report> {
        let plan = plan_rotation(&self.desk.inventory().await, request)?;
        let mut random = Counting(5);
        let mut supply = Supply { values: Values::one(value(NEW)), random: &mut random };
        let clock = self.desk.swarm.clock();
        self.desk.executor(&clock).with_passwords(self.passwords()).apply(&plan, &mut supply).await
    }

    fn logs_in(&self) -> (bool, bool) {
        (self.fake.logs_in(&value(OLD)), self.fake.logs_in(&value(NEW)))
    }

    fn steps(&self) -> Vec<Step> {
        self.fake.calls().into_iter().map(|(step, _)| step).collect()
    }

    fn all_on(&self, name: &str) -> bool {
        ["s0", "s1"].iter().all(|service| self.desk.mounts(service) == [name])
    }
}

#[tokio::test]
async fn the_new_password_is_set_before_and_the_old_one_ended_after_the_consumers() {
    for way in [Way::HoldsTwo, Way::Replaces] {
        let play = Play::new(way, Program::runs());
        let report = play.apply(Strategy::Overlap).await.unwrap();
        assert_eq!(report.outcome, Outcome::Applied, "{way:?}: {report:?}");
        assert_eq!(play.logs_in(), (false, true), "{way:?}");
        assert!(play.all_on("db_v2") && !play.desk.has_secret("db"));
        assert_eq!(play.steps(), [Step::Set, Step::Verify, Step::Verify, Step::Revoke, Step::Verify]);
        let intents = play.desk.intents();
        let place =
            |text: &str| intents.iter().position(|i| i.starts_with(text)).unwrap_or_else(|| panic!("{intents:?}"));
        assert!(place("set the new password") < place("update service s0"));
        assert!(place("update service s1") < place("end the old password"));
    }
}

#[tokio::test]
async fn a_consumer_that_refuses_the_new_value_brings_the_old_password_back() {
    for way in [Way::HoldsTwo, Way::Replaces] {
        let play = Play::new(way, Program::needs("db", OLD).exit(3));
        let report = play.apply(Strategy::Overlap).await.unwrap();
        assert_eq!(report.outcome, Outcome::RolledBack, "{way:?}: {report:?}");
        assert_eq!(play.logs_in(), (true, false), "{way:?}");
        assert!(play.all_on("db") && !play.desk.has_secret("db_v2"));
    }
}

/// No service uses the secret, so that Swarm does not tell that the first rotation is half-way; the journal does.
#[tokio::test]
async fn a_password_that_is_half_way_is_not_changed_by_another_rotation() {
    let fake = FakeCredential::new(Way::HoldsTwo, &value(OLD)).unwrap();
    let play = Play { desk: Desk::with_secrets(&["db"], vec![]), fake };
    play.desk.trail.stop_after(1);
    let first = play.apply(Strategy::Overlap).await.unwrap();
    assert_eq!(first.outcome, Outcome::NeedsHuman, "{first:?}");
    play.desk.trail.go_on();
    let error = play.apply(Strategy::Overlap).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let id = first.rotation.unwrap();
    assert!(error.message().contains(&format!("`swarmsecrets resume {id}`")), "{error}");
    assert_eq!((play.logs_in(), play.desk.has_secret("db_v3")), ((true, false), false));
}

/// A person has removed the new version of the first rotation, so that the one from which it began is the current one again.
#[tokio::test]
async fn a_password_that_was_set_is_not_changed_by_another_rotation_from_the_same_version() {
    let fake = FakeCredential::new(Way::HoldsTwo, &value(OLD)).unwrap();
    let play = Play { desk: Desk::with_secrets(&["db"], vec![]), fake };
    // It is made and set; then nothing more can be written down.
    play.desk.trail.stop_after(2);
    let first = play.apply(Strategy::Overlap).await.unwrap();
    assert_eq!((first.outcome, play.logs_in()), (Outcome::NeedsHuman, (true, true)), "{first:?}");
    play.desk.trail.go_on();
    let version = play.desk.swarm.engine().secret_id("db_v2").unwrap();
    let remove = PortainerRequest::new("DELETE", &format!("/api/endpoints/1/docker/secrets/{version}"));
    play.desk.swarm.ask("admin", remove).unwrap();
    let error = play.apply(Strategy::Overlap).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.message().contains("or began from it"), "{error}");
    assert!(!play.desk.has_secret("db_v2"));
}

/// Two begin at the same time, and the name of the new version keeps the second one from it, until a person takes that away.
#[tokio::test]
async fn whoever_comes_second_sets_no_password_and_a_person_may_close_the_first() {
    let fake = FakeCredential::new(Way::HoldsTwo, &value(OLD)).unwrap();
    let play = Play { desk: Desk::with_secrets(&["db"], vec![]), fake };
    let clock = play.desk.swarm.clock();
    let mut random = Counting(9);
    let mut supply = Supply { values: Values::one(value(b"the second one's")), random: &mut random };
    let executor = || play.desk.executor(&clock).with_passwords(play.passwords());
    let plan = plan_rotation(&play.desk.inventory().await, &play.request(Strategy::Overlap)).unwrap();
    play.desk.trail.stop_after(0);
    let second = executor().apply(&plan, &mut supply).await.unwrap().rotation.unwrap();
    play.desk.trail.stop_after(2);
    let first = play.apply(Strategy::Overlap).await.unwrap().rotation.unwrap();
    play.desk.trail.go_on();
    assert_eq!(play.logs_in(), (true, true));
    let version = play.desk.swarm.engine().secret_id("db_v2").unwrap();
    let remove = PortainerRequest::new("DELETE", &format!("/api/endpoints/1/docker/secrets/{version}"));
    play.desk.swarm.ask("admin", remove).unwrap();

    let report = executor().resume(&second, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(report.warnings[0].contains(&format!("`swarmsecrets close {first}`")), "{:?}", report.warnings);
    let sets = play.steps().into_iter().filter(|step| *step == Step::Set).count();
    assert_eq!((play.logs_in(), sets), ((true, true), 1));

    play.fake.undo(&first, &value(OLD)).await.unwrap();
    let before = play.desk.intents().len();
    let report = executor().close(&first, "its password was ended by hand").await.unwrap();
    assert!(report.closed && report.outcome == Outcome::NeedsHuman, "{report:?}");
    assert_eq!(play.desk.intents()[before..], [format!("close rotation {first}")]);
    assert!(executor().unfinished().await.unwrap().is_empty());
    let error = executor().close(&first, "again").await.unwrap_err();
    assert!(error.message().contains("has ended: nothing is left to close"), "{error}");
    let plan = plan_rotation(&play.desk.inventory().await, &play.request(Strategy::Overlap)).unwrap();
    assert_eq!(executor().apply(&plan, &mut supply).await.unwrap().outcome, Outcome::Applied);
}

/// A create that got no answer may arrive after its retry has been sent: both must bring the value that the password is set to.
#[tokio::test]
async fn a_generated_value_is_the_same_each_time_it_is_sent() {
    let play = Play::new(Way::HoldsTwo, Program::runs());
    let sent = Arc::new(Mutex::new(Vec::new()));
    let bodies = Arc::clone(&sent);
    play.desk.client.on_request(move |view| {
        let mut bodies = bodies.lock().unwrap();
        if view.path.ends_with("/secrets/create") {
            let body: Value = serde_json::from_slice(view.body.unwrap()).unwrap();
            bodies.push(body["Data"].as_str().unwrap().to_owned());
        }
        (bodies.len() == 1 && view.path.ends_with("/secrets/create"))
            .then(|| WireFault::Answer(504, "{\"message\":\"bad gateway\"}".into()))
    });
    let recipe = ValueRecipe::Generate(GenerateSpec::default());
    let request = play.request(Strategy::Overlap);
    let request = RotationRequest { secrets: vec![("db".into(), recipe)], ..request };
    let plan = plan_rotation(&play.desk.inventory().await, &request).unwrap();
    let mut supply = Supply { values: Values::none(), random: &mut Counting(5) };
    let clock = play.desk.swarm.clock();
    let report = play.desk.executor(&clock).with_passwords(play.passwords()).apply(&plan, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert!(sent[0] == sent[1], "the retry brings another value");
    assert!(play.fake.logs_in(&value(&STANDARD.decode(&sent[0]).unwrap())));
}

/// A value that was handed over for one secret is not the password of another, whose own is lost with the process.
#[tokio::test]
async fn a_value_is_taken_for_no_other_secret() {
    let fake = FakeCredential::new(Way::HoldsTwo, &value(OLD)).unwrap();
    let play = Play { desk: Desk::with_secrets(&["db", "key"], vec![]), fake };
    let secrets = [("db", ValueRecipe::Generate(GenerateSpec::default())), ("key", ValueRecipe::Supplied)];
    let secrets = secrets.map(|(name, recipe)| (name.to_owned(), recipe)).into();
    play.desk.trail.stop_after(2);
    let stopped = play.carry_out(&RotationRequest { secrets, ..play.request(Strategy::Overlap) }).await.unwrap();
    assert_eq!(stopped.outcome, Outcome::NeedsHuman, "{stopped:?}");
    play.desk.trail.go_on();
    let mut supply = Supply { values: Values::one(value(NEW)), random: &mut Counting(9) };
    let clock = play.desk.swarm.clock();
    let executor = play.desk.executor(&clock).with_passwords(play.passwords());
    let report = executor.resume(&stopped.rotation.unwrap(), &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(report.warnings[0].contains("the new value of `db` is not at hand any more"), "{:?}", report.warnings);
    assert_eq!(play.logs_in(), (true, false));
}

#[tokio::test]
async fn each_step_may_fail_or_lose_its_answer() {
    for step in [Step::Set, Step::Verify, Step::Revoke] {
        for fault in [Fault::Down, Fault::LoseRequest, Fault::LoseAnswer] {
            let play = Play::new(Way::HoldsTwo, Program::runs());
            play.fake.fail(step, fault);
            let report = play.apply(Strategy::Overlap).await.unwrap();
            assert_eq!(report.outcome, Outcome::Applied, "{step:?} {fault:?}: {report:?}");
            assert_eq!(play.logs_in(), (false, true), "{step:?} {fault:?}");
        }
    }
    let play = Play::new(Way::HoldsTwo, Program::runs());
    play.fake.fail(Step::Set, Fault::Refuse(ErrorKind::Forbidden));
    let report = play.apply(Strategy::Overlap).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(play.all_on("db") && play.logs_in() == (true, false));

    let play = Play::new(Way::HoldsTwo, Program::runs());
    play.fake.fail(Step::Set, Fault::DoNothing);
    let report = play.apply(Strategy::Overlap).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "a password that was not set is found by logging in: {report:?}");
    assert!(report.warnings[0].contains("does not log in"), "{:?}", report.warnings);

    let play = Play::new(Way::HoldsTwo, Program::runs());
    play.fake.fail(Step::Revoke, Fault::Refuse(ErrorKind::Forbidden));
    let report = play.apply(Strategy::Overlap).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(play.all_on("db_v2") && play.desk.has_secret("db") && play.logs_in() == (true, true));

    let play = Play::new(Way::HoldsTwo, Program::runs());
    play.fake.fail(Step::Revoke, Fault::DoNothing);
    let report = play.apply(Strategy::Overlap).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings.iter().any(|w| w.contains("still logs in")), "{:?}", report.warnings);
}

#[tokio::test]
async fn a_revocation_ends_the_leaked_password_first_and_never_goes_back() {
    let play = Play::new(Way::HoldsTwo, Program::needs("db", OLD).exit(3));
    let report = play.apply(Strategy::Revoke).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!(play.logs_in(), (false, true));
    assert!(play.all_on("db_v2") && !play.desk.has_secret("db"));
    let intents = play.desk.intents();
    let place = |text: &str| intents.iter().position(|i| i.starts_with(text)).unwrap();
    assert!(place("end the old password") < place("update service s0"));
    let id = report.rotation.unwrap();
    let clock = play.desk.swarm.clock();
    let error = play.desk.executor(&clock).rollback(&id, "a test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}

/// Whoever resumes, undoes or retires it without the setter is told, and nothing moves.
#[tokio::test]
async fn a_change_that_is_under_way_goes_on_with_its_setter_alone() {
    let play = Play::new(Way::HoldsTwo, Program::runs());
    play.fake.fail(Step::Revoke, Fault::Refuse(ErrorKind::Forbidden));
    let report = play.apply(Strategy::Overlap).await.unwrap();
    let id = report.rotation.unwrap();
    let clock = play.desk.swarm.clock();
    let sent = play.desk.intents().len();
    for error in [
        play.desk.resume(&id).await.unwrap_err(),
        play.desk.executor(&clock).rollback(&id, "a test").await.unwrap_err(),
    ] {
        assert!(error.message().contains("in the middle of changing a password: the credential setter"), "{error}");
    }
    assert!(play.desk.executor(&clock).retire().await.unwrap().is_empty(), "it is not in its grace");
    assert_eq!(play.desk.intents().len(), sent);
    let mut random = Counting(9);
    let mut supply = Supply { values: Values::none(), random: &mut random };
    let executor = play.desk.executor(&clock).with_passwords(play.passwords());
    let report = executor.resume(&id, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(play.logs_in(), (false, true));
}

/// A crash between the intent to end the old password and the call: whoever resumes looks again, as much may have happened.
#[tokio::test]
async fn whoever_ends_a_password_looks_just_before_also_after_a_crash() {
    let done = Play::new(Way::HoldsTwo, Program::runs());
    assert_eq!(done.apply(Strategy::Overlap).await.unwrap().outcome, Outcome::Applied);
    let ends = done.desk.intents().iter().position(|i| i.starts_with("end the old password")).unwrap();
    let play = Play::new(Way::HoldsTwo, Program::runs());
    play.desk.trail.stop_after(ends);
    let id = play.apply(Strategy::Overlap).await.unwrap().rotation.unwrap();
    play.desk.trail.go_on();
    assert_eq!(play.logs_in(), (true, true));
    let old = play.desk.swarm.engine().secret_id("db").unwrap();
    let file = json!({"Name": "db", "UID": "0", "GID": "0", "Mode": 0o444});
    let late = json!({"Name": "late", "Mode": {"Replicated": {"Replicas": 1}}, "TaskTemplate": {"ContainerSpec":
        {"Image": "local/app:1", "Secrets": [{"SecretID": old, "SecretName": "db", "File": file}]}}});
    let create = PortainerRequest::new("POST", "/api/endpoints/1/docker/services/create").json(&late);
    play.desk.swarm.ask("admin", create).unwrap();
    let clock = play.desk.swarm.clock();
    let executor = play.desk.executor(&clock).with_passwords(play.passwords());
    let mut random = Counting(9);
    let mut supply = Supply { values: Values::none(), random: &mut random };
    let report = executor.resume(&id, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings.iter().any(|w| w.contains("`db` is used by service `late`")), "{:?}", report.warnings);
    assert_eq!(play.logs_in(), (true, true), "the late one can still log in");
}

#[tokio::test]
async fn what_is_missing_is_said_before_anything_is_done() {
    let play = Play::new(Way::HoldsTwo, Program::runs());
    let world = play.desk.inventory().await;
    let refused = |request: &RotationRequest| plan_rotation(&world, request).unwrap_err().message().to_owned();
    let without = RotationRequest { credentials: BTreeMap::new(), ..play.request(Strategy::Overlap) };
    assert!(refused(&without).contains("say which"));
    assert!(refused(&play.request(Strategy::Swap)).contains("changes no password"));
    let plan = plan_rotation(&world, &play.request(Strategy::Overlap)).unwrap();
    let error = play.desk.apply(&plan, NEW).await.unwrap_err();
    assert!(error.message().contains("credential setter of `db`"), "{error}");
    assert!(play.desk.intents().is_empty());
}
