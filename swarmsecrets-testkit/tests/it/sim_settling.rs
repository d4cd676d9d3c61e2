//! Whatever is done to a service, and whenever: left alone with a good spec it comes to rest as that spec says.

use std::time::Duration;

use serde_json::{Value, json};
use swarmsecrets_testkit::sim::{NodeBuilder, Program, ServiceBuilder, SimEngine};

use crate::sim_asking::{ask, edit_service, get, mounted, tasks};

/// A small generator, so that a seed decides the whole story.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

fn world(chance: &mut Chance, seed: u64) -> SimEngine {
    let config = json!({
        "Parallelism": chance.below(3),
        "FailureAction": chance.one_of(&["pause", "continue", "rollback"]),
        "Order": chance.one_of(&["start-first", "stop-first"]),
        "Delay": chance.below(2) * 1_000_000_000,
    });
    let program = Program::needs("pw", b"good").exit(3);
    let program = if chance.below(3) == 0 { program.ignores_sigterm() } else { program };
    let service = ServiceBuilder::new("pay", "i")
        .secret_at("good", "pw")
        .restart_delay(Duration::from_millis(500 + chance.below(3000)))
        .update_config(config);
    let service = if chance.below(4) == 0 { service.global() } else { service.replicas(1 + chance.below(4)) };
    let engine = SimEngine::builder(seed).secret("good", b"good").secret("bad", b"bad").node(NodeBuilder::worker("w"));
    engine.program("pay", program).service(service).build()
}

fn use_secret(spec: &mut Value, engine: &SimEngine, name: &str) {
    let reference = &mut spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0];
    reference["SecretID"] = json!(engine.secret_id(name));
    reference["SecretName"] = json!(name);
}

fn disturb(engine: &SimEngine, chance: &mut Chance) {
    let scale = |spec: &mut Value, replicas| {
        if let Some(mode) = spec["Mode"].get_mut("Replicated") {
            mode["Replicas"] = json!(replicas);
        }
    };
    match chance.below(6) {
        0 => drop(edit_service(engine, "pay", |spec| use_secret(spec, engine, "bad"))),
        1 => drop(edit_service(engine, "pay", |spec| use_secret(spec, engine, "good"))),
        2 => drop(edit_service(engine, "pay", |spec| scale(spec, chance.below(6)))),
        3 => drop(edit_service(engine, "pay", |spec| {
            let force = spec["TaskTemplate"]["ForceUpdate"].as_u64().unwrap();
            spec["TaskTemplate"]["ForceUpdate"] = json!(force + 1);
        })),
        4 => drop(edit_service(engine, "pay", |spec| {
            spec["UpdateConfig"]["Order"] = json!(chance.one_of(&["start-first", "stop-first"]));
        })),
        _ => {
            let service = get(engine, "/services/pay");
            let path = format!("/services/pay/update?version={}&rollback=previous", service["Version"]["Index"]);
            // There may be nothing to go back to: that is refused, and nothing happens.
            assert!([200, 400].contains(&ask(engine, "POST", &path, &service["Spec"]).0));
        }
    }
    engine.run_for(Duration::from_millis(chance.below(8000)));
}

#[test]
fn a_service_that_is_left_alone_comes_to_rest() {
    for seed in 0..80 {
        let mut chance = Chance(seed);
        let engine = world(&mut chance, seed);
        for _ in 0..8 {
            disturb(&engine, &mut chance);
        }
        edit_service(&engine, "pay", |spec| use_secret(spec, &engine, "good"));
        engine.run_for(Duration::from_secs(300));

        let service = &get(&engine, "/services?status=true")[0];
        let wanted = service["ServiceStatus"]["DesiredTasks"].as_u64().unwrap();
        let live: Vec<Value> =
            tasks(&engine, "pay").into_iter().filter(|task| task["DesiredState"] != "shutdown").collect();
        assert_eq!(live.len() as u64, wanted, "seed {seed}: {live:#?}");
        let good = engine.secret_id("good").unwrap();
        assert!(live.iter().all(|task| task["Status"]["State"] == "running"), "seed {seed}: {live:#?}");
        assert!(live.iter().all(|task| mounted(&task["Spec"]) == good), "seed {seed}");
        let state = &service["UpdateStatus"]["State"];
        assert!(state.is_null() || state == "completed", "seed {seed}: {state}");
        // At rest, nothing moves any more.
        let index = service["Version"]["Index"].clone();
        engine.run_for(Duration::from_secs(300));
        assert_eq!(get(&engine, "/services/pay")["Version"]["Index"], index, "seed {seed}");
    }
}
