//! The six services of `failing_rollouts.json`, given a bad secret: the simulation must go as the recording went.

use std::time::Duration;

use serde_json::{Value, json};
use swarmsecrets_testkit::sim::{Program, SimEngine};

use crate::sim_asking::{ask, create, edit_service, exchange, get, mounted, recording, tasks};

const NAMES: [&str; 6] = ["f_rollback", "f_pause", "f_continue", "f_global", "f_zero", "f_health"];

struct World {
    engine: SimEngine,
    good: String,
    bad: String,
    services: Vec<String>,
}

/// Creates the recorded services with a good secret, and gives all of them the bad one, as it was recorded.
fn bad_update(seed: u64) -> World {
    let recording = recording("failing_rollouts");
    let engine = SimEngine::new(seed);
    let good = create(&engine, "secrets", &json!({"Name": "app_good", "Labels": {}, "Data": "Z29vZA=="}));
    let bad = create(&engine, "secrets", &json!({"Name": "app_bad", "Labels": {}, "Data": "YmFk"}));
    let program = || Program::needs("x", b"good").log("FATAL: password authentication failed").ignores_sigterm();
    let mut services = Vec::new();
    for name in NAMES {
        let program = if name == "f_health" { program().unhealthy() } else { program().exit(3) };
        engine.program(name, program);
        let mut spec = exchange(&recording, &format!("create {name}"))["request"]["body"].clone();
        spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretID"] = json!(good);
        services.push(create(&engine, "services", &spec));
    }
    engine.run_for(Duration::from_secs(12));
    for service in &services {
        let (status, answer) = edit_service(&engine, service, |spec| {
            let reference = &mut spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0];
            reference["SecretID"] = json!(bad);
            reference["SecretName"] = json!("app_bad");
        });
        assert_eq!((status, answer), (200, json!({"Warnings": null})));
    }
    World { engine, good, bad, services }
}

/// Every state that the update of a service goes through, with its message as far as it names no task.
fn states(world: &World, service: &str) -> Vec<(String, String)> {
    let mut seen: Vec<(String, String)> = Vec::new();
    for _ in 0..600 {
        let update = get(&world.engine, &format!("/services/{service}"))["UpdateStatus"].clone();
        let message = update["Message"].as_str().unwrap_or_default();
        let message = message.split(" of task ").next().unwrap_or_default().to_owned();
        let now = (update["State"].as_str().unwrap_or_default().to_owned(), message);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        world.engine.run_for(Duration::from_millis(100));
    }
    seen
}

/// The states in the order in which the recording polled them.
fn recorded_states(name: &str) -> Vec<(String, String)> {
    let recording = recording("failing_rollouts");
    let polls = recording.iter().filter(|exchange| {
        exchange["name"].as_str().unwrap().starts_with("poll") && exchange["response"]["body"]["Spec"]["Name"] == name
    });
    polls
        .map(|exchange| {
            let update = &exchange["response"]["body"]["UpdateStatus"];
            let message = update["Message"].as_str().unwrap_or_default().split(" of task ").next().unwrap_or_default();
            (update["State"].as_str().unwrap_or_default().to_owned(), message.to_owned())
        })
        .collect()
}

fn is_subsequence<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|wanted| rest.any(|one| one == wanted))
}

#[test]
fn every_state_that_was_recorded_is_gone_through_in_that_order() {
    for (at, name) in NAMES.iter().enumerate() {
        let world = bad_update(at as u64);
        let (seen, recorded) = (states(&world, &world.services[at]), recorded_states(name));
        assert!(!recorded.is_empty());
        assert!(is_subsequence(&recorded, &seen), "{name}: recorded {recorded:?}, simulated {seen:?}");
    }
}

#[test]
fn references_and_previous_specs_end_as_recorded() {
    let recording = recording("failing_rollouts");
    let world = bad_update(3);
    world.engine.run_for(Duration::from_secs(70));
    for (name, service) in NAMES.iter().zip(&world.services) {
        let last = recording.iter().rfind(|exchange| {
            let polled = exchange["name"].as_str().unwrap().starts_with("poll");
            polled && exchange["response"]["body"]["Spec"]["Name"] == *name
        });
        let recorded = &last.unwrap()["response"]["body"];
        let simulated = get(&world.engine, &format!("/services/{service}"));
        let keeps_good = |service: &Value| {
            service["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"] == "app_good"
        };
        assert_eq!(keeps_good(&simulated), keeps_good(recorded), "{name}");
        let has_previous = |service: &Value| service.get("PreviousSpec").is_some();
        assert_eq!(has_previous(&simulated), has_previous(recorded), "{name}");
        assert_eq!(simulated.get("UpdateStatus").is_some(), recorded.get("UpdateStatus").is_some(), "{name}");
    }
}

