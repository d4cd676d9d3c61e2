//! Passwords that commands in the container of a service change: old and new version beside each other while they run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use swarmsecrets_core::credential::{Account, CommandLines, Commands, Way};
use swarmsecrets_core::executor::{PasswordChange, Supply, Values};
use swarmsecrets_core::plan::{Plan, RotationRequest, Strategy, Timing, ValueRecipe, plan_rotation};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::{State, WireFault};
use swarmsecrets_testkit::sim::{Called, Program, SecretBuilder, ServiceBuilder, SimEngine};

use super::desk::{Counting, Desk, NEW, OLD};

/// The passwords that log in to a database which runs as the service `s0`.
pub(super) type Valid = Arc<Mutex<BTreeSet<Vec<u8>>>>;

pub(super) struct Play {
    pub(super) desk: Desk,
    pub(super) valid: Valid,
    pub(super) holds_two: bool,
}

/// What the database's own tool does: whoever changes a password logs in first.
pub(super) fn tool(valid: &mut BTreeSet<Vec<u8>>, called: &Called, holds_two: bool) -> bool {
    let file = |path: &str| called.files.get(path).map(|value| value.expose().to_vec());
    let (Some(new), Some(old)) = (file("/run/secrets/db"), file("/run/secrets/db.previous")) else { return false };
    match called.arguments[0].as_str() {
        "test-new" => valid.contains(&new),
        "test-old" => valid.contains(&old),
        "set" if valid.contains(&old) => {
            valid.insert(new);
            holds_two || valid.remove(&old)
        }
        "revoke" if valid.contains(&new) => valid.remove(&old),
        "undo" if valid.contains(&new) => {
            valid.insert(old);
            valid.remove(&new)
        }
        _ => false,
    }
}

fn line(word: &str) -> Vec<String> {
    vec!["passwd".to_owned(), word.to_owned()]
}

fn commands(service: &str, holds_two: bool) -> Commands {
    let lines = CommandLines {
        set: line("set"),
        test_new: line("test-new"),
        test_old: line("test-old"),
        undo: line("undo"),
        revoke: holds_two.then(|| line("revoke")),
    };
    Commands::new(service, "app", lines).unwrap()
}

fn service(name: &str) -> ServiceBuilder {
    ServiceBuilder::new(name, "local/app:1").secret("db").restart_delay(Duration::from_secs(1))
}

impl Play {
    pub(super) fn new(holds_two: bool, second: Program) -> Self {
        Self::at(Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), second)]), holds_two)
    }

    fn at(desk: Desk, holds_two: bool) -> Self {
        let valid = Valid::new(Mutex::new(BTreeSet::from([OLD.to_vec()])));
        let shared = valid.clone();
        desk.swarm
            .engine()
            .command("passwd", move |called| i64::from(!tool(&mut shared.lock().unwrap(), called, holds_two)));
        Self { desk, valid, holds_two }
    }

    fn request(&self, service: &str, strategy: Strategy) -> RotationRequest {
        RotationRequest {
            strategy,
            timing: Timing { grace: Duration::ZERO, ..Timing::default() },
            credentials: BTreeMap::from([("db".to_owned(), commands(service, self.holds_two).account())]),
            ..RotationRequest::new("db", ValueRecipe::Supplied)
        }
    }

    pub(super) async fn plan(&self, service: &str, strategy: Strategy) -> Result<Plan> {
        plan_rotation(&self.desk.inventory().await, &self.request(service, strategy))
    }

    pub(super) async fn apply(&self, plan: &Plan, service: &str) -> Result<Report> {
        let (mut random, clock) = (Counting(5), self.desk.swarm.clock());
        let mut supply = Supply { values: Values::one(new_value()), random: &mut random };
        self.desk.executor(&clock).with_passwords(self.changes(service)).apply(plan, &mut supply).await
    }

    pub(super) async fn rotate(&self, strategy: Strategy) -> Report {
        let plan = self.plan("s0", strategy).await.unwrap();
        self.apply(&plan, "s0").await.unwrap()
    }

    pub(super) async fn resume(&self, report: &Report) -> Report {
        let (mut random, clock) = (Counting(9), self.desk.swarm.clock());
        let mut supply = Supply { values: Values::one(new_value()), random: &mut random };
        let executor = self.desk.executor(&clock).with_passwords(self.changes("s0"));
        executor.resume(report.rotation.as_ref().unwrap(), &mut supply).await.unwrap()
    }

    pub(super) fn changes(&self, service: &str) -> BTreeMap<String, PasswordChange> {
        BTreeMap::from([("db".to_owned(), PasswordChange::Commands(commands(service, self.holds_two)))])
    }

    fn valid(&self) -> Vec<Vec<u8>> {
        self.valid.lock().unwrap().iter().cloned().collect()
    }

    fn all_on(&self, name: &str) -> bool {
        ["s0", "s1"].iter().all(|service| self.desk.mounts(service) == [name])
    }
}

