//! Rotations of secrets that stacks name.

use std::time::Duration;

use swarmsecrets_core::plan::{Allowances, RotationRequest, ValueRecipe};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::{PortainerRequest, WireFault};
use swarmsecrets_testkit::sim::{SecretBuilder, SimEngine};

use super::desk::{Desk, NEW, OLD};

pub(super) const FILE: &str = "# keep this comment\nservices:\n  web:\n    image: local/app:1\n    secrets: [pw]\nsecrets:\n  pw:\n    external: true\n    name: db   # the password\n";

pub(super) fn desk() -> (Desk, u64) {
    let engine = SimEngine::builder(7).secret_with(SecretBuilder::new("db", OLD)).build();
    let swarm = SimSwarm::of(engine, swarmsecrets_testkit::portainer::State::default());
    let stack = swarm.file_stack("admin", "shop", FILE, &[("MODE", "prod")]).unwrap();
    swarm.engine().run_for(Duration::from_secs(60));
    (Desk::at(swarm), stack)
}

fn put(desk: &Desk, stack: u64, file: &str) {
    let body =
        serde_json::json!({"stackFileContent": file, "env": [{"name": "MODE", "value": "prod"}], "prune": false});
    let request = PortainerRequest::new("PUT", &format!("/api/stacks/{stack}")).param("endpointId", "1").json(&body);
    desk.swarm.ask("admin", request).unwrap();
    desk.swarm.engine().run_for(Duration::from_secs(60));
}