/// The kinds of tasks that a list holds: state, desired state, error, exit code, message, and whether it is the bad secret.
fn kinds(tasks: &[Value], bad: &str) -> Vec<(String, String, String, i64, String, bool)> {
    let mut kinds: Vec<_> = tasks
        .iter()
        .map(|task| {
            let (status, text) = (&task["Status"], |value: &Value| value.as_str().unwrap_or_default().to_owned());
            let code = status["ContainerStatus"]["ExitCode"].as_i64().unwrap_or(-1);
            let is_bad = mounted(&task["Spec"]) == bad;
            let (state, desired) = (text(&status["State"]), text(&task["DesiredState"]));
            (state, desired, text(&status["Err"]), code, text(&status["Message"]), is_bad)
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[test]
fn tasks_look_as_recorded() {
    let recording = recording("failing_rollouts");
    let world = bad_update(5);
    world.engine.run_for(Duration::from_secs(75));
    for (name, exchange_name, at) in [
        ("f_rollback", "tasks a", 0),
        ("f_pause", "tasks b", 1),
        ("f_continue", "tasks c", 2),
        ("f_health", "tasks h", 5),
    ] {
        let recorded = exchange(&recording, exchange_name)["response"]["body"].as_array().unwrap();
        let bad =
            exchange(&recording, "tasks c")["response"]["body"][0]["Spec"]["ContainerSpec"]["Secrets"][0]["SecretID"]
                .as_str()
                .unwrap();
        let simulated = kinds(&tasks(&world.engine, &world.services[at]), &world.bad);
        for kind in kinds(recorded, bad) {
            // What depends on the very moment of the recording: tasks on their way up, and one that ended as it was stopped.
            let momentary = kind.0 == "assigned" || (kind.0 == "shutdown" && kind.5);
            assert!(momentary || simulated.contains(&kind), "{name}: {kind:?} is not among {simulated:?}");
        }
    }
}

#[test]
fn crash_loops_go_on_with_a_bounded_history() {
    let world = bad_update(8);
    world.engine.run_for(Duration::from_secs(120));
    let tasks = tasks(&world.engine, &world.services[1]);
    for slot in 1..=2 {
        let of_slot = tasks.iter().filter(|task| task["Slot"] == slot).count();
        assert!((3..=6).contains(&of_slot), "slot {slot} has {of_slot} tasks");
    }
    assert!(tasks.iter().any(|task| task["DesiredState"] != "shutdown"), "nothing is going to run");
}

#[test]
fn a_good_update_completes_after_the_monitoring_period_and_keeps_the_previous_spec() {
    let world = bad_update(1);
    let (engine, service) = (&world.engine, &world.services[0]);
    engine.run_for(Duration::from_secs(60));
    let v2 = create(engine, "secrets", &json!({"Name": "app_good_v2", "Labels": {}, "Data": "Z29vZA=="}));
    let before = get(engine, &format!("/services/{service}"));
    let (status, _) = edit_service(engine, service, |spec| {
        spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0] = json!({"SecretID": v2, "SecretName": "app_good_v2", "File": {"Name": "x", "UID": "0", "GID": "0", "Mode": 292}});
    });
    assert_eq!(status, 200);
    let seen = states(&world, service);
    let names: Vec<&str> = seen.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!(names, ["", "updating", "completed"]);
    let after = get(engine, &format!("/services/{service}"));
    assert_eq!(after["PreviousSpec"], before["Spec"]);
    let update = &after["UpdateStatus"];
    assert!(update["CompletedAt"].as_str().unwrap() > update["StartedAt"].as_str().unwrap());
    let running: Vec<Value> =
        tasks(engine, service).into_iter().filter(|task| task["Status"]["State"] == "running").collect();
    assert_eq!(running.len(), 2);
    assert!(running.iter().all(|task| mounted(&task["Spec"]) == v2 && world.good != v2));
    let id = running[0]["ID"].as_str().unwrap();
    assert!(engine.task_reads(id, "x", b"good") && !engine.task_reads(id, "x", b"bad"));
}

#[test]
fn rollback_by_hand_swaps_the_specs() {
    let world = bad_update(2);
    let (engine, service) = (&world.engine, &world.services[2]);
    engine.run_for(Duration::from_secs(40));
    let before = get(engine, &format!("/services/{service}"));
    assert_eq!(before["UpdateStatus"]["State"], "completed");
    let version = &before["Version"]["Index"];
    let path = format!("/services/{service}/update?version={version}&rollback=previous");
    assert_eq!(ask(engine, "POST", &path, &before["Spec"]).0, 200);
    let after = get(engine, &format!("/services/{service}"));
    assert_eq!(after["Spec"], before["PreviousSpec"]);
    assert_eq!(after["PreviousSpec"], before["Spec"]);
    assert_eq!(after["UpdateStatus"]["State"], "rollback_started");
    assert_eq!(after["UpdateStatus"]["Message"], "manually requested rollback");
    engine.run_for(Duration::from_secs(60));
    let end = get(engine, &format!("/services/{service}"));
    assert_eq!(end["UpdateStatus"]["State"], "rollback_completed");
    let status = get(engine, "/services?status=true");
    let status = status.as_array().unwrap().iter().find(|one| one["ID"] == **service).unwrap();
    assert_eq!(status["ServiceStatus"], json!({"RunningTasks": 2, "DesiredTasks": 2, "CompletedTasks": 0}));
}
