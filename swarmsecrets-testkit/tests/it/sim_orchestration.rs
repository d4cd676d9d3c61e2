//! What the orchestrator does beside the recorded rollouts.

use std::time::Duration;

use serde_json::{Value, json};
use swarmsecrets_testkit::sim::{NodeBuilder, Program, ServiceBuilder, SimEngine, WorldBuilder};

use crate::sim_asking::{ask, create, edit_service, get, mounted, tasks};

fn world() -> WorldBuilder {
    SimEngine::builder(11).secret("good", b"good").secret("bad", b"bad")
}

fn give(engine: &SimEngine, service: &str, secret: &str) {
    let id = engine.secret_id(secret).unwrap();
    let (status, answer) = edit_service(engine, service, |spec| {
        let reference = &mut spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0];
        reference["SecretID"] = json!(id);
        reference["SecretName"] = json!(secret);
    });
    assert_eq!(status, 200, "{answer}");
}

fn update_state(engine: &SimEngine, service: &str) -> Value {
    get(engine, &format!("/services/{service}"))["UpdateStatus"]["State"].clone()
}

fn running(engine: &SimEngine, service: &str) -> Vec<Value> {
    tasks(engine, service).into_iter().filter(|task| task["Status"]["State"] == "running").collect()
}

/// A service of `replicas` tasks that exits with a bad secret, updated with `config`.
fn picky(replicas: u64, config: Value) -> SimEngine {
    let service = ServiceBuilder::new("pay", "pay:1").replicas(replicas).secret_at("good", "pw").update_config(config);
    let engine = world().program("pay", Program::needs("pw", b"good").exit(3)).service(service).build();
    engine.run_for(Duration::from_secs(10));
    assert_eq!(running(&engine, "pay").len() as u64, replicas);
    engine
}

#[test]
fn while_slots_are_left_a_failure_pauses_at_once() {
    // Unlike with two slots, which the recordings show: there the second one decides.
    let engine = picky(4, json!({"Parallelism": 1}));
    give(&engine, "pay", "bad");
    engine.run_for(Duration::from_secs(20));
    assert_eq!(update_state(&engine, "pay"), "paused");
    assert_eq!(running(&engine, "pay").len(), 2);
    // Paused, nothing more is updated until somebody says so.
    engine.run_for(Duration::from_secs(120));
    assert_eq!(running(&engine, "pay").len(), 2);
    give(&engine, "pay", "good");
    engine.run_for(Duration::from_secs(60));
    assert_eq!((update_state(&engine, "pay"), running(&engine, "pay").len()), (json!("completed"), 4));
}

#[test]
fn a_rollback_is_left_alone_below_the_failure_ratio() {
    let engine = picky(4, json!({"Parallelism": 0, "FailureAction": "rollback", "MaxFailureRatio": 1.0}));
    give(&engine, "pay", "bad");
    engine.run_for(Duration::from_secs(60));
    assert_eq!((update_state(&engine, "pay"), running(&engine, "pay").len()), (json!("completed"), 0));
}

#[test]
fn a_rollback_that_fails_too_is_paused() {
    let engine = picky(1, json!({"FailureAction": "rollback"}));
    engine.program("pay", Program::exits(9));
    give(&engine, "pay", "bad");
    engine.run_for(Duration::from_secs(60));
    assert_eq!(update_state(&engine, "pay"), "rollback_paused");
    let service = get(&engine, "/services/pay");
    assert!(service["UpdateStatus"]["Message"].as_str().unwrap().starts_with("rollback paused due to failure"));
}

#[test]
fn start_first_never_has_fewer_tasks_and_stop_first_has() {
    for (order, fewest) in [("start-first", 2), ("stop-first", 1)] {
        let engine = picky(2, json!({"Parallelism": 1, "Order": order, "Delay": 1_000_000_000_u64}));
        create(&engine, "secrets", &json!({"Name": "good_v2", "Labels": {}, "Data": "Z29vZA=="}));
        give(&engine, "pay", "good_v2");
        let mut seen = usize::MAX;
        while update_state(&engine, "pay") != "completed" {
            seen = seen.min(running(&engine, "pay").len());
            engine.run_for(Duration::from_millis(50));
        }
        assert_eq!(seen, fewest, "{order}");
        let new = engine.secret_id("good_v2").unwrap();
        assert!(running(&engine, "pay").iter().all(|task| mounted(&task["Spec"]) == new));
    }
}

