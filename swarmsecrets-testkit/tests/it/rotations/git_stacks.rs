//! Rotations of secrets that variables of git stacks name.

use std::time::Duration;

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::executor::{Executor, Supply, Values};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::{PortainerRequest, State, WireFault};
use swarmsecrets_testkit::sim::{SecretBuilder, SimEngine};

use super::desk::{Counting, Desk, NEW, OLD};

const URL: &str = "https://git.example/shop.git";
const DAY: Duration = Duration::from_secs(86_400);

fn file() -> String {
    super::stacks::FILE.replace("name: db ", "name: ${DB_SECRET} ")
}

pub(super) fn desk() -> (Desk, u64) {
    let engine = SimEngine::builder(7).secret_with(SecretBuilder::new("db", OLD)).build();
    let swarm = SimSwarm::of(engine, State::default());
    let variables = [("MODE", "prod"), ("DB_SECRET", "db")];
    let stack = swarm.git_stack("admin", "shop", (URL, &file()), &variables, None).unwrap();
    swarm.engine().run_for(Duration::from_secs(60));
    (Desk::at(swarm), stack)
}

/// Somebody pushes a commit that changes nothing that is deployed.
pub(super) fn push(desk: &Desk) -> String {
    let content = format!("# pushed\n{}", file());
    desk.swarm.portainer().state().push(URL, "refs/heads/main", "docker-compose.yml", &content)
}

fn redeploy(desk: &Desk, stack: u64, secret: &str) {
    let env = [("MODE", "prod"), ("DB_SECRET", secret)]
        .map(|(name, value)| serde_json::json!({"name": name, "value": value}));
    let body = serde_json::json!({"env": env, "prune": false, "repositoryReferenceName": "refs/heads/main"});
    let path = format!("/api/stacks/{stack}/git/redeploy");
    desk.swarm.ask("admin", PortainerRequest::new("PUT", &path).param("endpointId", "1").json(&body)).unwrap();
    desk.swarm.engine().run_for(Duration::from_secs(60));
}

fn variables(desk: &Desk, stack: u64) -> Vec<String> {
    let shown = desk.get(&format!("/api/stacks/{stack}"));
    let all = shown["Env"].as_array().unwrap().iter();
    all.map(|v| format!("{}={}", v["name"].as_str().unwrap(), v["value"].as_str().unwrap())).collect()
}

fn commit(desk: &Desk, stack: u64) -> String {
    desk.get(&format!("/api/stacks/{stack}"))["GitConfig"]["ConfigHash"].as_str().unwrap().to_owned()
}

fn said(report: &Report, what: &str) -> bool {
    report.warnings.iter().any(|warning| warning.contains(what))
}

#[tokio::test]
async fn the_variable_names_the_new_version_and_the_stack_stays_with_its_repository() {
    let (desk, stack) = desk();
    let before = desk.get(&format!("/api/stacks/{stack}"))["GitConfig"].clone();
    for n in 2..5 {
        let plan = desk.plan("db", Duration::ZERO).await.unwrap();
        let step = plan.steps.iter().find(|step| step.target == "shop").unwrap();
        assert!(step.text.contains("its variables name db_v"), "{}", step.text);
        let report = desk.apply(&plan, NEW).await.unwrap();
        assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
        let shop = &report.stacks[0];
        assert_eq!((shop.name.as_str(), shop.kind.as_str(), shop.outcome.as_str()), ("shop", "git", "applied"));
        assert_eq!(variables(&desk, stack), ["MODE=prod".to_owned(), format!("DB_SECRET=db_v{n}")]);
        assert_eq!(desk.get(&format!("/api/stacks/{stack}"))["GitConfig"], before);
        let version = desk.service("shop_web")["Version"].clone();
        redeploy(&desk, stack, &format!("db_v{n}"));
        assert_eq!(desk.mounts("shop_web"), [format!("db_v{n}")]);
        assert!(
            desk.service("shop_web")["Version"] == version
                || desk.inventory().await.services[0].tasks.trouble.is_none()
        );
    }
    assert!(desk.has_secret("db_v4") && !desk.has_secret("db_v3"));
}

#[tokio::test]
async fn a_repository_that_has_moved_is_left_to_a_person() {
    let (desk, stack) = desk();
    let deployed = commit(&desk, stack);
    let head = push(&desk);
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::AwaitingPatch, "{report:?}");
    let why = format!("its repository has moved from {} to {} since it was deployed", &deployed[..12], &head[..12]);
    assert!(said(&report, &why), "{:?}", report.warnings);
    assert_eq!(report.stacks[0].patch.as_deref(), Some("# stack variable DB_SECRET: db -> db_v2\n"));
    assert_eq!((variables(&desk, stack)[1].as_str(), commit(&desk, stack)), ("DB_SECRET=db", deployed));
    assert!(desk.has_secret("db"), "the variable still names it");
    redeploy(&desk, stack, "db_v2");
    let report = desk.resume(&report.rotation.unwrap()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(!desk.has_secret("db"));
}

