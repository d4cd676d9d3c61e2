//! Stacks, compared with `stacks_and_events.json` and `stack_edits_and_ownership_matrix.json`.

use serde_json::{Value, json};
use swarmsecrets_core::stack::{Live, Variables, redeploy};
use swarmsecrets_testkit::engine::Engine;
use swarmsecrets_testkit::engine::StackDeployment;
use swarmsecrets_testkit::sim::SimEngine;

use crate::sim_asking::{ask, create, edit_service, exchange, get, recording};

fn stack(name: &str, file: &Value, variables: &[(&str, &str)]) -> StackDeployment {
    let variables = variables.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    StackDeployment { name: name.into(), file: file.as_str().unwrap().into(), variables, prune: false }
}

fn secret(name: &str) -> Value {
    json!({"Name": name, "Labels": {}, "Data": "eA=="})
}

/// A recorded spec with the ids of that other Swarm replaced by this one's.
fn with_ids_of(mut recorded: Value, simulated: &Value) -> Value {
    for path in ["/TaskTemplate/ContainerSpec/Secrets/0/SecretID", "/TaskTemplate/Networks/0/Target"] {
        if let (Some(place), Some(value)) = (recorded.pointer_mut(path), simulated.pointer(path)) {
            *place = value.clone();
        }
    }
    recorded
}

#[test]
fn a_deployed_service_is_specified_as_recorded_and_a_redeploy_puts_the_old_secret_back() {
    let recorded = recording("stacks_and_events");
    let file = &exchange(&recorded, "stack create")["request"]["body"]["stackFileContent"];
    let engine = SimEngine::new(0);
    create(&engine, "secrets", &secret("shop_db_password"));
    let v2 = create(&engine, "secrets", &secret("shop_db_password_v2"));
    engine.deploy_now(&stack("shop", file, &[("FOO", "bar")])).unwrap();

    let simulated = get(&engine, "/services/shop_web")["Spec"].clone();
    let services = exchange(&recorded, "services")["response"]["body"].as_array().unwrap();
    let recorded_spec = services.iter().find(|one| one["Spec"]["Name"] == "shop_web").unwrap()["Spec"].clone();
    assert_eq!(simulated, with_ids_of(recorded_spec, &simulated));

    edit_service(&engine, "shop_web", |spec| {
        let reference = &mut spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0];
        reference["SecretID"] = json!(v2);
        reference["SecretName"] = json!("shop_db_password_v2");
    });
    engine.deploy_now(&stack("shop", file, &[])).unwrap();
    let again = get(&engine, "/services/shop_web");
    assert_eq!(again["Spec"], simulated);
    assert_eq!(again["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretID"], v2);
}

#[test]
fn a_stack_whose_secret_is_gone_is_refused_with_the_recorded_words() {
    let recorded = recording("stacks_and_events");
    let exchange = exchange(&recorded, "stack redeploy old file (secret gone)");
    let engine = SimEngine::new(0);
    let refused = engine.deploy_now(&stack("shop", &exchange["request"]["body"]["stackFileContent"], &[]));
    assert_eq!(refused.unwrap_err(), exchange["response"]["body"]["message"].as_str().unwrap());
    assert_eq!(get(&engine, "/services"), json!([]));
}

#[test]
fn a_secret_from_a_file_is_refused_with_the_recorded_words() {
    let recorded = recording("configs_exec_stacks_team_leader");
    let exchange = exchange(&recorded, "stack with file secret (missing file)");
    let file = &exchange["request"]["body"]["stackFileContent"];
    let refused = SimEngine::new(0).deploy_now(&stack("5", file, &[])).unwrap_err();
    assert_eq!(refused, exchange["response"]["body"]["message"].as_str().unwrap());
}