#[test]
fn a_second_update_takes_over_from_the_first() {
    let engine = picky(3, json!({"Parallelism": 1}));
    create(&engine, "secrets", &json!({"Name": "good_v2", "Labels": {}, "Data": "Z29vZA=="}));
    give(&engine, "pay", "bad");
    engine.run_for(Duration::from_millis(500));
    assert_eq!(update_state(&engine, "pay"), "updating");
    give(&engine, "pay", "good_v2");
    assert_eq!(update_state(&engine, "pay"), Value::Null);
    engine.run_for(Duration::from_secs(60));
    let new = engine.secret_id("good_v2").unwrap();
    let running = running(&engine, "pay");
    assert_eq!((update_state(&engine, "pay"), running.len()), (json!("completed"), 3));
    assert!(running.iter().all(|task| mounted(&task["Spec"]) == new));
}

#[test]
fn only_what_tasks_are_made_of_restarts_them() {
    let engine = picky(2, Value::Null);
    let before = running(&engine, "pay");
    edit_service(&engine, "pay", |spec| spec["Labels"]["note"] = json!("changed"));
    engine.run_for(Duration::from_secs(20));
    assert_eq!(running(&engine, "pay"), before);
    assert_eq!(update_state(&engine, "pay"), Value::Null);
    edit_service(&engine, "pay", |spec| spec["TaskTemplate"]["ForceUpdate"] = json!(1));
    engine.run_for(Duration::from_secs(20));
    assert_eq!(update_state(&engine, "pay"), "completed");
    assert!(running(&engine, "pay").iter().all(|task| !before.contains(task)));
}

#[test]
fn scaling_makes_and_removes_tasks() {
    let engine = picky(2, Value::Null);
    for (replicas, slots) in [(4, vec![1, 2, 3, 4]), (1, vec![1]), (0, vec![]), (2, vec![1, 2])] {
        edit_service(&engine, "pay", |spec| spec["Mode"]["Replicated"]["Replicas"] = json!(replicas));
        engine.run_for(Duration::from_secs(20));
        let mut seen: Vec<u64> = running(&engine, "pay").iter().map(|task| task["Slot"].as_u64().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, slots);
        assert_eq!(tasks(&engine, "pay").len(), slots.len());
    }
}

#[test]
fn restart_policies_are_kept() {
    let policy = |condition: &str, attempts: u64| json!({"Condition": condition, "MaxAttempts": attempts, "Delay": 1_000_000_000_u64});
    for (code, policy, expected) in [
        (0, policy("any", 2), 3),
        (0, policy("on-failure", 0), 1),
        (1, policy("on-failure", 1), 2),
        (1, policy("none", 0), 1),
    ] {
        let service = ServiceBuilder::new("one", "i").with("/TaskTemplate/RestartPolicy", policy.clone());
        let engine = SimEngine::builder(1).program("one", Program::exits(code)).service(service).build();
        engine.run_for(Duration::from_secs(60));
        let tasks = tasks(&engine, "one");
        assert_eq!(tasks.len(), expected, "{policy}");
        let state = if code == 0 { "complete" } else { "failed" };
        assert!(tasks.iter().all(|task| task["Status"]["State"] == state && task["DesiredState"] == "shutdown"));
    }
}

