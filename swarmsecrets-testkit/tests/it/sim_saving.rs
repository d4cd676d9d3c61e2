//! A world that goes to a file and comes back, also in the middle of a rollout.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_testkit::sim::{Program, SecretBuilder, ServiceBuilder, SimEngine};

use crate::sim_asking::{create, edit_service, get, tasks};

fn shop(seed: u64) -> SimEngine {
    SimEngine::builder(seed)
        .secret_with(SecretBuilder::new("pw", b"made-up-old-value").label("tier", "low"))
        .program("web", Program::needs("pw", b"made-up-old-value").exit(3))
        .service(
            ServiceBuilder::new("web", "nginx:1")
                .replicas(2)
                .secret("pw")
                .restart_delay(Duration::from_secs(1))
                .update_config(json!({"Parallelism": 1, "FailureAction": "rollback"})),
        )
        .build()
}

fn give_bad_secret(engine: &SimEngine) -> String {
    engine.run_for(Duration::from_secs(5));
    let bad = create(engine, "secrets", &json!({"Name": "pw_v2", "Labels": {}, "Data": "bWFkZS11cC1iYWQtdmFsdWU="}));
    edit_service(engine, "web", |spec| {
        spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretID"] = json!(bad);
        spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"] = json!("pw_v2");
    });
    engine.run_for(Duration::from_secs(2));
    bad
}

#[test]
fn a_rollout_that_is_saved_midway_ends_as_if_it_had_not_been() {
    let engine = shop(4);
    give_bad_secret(&engine);
    assert_eq!(get(&engine, "/services/web")["UpdateStatus"]["State"], "updating");
    let loaded = SimEngine::load(&engine.save().unwrap()).unwrap();
    for one in [&engine, &loaded] {
        one.run_for(Duration::from_secs(40));
        assert_eq!(get(one, "/services/web")["UpdateStatus"]["State"], "rollback_completed");
    }
    assert_eq!(get(&engine, "/services/web"), get(&loaded, "/services/web"));
    assert_eq!(tasks(&engine, "web"), tasks(&loaded, "web"));
}

#[test]
fn no_value_is_saved_in_any_form() {
    let engine = shop(4);
    give_bad_secret(&engine);
    let saved = String::from_utf8(engine.save().unwrap()).unwrap();
    for value in ["made-up-old-value", "made-up-bad-value", "bWFkZS11cC1", "6d6164652d75702d"] {
        assert!(!saved.contains(value), "the saved world holds {value}");
    }
    assert!(saved.contains("\"simulated\":true") && saved.contains("\"schema\":1"));
}

#[test]
fn one_seed_gives_one_world() {
    let story = |seed| {
        let engine = shop(seed);
        give_bad_secret(&engine);
        engine.run_for(Duration::from_secs(30));
        (get(&engine, "/services"), get(&engine, "/tasks"), get(&engine, "/events"))
    };
    assert_eq!(story(9), story(9));
    assert_ne!(story(9).1, story(10).1);
}