fn new_value() -> SecretValue {
    SecretValue::new(NEW.to_vec()).unwrap()
}

#[tokio::test]
async fn commands_change_the_password_while_both_versions_are_mounted() {
    for holds_two in [true, false] {
        for strategy in [Strategy::Overlap, Strategy::Revoke] {
            let play = Play::new(holds_two, Program::runs());
            let report = play.rotate(strategy).await;
            assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
            assert_eq!(play.valid(), [NEW.to_vec()]);
            assert!(play.all_on("db_v2") && !play.desk.has_secret("db"));
            let intents = play.desk.intents();
            let place =
                |text: &str| intents.iter().position(|i| i.contains(text)).unwrap_or_else(|| panic!("{intents:?}"));
            assert!(place("update service s0: db -> db_v2, and db at db.previous") < place("set the new password"));
            assert!(place("set the new password") < place("start the command `passwd`"));
            assert!(place("end the old password") < place("update service s0: without db at db.previous"));
        }
    }
}

#[tokio::test]
async fn the_old_password_comes_back_before_the_old_version_is_taken_away() {
    for holds_two in [true, false] {
        let play = Play::new(holds_two, Program::needs("db", OLD).exit(3));
        let report = play.rotate(Strategy::Overlap).await;
        assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
        assert_eq!(play.valid(), [OLD.to_vec()]);
        assert!(play.all_on("db") && !play.desk.has_secret("db_v2"));
    }
}

/// The audit trail is full after so many intents, and has room again when the rotation is taken up.
#[tokio::test]
async fn it_may_stop_anywhere_and_goes_on() {
    for intents in 1..40 {
        let play = Play::new(true, Program::runs());
        play.desk.trail.stop_after(intents);
        let stopped = play.rotate(Strategy::Overlap).await;
        play.desk.trail.go_on();
        let report = if stopped.outcome == Outcome::Applied { stopped } else { play.resume(&stopped).await };
        assert_eq!(report.outcome, Outcome::Applied, "after {intents}: {report:?}");
        assert_eq!(play.valid(), [NEW.to_vec()], "after {intents}");
        assert!(play.all_on("db_v2") && !play.desk.has_secret("db"));
    }
}

#[tokio::test]
async fn a_command_that_does_nothing_undoes_the_rotation() {
    let play = Play::new(true, Program::runs());
    // The tool tests what is there, and refuses to change it.
    let valid = play.valid.clone();
    play.desk.swarm.engine().command("passwd", move |called| {
        let changes = ["set", "revoke", "undo"].contains(&called.arguments[0].as_str());
        i64::from(changes || !tool(&mut valid.lock().unwrap(), called, true))
    });
    let report = play.rotate(Strategy::Overlap).await;
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    let said = "the password of user app of service `s0` could not be set: the command `set` in `s0` exits with 1, and has not done it";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
    assert_eq!(play.valid(), [OLD.to_vec()]);
    assert!(play.all_on("db"));
}

/// The stack's file is written on the way, which takes the old version from the database: it gets it once more.
#[tokio::test]
async fn a_stack_is_brought_in_line_and_the_commands_find_both_versions_all_the_same() {
    const FILE: &str = "services:\n  db:\n    image: local/db:1\n    secrets: [{source: pw, target: db}]\n  web:\n    image: local/app:1\n    secrets: [{source: pw, target: db}]\nsecrets:\n  pw:\n    external: true\n    name: db\n";
    let engine = SimEngine::builder(7).secret_with(SecretBuilder::new("db", OLD)).build();
    let swarm = SimSwarm::of(engine, State::default());
    let stack = swarm.file_stack("admin", "shop", FILE, &[]).unwrap();
    swarm.engine().run_for(Duration::from_secs(60));
    let play = Play::at(Desk::at(swarm), true);
    let plan = play.plan("shop_db", Strategy::Overlap).await.unwrap();
    let report = play.apply(&plan, "shop_db").await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(play.valid(), [NEW.to_vec()]);
    for service in ["shop_db", "shop_web"] {
        assert_eq!(play.desk.mounts(service), ["db_v2"]);
    }
    let file = play.desk.get(&format!("/api/stacks/{stack}/file"))["StackFileContent"].as_str().unwrap().to_owned();
    assert_eq!(file, FILE.replace("name: db\n", "name: db_v2\n"));
    let again = play.desk.intents().into_iter().filter(|i| i.contains("at db.previous")).collect::<Vec<_>>();
    assert_eq!(again.len(), 3, "{again:?}");
}