#[test]
fn a_job_runs_to_its_end_and_again_after_any_update() {
    let job = ServiceBuilder::new("job1", "i").job(1, 2).with("/EndpointSpec", Value::Null);
    let engine = SimEngine::builder(1).service(job).build();
    engine.run_for(Duration::from_secs(1));
    assert_eq!(tasks(&engine, "job1").len(), 1);
    engine.run_for(Duration::from_secs(30));
    let first = tasks(&engine, "job1");
    assert_eq!(first.len(), 2);
    for task in &first {
        assert_eq!((&task["Status"]["State"], &task["DesiredState"]), (&json!("complete"), &json!("complete")));
        assert_eq!((&task["Status"]["Message"], &task["JobIteration"]), (&json!("finished"), &json!({})));
    }
    assert_eq!(first[0].get("Slot"), None);
    assert_eq!(first[1]["Slot"], 1);
    assert_eq!(get(&engine, "/services/job1")["JobStatus"]["JobIteration"], json!({}));
    edit_service(&engine, "job1", |spec| spec["Labels"]["x"] = json!("y"));
    engine.run_for(Duration::from_secs(30));
    let second = tasks(&engine, "job1");
    assert!(second.len() == 2 && second.iter().all(|task| !first.contains(task)));
    assert_eq!(get(&engine, "/services/job1")["JobStatus"]["JobIteration"], json!({"Index": 1}));
    let status = &get(&engine, "/services?status=true")[0]["ServiceStatus"];
    assert_eq!(status["CompletedTasks"], 2);
}

#[test]
fn a_job_that_fails_is_tried_again_if_its_policy_says_so() {
    let job = |condition: &str| {
        ServiceBuilder::new("job1", "i").job(1, 1).with("/TaskTemplate/RestartPolicy", json!({"Condition": condition}))
    };
    let failing = |condition| SimEngine::builder(1).program("job1", Program::exits(4)).service(job(condition)).build();
    let (never, always) = (failing("none"), failing("on-failure"));
    never.run_for(Duration::from_secs(60));
    always.run_for(Duration::from_secs(60));
    assert_eq!(tasks(&never, "job1").len(), 1);
    assert!(tasks(&always, "job1").len() > 2);
}

#[test]
fn a_global_service_stands_on_every_node_that_suits_it() {
    let engine = SimEngine::builder(2)
        .node(NodeBuilder::worker("w1").label("zone", "a"))
        .node(NodeBuilder::worker("w2").os("windows"))
        .service(ServiceBuilder::new("all", "i").global())
        .service(ServiceBuilder::new("linux", "i").global().constraint("node.platform.os != windows"))
        .service(ServiceBuilder::new("nowhere", "i").constraint("node.labels.zone == b"))
        .build();
    engine.run_for(Duration::from_secs(10));
    assert_eq!((running(&engine, "all").len(), running(&engine, "linux").len()), (3, 2));
    assert!(running(&engine, "all").iter().all(|task| task.get("Slot").is_none() && task["NodeID"].is_string()));
    let waiting = &tasks(&engine, "nowhere")[0]["Status"];
    assert_eq!(
        (&waiting["State"], waiting["Err"].as_str().unwrap().contains("no suitable node")),
        (&json!("pending"), true)
    );
}

#[test]
fn a_container_cannot_start_without_its_secret() {
    let engine = picky(1, Value::Null);
    create(&engine, "secrets", &json!({"Name": "good_v2", "Labels": {}, "Data": "Z29vZA=="}));
    give(&engine, "pay", "good_v2");
    engine.run_for(Duration::from_secs(30));
    assert_eq!(ask(&engine, "DELETE", "/secrets/good", &Value::Null).0, 204);
    // A rollback by hand is not checked for what it brings back.
    let service = get(&engine, "/services/pay");
    let path = format!("/services/pay/update?version={}&rollback=previous", service["Version"]["Index"]);
    assert_eq!(ask(&engine, "POST", &path, &service["Spec"]).0, 200);
    engine.run_for(Duration::from_secs(30));
    assert_eq!(update_state(&engine, "pay"), "rollback_paused");
    let failed = tasks(&engine, "pay").into_iter().find(|task| task["Status"]["State"] == "failed").unwrap();
    assert!(failed["Status"]["Err"].as_str().unwrap().contains("could not be found"));
}

#[test]
fn many_services_take_little_time() {
    let mut builder = SimEngine::builder(1).secret("s", b"x");
    for number in 0..300 {
        builder = builder.service(ServiceBuilder::new(&format!("svc-{number}"), "i").replicas(2).secret("s"));
    }
    let engine = builder.build();
    engine.run_for(Duration::from_secs(60));
    assert_eq!(get(&engine, "/tasks").as_array().unwrap().len(), 600);
}