#[tokio::test]
async fn once_it_is_deployed_as_it_stands_the_variable_is_set_by_resume() {
    let (desk, stack) = desk();
    push(&desk);
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::AwaitingPatch, "{report:?}");
    redeploy(&desk, stack, "db");
    let back = desk.mounts("shop_web");
    assert_eq!(back, ["db"], "the redeploy has put the old version back");
    let report = desk.resume(&report.rotation.unwrap()).await.unwrap();
    assert_eq!(variables(&desk, stack)[1], "DB_SECRET=db_v2", "{report:?}");
}

#[tokio::test]
async fn without_anybody_to_ask_it_is_left_to_a_person() {
    let (desk, stack) = desk();
    let plan = desk.plan("db", Duration::ZERO).await.unwrap();
    let clock = desk.swarm.clock();
    let mut supply = Supply { values: Values::one(SecretValue::new(NEW.to_vec()).unwrap()), random: &mut Counting(5) };
    let report = Executor::new(desk.parts(&clock)).apply(&plan, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::AwaitingPatch, "{report:?}");
    assert!(said(&report, "whether its repository has moved since it was deployed was not asked"), "{report:?}");
    assert_eq!(variables(&desk, stack)[1], "DB_SECRET=db");
}

#[tokio::test]
async fn a_private_repository_is_left_to_a_person() {
    let (desk, stack) = desk();
    desk.swarm.portainer().state().use_credential(stack, "robot");
    let plan = desk.plan("db", Duration::ZERO).await.unwrap();
    let why = "it comes from git with a credential, which Portainer shows to nobody";
    assert!(plan.stacks[0].by_hand.as_ref().unwrap().contains(why), "{:?}", plan.stacks);
    let report = desk.apply(&plan, NEW).await.unwrap();
    assert_eq!(report.outcome, Outcome::AwaitingPatch);
    assert!(said(&report, why), "{:?}", report.warnings);
}

#[tokio::test]
async fn a_file_that_names_the_secret_is_never_written() {
    let engine = SimEngine::builder(7).secret_with(SecretBuilder::new("db", OLD)).build();
    let swarm = SimSwarm::of(engine, State::default());
    let stack = swarm.git_stack("admin", "shop", (URL, super::stacks::FILE), &[], None).unwrap();
    swarm.engine().run_for(Duration::from_secs(60));
    let desk = Desk::at(swarm);
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::AwaitingPatch, "{report:?}");
    assert!(desk.get(&format!("/api/stacks/{stack}"))["GitConfig"].is_object(), "it was not cut from git");
}

#[tokio::test]
async fn an_undo_sets_the_variable_back_while_the_repository_stands() {
    let (desk, stack) = desk();
    let report = desk.rotate("db", DAY, NEW).await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let id = report.rotation.unwrap();
    let clock = desk.swarm.clock();
    let report = desk.executor(&clock).rollback(&id, "a test").await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!((variables(&desk, stack)[1].as_str(), desk.mounts("shop_web")), ("DB_SECRET=db", vec!["db".to_owned()]));
    assert!(!desk.has_secret("db_v2"));
}

#[tokio::test]
async fn an_undo_that_may_not_set_the_variable_back_asks_a_person() {
    let (desk, stack) = desk();
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    push(&desk);
    let clock = desk.swarm.clock();
    let report = desk.executor(&clock).rollback(&id, "a test").await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(
        said(
            &report,
            "a variable of stack `shop` names the new one and could not be written (its repository has moved"
        ),
        "{:?}",
        report.warnings
    );
    assert!(desk.has_secret("db_v2"), "the variable still names it");
    redeploy(&desk, stack, "db");
    let report = desk.resume(&id).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
}

/// Portainer has set the variable, and its answer is lost: it is looked at again, and nothing is sent twice.
#[tokio::test]
async fn a_lost_answer_is_looked_for() {
    let (desk, stack) = desk();
    let mut sent = 0;
    desk.client.on_request(move |view| {
        let redeploys = view.path.ends_with("/git/redeploy");
        sent += u32::from(redeploys);
        assert!(sent < 2, "sent once");
        redeploys.then_some(WireFault::LoseAnswer)
    });
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(variables(&desk, stack)[1], "DB_SECRET=db_v2");
}

/// Somebody pushes between the last look and the redeploy, which Portainer's API leaves no way to prevent.
#[tokio::test]
async fn a_push_at_the_last_moment_is_told() {
    let (desk, stack) = desk();
    let before = commit(&desk, stack);
    let portainer = desk.swarm.portainer().clone();
    desk.client.on_request(move |view| {
        if view.path.ends_with("/git/redeploy") {
            let content = format!("# pushed\n{}", file());
            portainer.state().push(URL, "refs/heads/main", "docker-compose.yml", &content);
        }
        None
    });
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let after = commit(&desk, stack);
    assert_ne!(before, after);
    let told = format!(
        "`shop` was deployed from {} when its variables were set, and is from {} now",
        &before[..12],
        &after[..12]
    );
    assert!(said(&report, &told), "{:?}", report.warnings);
}
