//! What a redeployment of the recorded stacks would change.

use serde_json::{Value, json};
use swarmsecrets_core::ids::SecretName;
use swarmsecrets_core::stack::{Live, Variables, redeploy};

/// The recorded exchanges of one file, with what was sent.
fn recorded(file: &str) -> Vec<Value> {
    let path = format!("{}/../fixtures/portainer/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn named<'a>(all: &'a [Value], name: &str) -> &'a Value {
    all.iter().find(|e| e["name"] == name).unwrap_or_else(|| panic!("no recording {name}"))
}

/// The networks were not recorded: each stack has its default one.
fn live(services: &[Value], networks: &[(&str, &str)]) -> Live {
    let networks: Vec<Value> = networks.iter().map(|(id, name)| json!({"Id": id, "Name": name})).collect();
    let services = Value::from(services.to_vec());
    Live::parse(services.to_string().as_bytes(), json!(networks).to_string().as_bytes()).unwrap()
}

fn variables(env: &Value) -> Variables {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    env.as_array().into_iter().flatten().map(|v| (text(&v["name"]), text(&v["value"]))).collect()
}

fn told(stack: &str, file: &Value, env: &Value, live: &Live, names: &[(&str, &str)]) -> Vec<String> {
    let names: Vec<(SecretName, SecretName)> =
        names.iter().map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())).collect();
    let told = redeploy(stack, file.as_str().unwrap(), &variables(env), live, &names).unwrap();
    told.iter().map(ToString::to_string).collect()
}

#[test]
fn the_recorded_shop_stack_differs_in_nothing_but_its_secret() {
    let all = recorded("stacks_and_events");
    let stack = &named(&all, "stack create")["request"]["body"];
    let networks = [("nw5xq6pb6mk23xw9pns1kqf17", "shop_default")];
    let pair = [("shop_db_password", "shop_db_password_v2")];
    let inspected: Vec<&Value> =
        all.iter().filter(|e| e["name"] == "inspect").map(|e| &e["response"]["body"]).collect();
    assert_eq!(inspected.len(), 3, "after the rotation, after a redeployment of the old file, and of the new one");
    for service in inspected {
        let live = live(std::slice::from_ref(service), &networks);
        let now = &service["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"];
        assert!(told("shop", &stack["stackFileContent"], &stack["env"], &live, &pair).is_empty());
        let alone = told("shop", &stack["stackFileContent"], &stack["env"], &live, &[]);
        assert_eq!(alone.is_empty(), now == "shop_db_password", "{alone:?}");
    }
    let services = &named(&all, "services")["response"]["body"];
    let live = live(services.as_array().unwrap(), &networks);
    assert!(told("shop", &stack["stackFileContent"], &stack["env"], &live, &pair).is_empty());
}

#[test]
fn the_recorded_edits_by_hand_are_named() {
    let all = recorded("stack_edits_and_ownership_matrix");
    let stack = &named(&all, "stack create with variables")["request"]["body"];
    let networks = [("qei7rv66ttxq63mpmo46ym6rb", "vars_default")];
    let answer = |name: &str| named(&all, name)["response"]["body"].clone();
    let (a, b) = (answer("service a after PUT"), answer("service b after PUT"));
    let mut edited = b.clone();
    edited["Spec"] = named(&all, "hand edit: replicas 2, env BY_HAND")["request"]["body"].clone();
    let mut as_created = a.clone();
    as_created["Spec"] = a["PreviousSpec"].clone();

    let compare = |env: &Value, services: &[Value]| {
        told("vars", &stack["stackFileContent"], env, &live(services, &networks), &[])
    };
    let untouched = compare(&stack["env"], &[as_created.clone(), b.clone()]);
    assert!(untouched.is_empty(), "{untouched:?}");
    let without_variables = compare(&Value::Null, &[a.clone(), b.clone()]);
    assert!(without_variables.is_empty(), "the PUT wiped the variables, and deployed so: {without_variables:?}");
    insta::assert_snapshot!(compare(&stack["env"], &[a, edited]).join("\n"));
}

#[test]
fn the_recorded_git_stack_is_read_as_well() {
    let all = recorded("git_stack");
    let file = &named(&all, "git stack file")["response"]["body"]["StackFileContent"];
    let missing = told("gitstack", file, &Value::Null, &live(&[], &[]), &[]);
    assert_eq!(missing, ["service `gitstack_w`: service: the stack has defined, the service none"]);
}
