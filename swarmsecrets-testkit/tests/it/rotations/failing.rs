//! Rotations that go wrong, and what is left of them.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::portainer::WireFault;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Desk, NEW, OLD};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn picky(name: &str, action: &str) -> ServiceBuilder {
    ServiceBuilder::new(name, "local/app:1")
        .replicas(2)
        .secret("db")
        .restart_delay(Duration::from_secs(1))
        .update_config(json!({"Parallelism": 1, "FailureAction": action, "Monitor": 5_000_000_000u64}))
}

#[tokio::test]
async fn a_bad_value_is_taken_back_under_each_failure_action() {
    for action in ["pause", "continue", "rollback"] {
        let desk = Desk::with(vec![
            (ServiceBuilder::new("s0", "local/app:1").secret("db"), Program::runs()),
            (picky("s1", action), Program::needs("db", OLD).exit(3).log("FATAL: password authentication failed")),
        ]);
        let report = desk.rotate("db", DAY, NEW).await;
        assert_eq!(report.outcome, Outcome::RolledBack, "{action}: {report:?}");
        assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db".to_owned()], vec!["db".to_owned()]), "{action}");
        assert!(desk.has_secret("db") && !desk.has_secret("db_v2"), "{action}");
        let reason = report.consumers[1].reason.clone().unwrap();
        assert!(reason.contains("tasks of `s1` exited 3 with the new version"), "{action}: {reason}");
        let inventory = desk.inventory().await;
        assert!(inventory.services.iter().all(|s| s.tasks.trouble.is_none()), "{action}: {:?}", inventory.services);
    }
}

#[tokio::test]
async fn an_unhealthy_container_is_taken_back() {
    let service = picky("s0", "rollback").health(Duration::from_secs(1), 2);
    let desk = Desk::with(vec![(service, Program::needs("db", OLD).unhealthy())]);
    let report = desk.rotate("db", DAY, NEW).await;
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(report.warnings[0].contains("unhealthy container"), "{:?}", report.warnings);
    assert_eq!(desk.mounts("s0"), ["db"]);
}

#[tokio::test]
async fn a_consumer_in_trouble_is_refused_and_named() {
    let desk = Desk::with(vec![(picky("s0", "pause"), Program::needs("db", b"another value"))]);
    let error = desk.plan("db", DAY).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("`s0` ("), "{error}");
}

#[tokio::test]
async fn a_person_edits_a_service_between_plan_and_apply() {
    let desk = Desk::with(vec![(ServiceBuilder::new("s0", "local/app:1").secret("db"), Program::runs())]);
    let plan = desk.plan("db", DAY).await.unwrap();
    desk.edit("s0", |spec| spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["BY_HAND=yes"]));
    desk.swarm.engine().run_for(Duration::from_secs(60));
    let error = desk.apply(&plan, NEW).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stale);
    assert!(error.message().contains("service `s0` at version"), "{error}");
    assert_eq!(desk.service("s0")["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"], json!(["BY_HAND=yes"]));
    assert!(!desk.has_secret("db_v2") && desk.intents().is_empty());
}

#[tokio::test]
async fn a_version_that_moves_under_the_update_is_read_again() {
    let desk = Desk::with(vec![(ServiceBuilder::new("s0", "local/app:1").secret("db"), Program::runs())]);
    let mut first = true;
    desk.client.on_request(move |view| {
        let update = view.path.ends_with("/update") && std::mem::take(&mut first);
        let body = r#"{"message":"rpc error: code = Unknown desc = update out of sequence"}"#;
        update.then(|| WireFault::Answer(500, body.into()))
    });
    let report = desk.rotate("db", DAY, NEW).await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
}

#[tokio::test]
async fn answers_that_are_lost_make_no_second_version() {
    for nth in 1..6 {
        let desk = Desk::with(vec![(ServiceBuilder::new("s0", "local/app:1").secret("db"), Program::runs())]);
        let mut writes = 0;
        let plan = desk.plan("db", Duration::ZERO).await.unwrap();
        desk.client.on_request(move |view| {
            writes += i32::from(view.method.as_str() != "GET");
            (view.method.as_str() != "GET" && writes == nth).then_some(WireFault::LoseAnswer)
        });
        let report = desk.apply(&plan, NEW).await.unwrap();
        assert_eq!(report.outcome, Outcome::Applied, "{nth}: {report:?}");
        assert_eq!(desk.mounts("s0"), ["db_v2"]);
        assert!(!desk.has_secret("db") && !desk.has_secret("db_v3"));
    }
}

#[tokio::test]
async fn half_a_rotation_is_a_conflict_for_the_next_agent() {
    let desk = Desk::with(vec![
        (ServiceBuilder::new("s0", "local/app:1").secret("db"), Program::runs()),
        (ServiceBuilder::new("s1", "local/app:1").secret("db"), Program::runs()),
    ]);
    let mut updates = 0;
    let cancel = desk.cancellation.clone();
    desk.client.on_request(move |view| {
        updates += i32::from(view.path.ends_with("/update"));
        if updates == 1 {
            cancel.cancel();
        }
        None
    });
    let report = desk.rotate("db", DAY, NEW).await;
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db_v2".to_owned()], vec!["db".to_owned()]));
    let error = desk.plan("db", DAY).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains(report.rotation.unwrap().as_str()), "{error}");
}