fn file(desk: &Desk, stack: u64) -> String {
    desk.get(&format!("/api/stacks/{stack}/file"))["StackFileContent"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_stored_file_names_the_new_version_and_a_redeploy_changes_nothing() {
    let (desk, stack) = desk();
    for n in 2..5 {
        let report = desk.rotate("db", Duration::ZERO, NEW).await;
        assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
        assert_eq!((report.stacks[0].name.as_str(), report.stacks[0].outcome.as_str()), ("shop", "applied"));
        let expected = FILE.replace("name: db ", &format!("name: db_v{n} "));
        assert_eq!(file(&desk, stack), expected, "comments and layout stay");
        let before = desk.service("shop_web")["Version"]["Index"].clone();
        put(&desk, stack, &expected);
        assert_eq!(desk.mounts("shop_web"), [format!("db_v{n}")]);
        assert!(
            desk.service("shop_web")["Version"]["Index"] == before
                || desk.inventory().await.services[0].tasks.trouble.is_none()
        );
        assert_eq!(desk.get(&format!("/api/stacks/{stack}"))["Env"][0]["value"], "prod", "the variables stay");
    }
    assert!(desk.has_secret("db_v4") && !desk.has_secret("db_v3"));
}

/// The first rotation waits for a patch, a second one replaces its version, and then the file could be written.
#[tokio::test]
async fn a_version_that_was_replaced_is_not_put_into_a_file() {
    let (desk, stack) = desk();
    let scale = |replicas: u64| {
        desk.edit("shop_web", |spec| spec["Mode"]["Replicated"]["Replicas"] = replicas.into());
        desk.swarm.engine().run_for(Duration::from_secs(60));
    };
    scale(3);
    let first = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(first.outcome, Outcome::AwaitingPatch, "{first:?}");
    let second = desk.rotate("db", Duration::ZERO, OLD).await;
    assert_eq!(second.outcome, Outcome::Applied, "{second:?}");
    assert!(!desk.has_secret("db_v2"));
    scale(1);
    let report = desk.resume(&first.rotation.unwrap()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!((file(&desk, stack), desk.mounts("shop_web")), (FILE.to_owned(), vec!["db_v3".to_owned()]));
    assert!(desk.has_secret("db"), "the file still names it");
    let said = "`db` was kept: it is used by the file of stack `shop`";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
}

#[tokio::test]
async fn what_people_changed_by_hand_is_not_reset() {
    let (desk, stack) = desk();
    desk.edit("shop_web", |spec| spec["Mode"]["Replicated"]["Replicas"] = 3.into());
    desk.swarm.engine().run_for(Duration::from_secs(60));
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::AwaitingPatch, "{report:?}");
    assert!(report.warnings.iter().any(|w| w.contains("replicas")), "{:?}", report.warnings);
    assert_eq!(desk.mounts("shop_web"), ["db_v2"]);
    assert_eq!(file(&desk, stack), FILE);
    assert!(desk.has_secret("db"), "the file still names it");
    let patch = report.stacks[0].patch.clone().unwrap();
    assert!(patch.contains("-    name: db   # the password\n+    name: db_v2   # the password"), "{patch}");
    let clock = desk.swarm.clock();
    desk.executor(&clock).retire().await.unwrap();
    assert!(desk.has_secret("db"));

    put(&desk, stack, &FILE.replace("name: db ", "name: db_v2 "));
    let report = desk.resume(&report.rotation.unwrap()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(!desk.has_secret("db"));
}

#[tokio::test]
async fn a_redeploy_that_resets_something_is_done_where_the_request_allows_it() {
    let (desk, stack) = desk();
    desk.edit("shop_web", |spec| spec["Mode"]["Replicated"]["Replicas"] = 3.into());
    desk.swarm.engine().run_for(Duration::from_secs(60));
    let allow = Allowances { redeploy: true, ..Allowances::default() };
    let request = RotationRequest { allow, ..RotationRequest::new("db", ValueRecipe::Supplied) };
    let report = desk.carry_out(&request).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(file(&desk, stack).contains("name: db_v2 "));
    assert_eq!(desk.service("shop_web")["Spec"]["Mode"]["Replicated"]["Replicas"], 1);
}

/// By hand the service mounts another secret than its file says. The redeploy that is allowed takes that back.
#[tokio::test]
async fn what_an_allowed_redeploy_takes_from_the_new_version_is_not_called_applied() {
    let engine = SimEngine::builder(7)
        .secret_with(SecretBuilder::new("db", OLD))
        .secret_with(SecretBuilder::new("key", OLD))
        .build();
    let swarm = SimSwarm::of(engine, swarmsecrets_testkit::portainer::State::default());
    swarm.file_stack("admin", "shop", FILE, &[]).unwrap();
    swarm.engine().run_for(Duration::from_secs(60));
    let desk = Desk::at(swarm);
    let key = desk.swarm.engine().secret_id("key").unwrap();
    desk.edit("shop_web", |spec| {
        let reference = &mut spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0];
        reference["SecretID"] = key.as_str().into();
        reference["SecretName"] = "key".into();
    });
    desk.swarm.engine().run_for(Duration::from_secs(60));
    let secrets = ["db", "key"].map(|name| (name.to_owned(), ValueRecipe::Supplied));
    let allow = Allowances { redeploy: true, ..Allowances::default() };
    let report = desk.carry_out(&RotationRequest { allow, ..RotationRequest::of(secrets) }).await.unwrap();
    assert_eq!(desk.mounts("shop_web"), ["db_v2"]);
    assert_eq!((report.consumers.len(), report.consumers[0].outcome.as_str()), (1, "left"), "{report:?}");
    let said = "`shop_web` does not mount the new version any more: its stack or somebody else has changed that";
    assert!(report.consumers[0].reason.as_deref().unwrap_or_default().starts_with(said), "{report:?}");
}

#[tokio::test]
async fn a_lost_answer_to_the_write_is_looked_at_and_a_refusal_is_said() {
    for (fault, outcome) in [
        (WireFault::LoseAnswer, Outcome::Applied),
        (WireFault::Mask(500, r#"{"message":"made-up"}"#.into()), Outcome::Applied),
        (WireFault::Answer(403, r#"{"message":"made-up refusal"}"#.into()), Outcome::AwaitingPatch),
    ] {
        let (desk, stack) = desk();
        let mut fault = Some(fault);
        desk.client.on_request(move |view| {
            if view.method.as_str() == "PUT" && view.path.starts_with("/api/stacks/") { fault.take() } else { None }
        });
        let report = desk.rotate("db", Duration::ZERO, NEW).await;
        assert_eq!(report.outcome, outcome, "{report:?}");
        assert_eq!(file(&desk, stack).contains("name: db_v2 "), outcome == Outcome::Applied);
        assert_eq!(desk.has_secret("db"), outcome != Outcome::Applied);
    }
}

#[tokio::test]
async fn a_rollback_in_its_grace_puts_the_file_back_too() {
    let (desk, stack) = desk();
    let report = desk.rotate("db", Duration::from_secs(3600), NEW).await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let report = desk.executor(&desk.swarm.clock()).rollback(&report.rotation.unwrap(), "a test").await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!(file(&desk, stack), FILE);
    assert_eq!(desk.mounts("shop_web"), ["db"]);
    assert!(!desk.has_secret("db_v2"));
}

#[tokio::test]
async fn a_stopped_stack_that_names_the_old_version_keeps_it() {
    let (desk, stack) = desk();
    let stop = PortainerRequest::new("POST", &format!("/api/stacks/{stack}/stop")).param("endpointId", "1");
    desk.swarm.ask("admin", stop).unwrap();
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::AwaitingPatch, "{report:?}");
    assert!(desk.has_secret("db"));
    assert_eq!(desk.get(&format!("/api/stacks/{stack}"))["Status"], 2, "it stays stopped");
}

#[tokio::test]
async fn a_stack_that_appears_later_with_the_old_name_keeps_it() {
    let engine = SimEngine::builder(7).secret_with(SecretBuilder::new("db", OLD)).build();
    let desk = Desk::at(SimSwarm::of(engine, swarmsecrets_testkit::portainer::State::default()));
    desk.rotate("db", Duration::from_secs(60), NEW).await;
    desk.swarm.file_stack("admin", "late", FILE, &[]).unwrap();
    let clock = desk.swarm.clock();
    clock.advance(Duration::from_secs(120));
    let reports = desk.executor(&clock).retire().await.unwrap();
    assert!(desk.has_secret("db"));
    assert!(reports[0].warnings.iter().any(|w| w.contains("service `late_web`") && w.contains("kept")), "{reports:?}");
}
