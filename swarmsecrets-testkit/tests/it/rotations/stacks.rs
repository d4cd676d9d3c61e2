//! Rotations of secrets that stacks name.

use std::time::Duration;

use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::PortainerRequest;
use swarmsecrets_testkit::sim::{SecretBuilder, SimEngine};

use super::desk::{Counting, Desk, NEW, OLD};

const FILE: &str = "# keep this comment\nservices:\n  web:\n    image: local/app:1\n    secrets: [pw]\nsecrets:\n  pw:\n    external: true\n    name: db   # the password\n";

fn desk() -> (Desk, u64) {
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

#[tokio::test]
async fn the_stored_file_is_a_persons_to_patch_and_the_old_version_waits_for_it() {
    let (desk, stack) = desk();
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::AwaitingPatch, "{report:?}");
    assert_eq!(desk.mounts("shop_web"), ["db_v2"]);
    assert!(desk.has_secret("db"));
    let patch = report.stacks[0].patch.clone().unwrap();
    assert!(patch.contains("-    name: db   # the password\n+    name: db_v2   # the password"), "{patch}");
    let clock = desk.swarm.clock();
    desk.executor(&clock).retire().await.unwrap();
    assert!(desk.has_secret("db"), "the file still names it");

    put(&desk, stack, &FILE.replace("name: db ", "name: db_v2 "));
    assert_eq!(desk.mounts("shop_web"), ["db_v2"], "the redeploy changes nothing");
    let mut random = Counting(1);
    let mut supply = swarmsecrets_core::executor::Supply {
        values: swarmsecrets_core::executor::Values::none(),
        random: &mut random,
    };
    let report = desk.executor(&clock).resume(&report.rotation.unwrap(), &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(!desk.has_secret("db"));
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