#[test]
fn a_redeploy_undoes_what_was_changed_by_hand_and_variables_decide_as_recorded() {
    let recorded = recording("stack_edits_and_ownership_matrix");
    let file = &exchange(&recorded, "stack create with variables")["request"]["body"]["stackFileContent"];
    let engine = SimEngine::new(0);
    create(&engine, "secrets", &secret("st_a"));
    let env = |service: &str| {
        get(&engine, &format!("/services/{service}"))["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"].clone()
    };
    engine.deploy_now(&stack("vars", file, &[("MODE", "prod"), ("SECRET", "st_a")])).unwrap();
    assert_eq!(env("vars_a"), json!(["MODE=prod"]));
    edit_service(&engine, "vars_b", |spec| {
        spec["Mode"] = json!({"Replicated": {"Replicas": 2}});
        spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["BY_HAND=yes"]);
    });
    engine.deploy_now(&stack("vars", file, &[])).unwrap();
    let after = get(&engine, "/services/vars_b");
    let put = exchange(&recorded, "service b after PUT")["response"]["body"].clone();
    assert_eq!(after["Spec"], with_ids_of(put["Spec"].clone(), &after["Spec"]));
    assert_eq!(after["PreviousSpec"], with_ids_of(put["PreviousSpec"].clone(), &after["PreviousSpec"]));
    assert_eq!(env("vars_a"), json!(["MODE=none"]));
}

#[tokio::test]
async fn pruning_and_removing() {
    let engine = SimEngine::new(0);
    let file = |services: &str| json!(format!("services: {{{services}}}"));
    let both = file("a: {image: i}, b: {image: i, deploy: {mode: global}}");
    engine.deploy(stack("s", &both, &[])).await.unwrap();
    let names = || {
        let list = get(&engine, "/services");
        let mut names: Vec<String> =
            list.as_array().unwrap().iter().map(|one| one["Spec"]["Name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["s_a", "s_b"]);
    let one = stack("s", &file("a: {image: i}"), &[]);
    engine.deploy(one.clone()).await.unwrap();
    assert_eq!(names(), ["s_a", "s_b"]);
    engine.deploy(StackDeployment { prune: true, ..one }).await.unwrap();
    assert_eq!(names(), ["s_a"]);
    engine.undeploy("s").await.unwrap();
    engine.run_for(std::time::Duration::from_secs(20));
    assert_eq!(names(), [""; 0]);
    assert_eq!(get(&engine, "/tasks"), json!([]));
    assert_eq!(ask(&engine, "GET", "/services/s_a", &Value::Null).0, 404);
}

/// The core's view of what a deployment does is the simulation's: nothing differs right after one.
#[test]
fn a_deployed_stack_differs_in_nothing_until_somebody_changes_it() {
    const FILE: &str = "
services:
  web:
    image: nginx:1
    command: [sleep, '1']
    environment: {MODE: '${MODE:-none}'}
    labels: {a: b}
    secrets: [s, {source: t, target: conf/t, uid: '7', mode: 0400}]
    configs: [c]
    stop_grace_period: 20s
    healthcheck: {test: 'true', interval: 30s, retries: 2}
    deploy:
      endpoint_mode: dnsrr
      replicas: 2
      labels: {tier: low}
      update_config: {parallelism: 2, delay: 1s, failure_action: rollback, order: start-first}
      restart_policy: {condition: on-failure, delay: 1s, max_attempts: 3}
      placement: {constraints: ['node.role == manager']}
  everywhere: {image: i, deploy: {mode: global}}
secrets:
  s: {external: true}
  t: {external: true, name: t_v2}
configs:
  c: {external: true}
";
    let engine = SimEngine::new(0);
    for name in ["s", "t_v2"] {
        create(&engine, "secrets", &secret(name));
    }
    create(&engine, "configs", &secret("c"));
    engine.deploy_now(&stack("shop", &json!(FILE), &[("MODE", "prod")])).unwrap();
    let differences = || {
        let read = |path: &str| get(&engine, path).to_string();
        let live = Live::parse(read("/services").as_bytes(), read("/networks").as_bytes()).unwrap();
        let variables: Variables = [("MODE".to_owned(), "prod".to_owned())].into_iter().collect();
        let told = redeploy("shop", FILE, &variables, &live, &[]).unwrap();
        told.into_iter().map(|difference| format!("{}: {}", difference.service, difference.field)).collect::<Vec<_>>()
    };
    assert_eq!(differences(), [""; 0]);
    edit_service(&engine, "shop_web", |spec| spec["Mode"] = json!({"Replicated": {"Replicas": 3}}));
    assert_eq!(differences(), ["shop_web: replicas"]);
}
