//! A rotation by an account that sees only what its team owns.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::command::{rotate_args, start};
use crate::scene::Scene;
use crate::{docker, place, portainer};

/// The number of a team.
fn team(name: &str) -> Value {
    let teams = portainer::admin("GET", "/teams", None);
    let found = teams.as_array().unwrap().iter().find(|team| team["Name"] == name);
    found.unwrap_or_else(|| panic!("there is no team {name} in {teams}"))["Id"].clone()
}

/// Creates something on the Engine through Portainer, and gives it to a team.
fn create_for(team: &Value, path: &str, spec: &Value) -> String {
    let created = portainer::admin("POST", &portainer::engine(path), Some(spec));
    let control = &created["Portainer"]["ResourceControl"]["Id"];
    let owner = json!({"Teams": [team], "Users": [], "Public": false, "AdministratorsOnly": false});
    portainer::admin("PUT", &format!("/resource_controls/{control}"), Some(&owner));
    created["ID"].as_str().unwrap().to_owned()
}

fn service_for(team: &Value, name: &str, secret: (&str, &str)) {
    let serve = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
    let file = json!({"Name": "pw", "UID": "0", "GID": "0", "Mode": 0o444});
    let spec = json!({
        "Name": name, "Labels": {}, "Mode": {"Replicated": {"Replicas": 1}}, "EndpointSpec": {"Mode": "dnsrr"},
        "UpdateConfig": {"Parallelism": 1, "Monitor": 1_000_000_000, "FailureAction": "pause"},
        "TaskTemplate": {"ContainerSpec": {
            "Image": place::image(), "Command": ["sh", "-c", serve],
            "Secrets": [{"SecretID": secret.1, "SecretName": secret.0, "File": file}],
        }},
    });
    create_for(team, "/services/create", &spec);
    docker::wait_for_containers(name, 1);
}

#[test]
fn a_hidden_consumer_keeps_the_old_version_and_is_named() {
    let scene = Scene::new("scoped");
    let (payments, platform) = (team("payments"), team("platform"));
    let (old, new) = (scene.value("old"), scene.value("new"));
    let (secret, seen, hidden) = (scene.own("key"), scene.own("pay"), scene.own("hidden"));
    let data = STANDARD.encode(&old);
    let id = create_for(&payments, "/secrets/create", &json!({"Name": secret, "Labels": {}, "Data": data}));
    service_for(&payments, &seen, (&secret, &id));
    service_for(&platform, &hidden, (&secret, &id));

    let agent = place::agent_key();
    let shown = start(&agent, &["inventory"]).end();
    assert_eq!(shown.json["visibility"], "partial", "{}", shown.printed);
    assert!(!shown.json.to_string().contains(&hidden), "the account sees what it should not: {}", shown.printed);

    let (file, journal) = (scene.value_file(&new), scene.journal());
    let ended = start(&agent, &rotate_args(&secret, &file, "0s", &journal)).end().expect(0, "applied");

    scene.assert_all_read(&[seen], &new);
    scene.assert_all_read(std::slice::from_ref(&hidden), &old);
    assert!(ended.json["warnings"].to_string().contains(&hidden), "the Engine's names are lost: {}", ended.printed);
    let current = format!("{secret}_v2");
    assert_eq!(docker::secrets(&secret), [secret, current.clone()], "the hidden service still needs the old version");
    let made = portainer::admin("GET", &portainer::engine(&format!("/secrets/{current}")), None);
    let owner = &made["Portainer"]["ResourceControl"];
    assert_eq!(owner["TeamAccesses"][0]["TeamId"], payments, "the new version has another owner: {owner}");
    assert_eq!(owner["UserAccesses"], json!([]), "{owner}");
    let id = made["ID"].as_str().unwrap();
    let teammate = portainer::ask(&place::alice_key(), "GET", &portainer::engine(&format!("/secrets/{id}")), None);
    assert_eq!(teammate.status, 200, "the team that owned the old version may not see the new one");
}
