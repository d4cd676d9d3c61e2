//! Stacks that Portainer keeps: their stored files name the new versions, and a redeploy changes nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::portainer::admin;
use crate::scene::Scene;
use crate::{command, docker, place};

/// A stack of one service with two secrets, one by a name in the file and one by a variable.
fn file(scene: &Scene) -> String {
    format!(
        "# kept by people\nversion: \"3.7\"\nservices:\n  app:\n    image: {image}\n    command: [\"sh\", \"-c\", \"trap 'exit 0' TERM; while :; do sleep 0.1; done\"]\n    \
         environment:\n      MODE: prod\n    deploy:\n      endpoint_mode: dnsrr\n      replicas: 2\n      update_config:\n        monitor: 1s\n      restart_policy:\n        delay: 500ms\n    \
         secrets:\n      - source: db\n        target: pw\n      - key   # the other one\nsecrets:\n  db:\n    external: true\n    name: {db}   # which one\n  key:\n    external: true\n    name: ${{KEY_SECRET:-{key}}}\n",
        image = place::image(),
        db = scene.own("db"),
        key = scene.own("key"),
    )
}

struct Kept {
    id: u64,
    service: String,
}

impl Kept {
    fn deploy(scene: &Scene) -> Self {
        let name = scene.own("stack");
        let swarm = admin("GET", &crate::portainer::engine("/swarm"), None)["ID"].clone();
        let body = json!({
            "name": name, "swarmID": swarm, "stackFileContent": file(scene),
            "env": [{"name": "KEY_SECRET", "value": scene.own("key")}, {"name": "UNUSED", "value": "stays"}],
        });
        let path = format!("/stacks/create/swarm/string?endpointId={}", place::endpoint());
        let id = admin("POST", &path, Some(&body))["Id"].as_u64().unwrap();
        let service = format!("{name}_app");
        docker::wait_for_containers(&service, 2);
        Self { id, service }
    }

    fn get(&self) -> Value {
        admin("GET", &format!("/stacks/{}", self.id), None)
    }

    fn file(&self) -> String {
        let body = admin("GET", &format!("/stacks/{}/file", self.id), None);
        body["StackFileContent"].as_str().unwrap().to_owned()
    }

    /// What a person does with the button in Portainer.
    fn redeploy(&self) {
        let body = json!({
            "stackFileContent": self.file(), "env": self.get()["Env"], "prune": false, "pullImage": false,
        });
        admin("PUT", &format!("/stacks/{}?endpointId={}", self.id, place::endpoint()), Some(&body));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        admin("DELETE", &format!("/stacks/{}?endpointId={}", self.id, place::endpoint()), None);
    }
}

fn rotate(scene: &Scene, db: &Path, key: &Path) -> command::Ended {
    let (db_name, key_name) = (scene.own("db"), scene.own("key"));
    let (db, key) = (format!("{db_name}={}", db.display()), format!("{key_name}={}", key.display()));
    let journal = scene.journal();
    command::run(&[
        "rotate",
        &db_name,
        &key_name,
        "--value-file",
        &db,
        "--value-file",
        &key,
        "--grace",
        "0s",
        "--stability",
        "2s",
        "--deadline",
        "60s",
        "--yes",
        "--journal",
        journal.to_str().unwrap(),
    ])
}

fn prepared(name: &str) -> (Scene, Kept) {
    let scene = Scene::new(name);
    docker::create_secret(&scene.own("db"), &scene.value("old-db"));
    docker::create_secret(&scene.own("key"), &scene.value("old-key"));
    let kept = Kept::deploy(&scene);
    (scene, kept)
}

#[test]
fn two_secrets_of_a_stack_three_times_and_a_redeploy_changes_nothing() {
    let (scene, kept) = prepared("stack-thrice");
    for n in 2..5 {
        let (db, key) = (scene.value(&format!("db-{n}")), scene.value(&format!("key-{n}")));
        let done = rotate(&scene, &scene.value_file(&db), &scene.value_file(&key)).expect(0, "applied");
        assert_eq!(done.json["stacks"][0]["outcome"], "applied", "{}", done.printed);
        let expected =
            file(&scene).replace(&format!("name: {} ", scene.own("db")), &format!("name: {}_v{n} ", scene.own("db")));
        assert_eq!(kept.file(), expected, "nothing but the name changes in the file");
        let env = kept.get()["Env"].clone();
        assert_eq!(env[0]["value"], format!("{}_v{n}", scene.own("key")));
        assert_eq!(env[1], json!({"name": "UNUSED", "value": "stays"}));
        scene.assert_all_read(std::slice::from_ref(&kept.service), &db);

        let (before, containers) = (docker::service(&kept.service)["Spec"].clone(), docker::containers(&kept.service));
        kept.redeploy();
        assert_eq!(docker::service(&kept.service)["Spec"], before);
        assert_eq!(docker::containers(&kept.service), containers, "no task was restarted");
    }
    assert_eq!(docker::secrets(&scene.own("db")), [format!("{}_v4", scene.own("db"))]);
}

#[test]
fn a_stack_that_was_scaled_by_hand_is_left_to_people() {
    let (scene, kept) = prepared("stack-by-hand");
    docker::docker(&["service", "scale", "--detach", &format!("{}=3", kept.service)]);
    docker::wait_for_containers(&kept.service, 3);
    let (db, key) = (scene.value("new-db"), scene.value("new-key"));
    let done = rotate(&scene, &scene.value_file(&db), &scene.value_file(&key)).expect(6, "awaiting_patch");
    assert!(done.json["warnings"].to_string().contains("replicas"), "{}", done.printed);
    assert_eq!(kept.file(), file(&scene));
    assert_eq!(docker::containers(&kept.service).len(), 3);
    scene.assert_all_read(std::slice::from_ref(&kept.service), &db);
    assert_eq!(docker::secrets(&scene.own("db")).len(), 2, "the old version waits for the file");
}
