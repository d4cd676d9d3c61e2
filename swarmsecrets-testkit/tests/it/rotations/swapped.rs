//! Rotations that go well.

use std::time::Duration;

use serde_json::{Value, json};
use swarmsecrets_core::inventory::Visibility;
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Desk, NEW};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn three() -> Desk {
    let odd = ServiceBuilder::new("s1", "local/app:1").replicas(2).secret_as("db", "/etc/app/pw", "33", "34", 0o400);
    Desk::with(vec![
        (ServiceBuilder::new("s0", "local/app:1").replicas(2).secret("db"), Program::runs()),
        (odd, Program::runs()),
        (ServiceBuilder::new("s2", "local/app:1").global().secret_at("db", "other"), Program::runs()),
    ])
}

/// The spec without what a rotation is meant to change.
fn rest(mut service: Value) -> Value {
    for secret in service["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap() {
        secret["SecretID"] = Value::Null;
        secret["SecretName"] = Value::Null;
    }
    service["Spec"].take()
}

/// Whoever embeds it hands it to threads of a pool.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_carried_out_by_a_task_of_its_own() {
    let desk = three();
    let report = tokio::spawn(async move { desk.rotate("db", DAY, NEW).await }).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
}

#[tokio::test]
async fn every_consumer_is_moved_and_nothing_else_changes() {
    let desk = three();
    let before: Vec<Value> = ["s0", "s1", "s2"].map(|s| rest(desk.service(s))).into();
    let report = desk.rotate("db", DAY, NEW).await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    for (n, name) in ["s0", "s1", "s2"].iter().enumerate() {
        assert_eq!(desk.mounts(name), ["db_v2"]);
        assert_eq!(rest(desk.service(name)), before[n]);
    }
    let tasks = desk.get("/api/endpoints/1/docker/tasks");
    let running = tasks.as_array().unwrap().iter().filter(|t| t["Status"]["State"] == "running");
    assert!(running.clone().count() >= 5);
    for task in running {
        let target = task["Spec"]["ContainerSpec"]["Secrets"][0]["File"]["Name"].as_str().unwrap();
        assert!(desk.swarm.engine().task_reads(task["ID"].as_str().unwrap(), target, NEW), "{task}");
    }
    assert!(desk.has_secret("db"), "it is kept for its grace");
    assert_eq!(
        desk.intents(),
        [
            "create secret db_v2",
            "update service s0: db -> db_v2",
            "update service s1: db -> db_v2",
            "update service s2: db -> db_v2"
        ]
    );
}

#[tokio::test]
async fn the_labels_say_where_a_version_comes_from() {
    let desk = three();
    let report = desk.rotate("db", DAY, NEW).await;
    let secret = desk.get("/api/endpoints/1/docker/secrets/db_v2");
    assert_eq!(
        secret["Spec"]["Labels"],
        json!({
            "team": "payments",
            "io.swarmsecrets.secret": "db",
            "io.swarmsecrets.version": "2",
            "io.swarmsecrets.previous": "db",
            "io.swarmsecrets.grace": "24h",
            "io.swarmsecrets.rotation": report.rotation.unwrap().as_str(),
        })
    );
}

#[tokio::test]
async fn three_rotations_in_a_row_and_the_last_retires_at_once() {
    let desk = three();
    for (n, value) in [b"made-up-2".as_slice(), b"made-up-3", b"made-up-4"].iter().enumerate() {
        let report = desk.rotate("db", Duration::ZERO, value).await;
        assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
        assert_eq!(desk.mounts("s1"), [format!("db_v{}", n + 2)]);
        assert_eq!(report.secrets[0].current.as_ref().unwrap().name.as_str(), format!("db_v{}", n + 2));
    }
    for gone in ["db", "db_v2", "db_v3"] {
        assert!(!desk.has_secret(gone), "{gone}");
    }
}

#[tokio::test]
async fn the_old_version_is_retired_after_its_grace_and_not_before() {
    let desk = three();
    desk.rotate("db", DAY, NEW).await;
    let clock = desk.swarm.clock();
    desk.executor(&clock).retire().await.unwrap();
    assert!(desk.has_secret("db"));
    clock.advance(DAY);
    let reports = desk.executor(&clock).retire().await.unwrap();
    assert_eq!(reports.len(), 1);
    assert!(!desk.has_secret("db"), "{reports:?}");
    assert!(desk.executor(&clock).retire().await.unwrap().is_empty(), "nothing is left to do");
}

#[tokio::test]
async fn a_rotation_in_its_grace_is_rolled_back() {
    let desk = three();
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    let report = desk.executor(&desk.swarm.clock()).rollback(&id, "the operator says so").await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!(desk.mounts("s0"), ["db"]);
    assert!(!desk.has_secret("db_v2"));
}

#[tokio::test]
async fn at_most_three_requests_for_each_consumer_beside_looks() {
    let desk = three();
    let plan = desk.plan("db", DAY).await.unwrap();
    let looks = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let count = looks.clone();
    desk.client.on_request(move |view| {
        let poll = view.path.ends_with("/tasks") && view.query.iter().any(|(k, _)| *k == "filters");
        count.fetch_add(2 * u64::from(poll), std::sync::atomic::Ordering::Relaxed);
        None
    });
    let before = desk.client.requests();
    let report = desk.apply(&plan, NEW).await.unwrap();
    let sent = desk.client.requests() - before;
    assert_eq!(sent, report.requests);
    // Reading the world takes 12 requests here, making the version one.
    let for_consumers = sent - looks.load(std::sync::atomic::Ordering::Relaxed) - 13;
    assert!(for_consumers <= 3 * 3, "{for_consumers} requests for 3 consumers");
}

#[tokio::test]
async fn a_scoped_account_gives_the_new_version_to_the_old_ones_team_and_keeps_what_hidden_services_use() {
    let desk = Desk::with(vec![
        (ServiceBuilder::new("s0", "local/app:1").secret("db"), Program::runs()),
        (ServiceBuilder::new("hidden", "local/app:1").secret("db"), Program::runs()),
    ])
    .scoped(&[]);
    let inventory = desk.inventory().await;
    assert!(matches!(inventory.visibility, Visibility::Partial { .. }));
    assert!(inventory.secrets.iter().all(|s| s.findings.is_empty()), "{:?}", inventory.secrets);
    let report = desk.rotate("db", Duration::ZERO, NEW).await;
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(report.warnings.iter().any(|w| w.contains("used by `hidden`")), "{:?}", report.warnings);
    assert!(desk.has_secret("db"));
    let made = desk.get("/api/endpoints/1/docker/secrets/db_v2");
    assert_eq!(made["Portainer"]["ResourceControl"]["TeamAccesses"][0]["TeamId"], desk.agent().teams[0]);
    assert_eq!(made["Portainer"]["ResourceControl"]["UserAccesses"], json!([]));
}