#[tokio::test]
async fn what_no_command_can_do_is_refused_before_anything_is_touched() {
    let refused = async |play: &Play, service: &str| -> Error {
        match play.plan(service, Strategy::Overlap).await {
            Err(error) => error,
            Ok(plan) => play.apply(&plan, service).await.unwrap_err(),
        }
    };
    let play = Play::new(true, Program::runs());
    let error = refused(&play, "nosuch").await;
    assert_eq!(error.kind(), ErrorKind::Refused);
    let said = "commands in `nosuch` cannot change the password of `db`: it does not mount it: name the service that does (`service`)";
    assert_eq!(error.message(), said);

    play.desk.edit("s0", |spec| spec["Mode"]["Replicated"]["Replicas"] = 2.into());
    play.desk.swarm.engine().run_for(Duration::from_secs(60));
    let error = refused(&play, "s0").await;
    assert!(error.message().contains("it does not run as one replica"), "{error}");

    let other = service("s0").secret_at("key", "db.previous");
    let desk = Desk::with_secrets(&["db", "key"], vec![(other, Program::runs())]);
    let error = refused(&Play::at(desk, true), "s0").await;
    assert!(error.message().contains("target `db.previous`, where the old version"), "{error}");
    assert!(!play.desk.has_secret("db_v2"));

    // Its references are moved together, before the other password is set.
    let desk = Desk::with_secrets(&["db", "key"], vec![(service("s0").secret("key"), Program::runs())]);
    let play = Play::at(desk, true);
    let mut request = play.request("s0", Strategy::Overlap);
    request.secrets.push(("key".to_owned(), ValueRecipe::Supplied));
    request.credentials.insert("key".to_owned(), Account::new("made-up system", "app", Way::HoldsTwo));
    let error = plan_rotation(&play.desk.inventory().await, &request).unwrap_err();
    assert!(error.message().contains("it mounts `key` too, and would have that one's new password"), "{error}");
}

/// The database runs where commands do not reach.
#[tokio::test]
async fn a_container_out_of_reach_is_known_before_anything_is_touched() {
    let play = Play::new(true, Program::runs());
    let plan = play.plan("s0", Strategy::Overlap).await.unwrap();
    play.desk
        .client
        .on_request(|view| view.path.ends_with("/containers/json").then(|| WireFault::Answer(200, "[]".into())));
    let error = play.apply(&plan, "s0").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let said = "no command can change the password of `db` in `s0`: no running container of task";
    assert!(error.message().starts_with(said), "{error}");
    assert!(!play.desk.has_secret("db_v2"));
}

/// Other commands than those that were planned, and a plan that shows what they need.
#[tokio::test]
async fn a_plan_holds_its_commands() {
    let play = Play::new(true, Program::runs());
    let plan = play.plan("s0", Strategy::Overlap).await.unwrap();
    let other = Play::at(Desk::with(vec![]), false);
    let (mut random, clock) = (Counting(5), play.desk.swarm.clock());
    let mut supply = Supply { values: Values::one(new_value()), random: &mut random };
    let executor = play.desk.executor(&clock).with_passwords(other.changes("s0"));
    assert_eq!(executor.apply(&plan, &mut supply).await.unwrap_err().kind(), ErrorKind::Invalid);
    let lines: Vec<String> = plan.diff().lines.iter().map(|line| line.text.clone()).collect();
    for line in [
        "service s0 (1 task): db -> db_v2 at db, and db beside it at db.previous",
        "update service s0: without db at db.previous",
        "`s0` restarts twice: to have both versions of `db` beside each other, and to lose the old one; if its stack is redeployed in between, twice more",
    ] {
        assert!(lines.iter().any(|text| text == line), "{line}: {lines:#?}");
    }
    assert!(lines[0].contains("2 services to update, 3 tasks to restart"), "{}", lines[0]);
}
