//! Rotations that succeed.

use serde_json::json;

use crate::command::{self, rotate};
use crate::docker;
use crate::scene::{Scene, Service, but_for_the_secret, references};

#[test]
fn three_services_read_the_new_value() {
    let scene = Scene::new("three");
    let (old, new) = (scene.value("old"), scene.value("new"));
    let secret = scene.own("db");
    docker::create_secret(&secret, &old);
    let services = ["api", "web", "worker"]
        .map(|name| scene.serve(&Service { name, secret: &secret, target: "pw", replicas: 2, flags: &[], first: "" }));
    scene.assert_all_read(&services, &old);

    let ended = rotate(&secret, &scene.value_file(&new), "24h", &scene.journal()).expect(0, "applied");

    scene.assert_all_read(&services, &new);
    assert_eq!(ended.json["secrets"][0]["previous"]["name"], secret.as_str());
    assert_eq!(ended.json["secrets"][0]["current"]["name"], format!("{secret}_v2"));
    assert_eq!(ended.json["simulated"], false);
    let consumers = ended.json["consumers"].as_array().unwrap();
    assert_eq!(consumers.len(), 3, "{}", ended.printed);
    // The old version is kept for its grace period.
    assert_eq!(docker::secrets(&secret), [secret.clone(), format!("{secret}_v2")]);
}

#[test]
fn target_owner_mode_and_all_else_stay_as_they_were() {
    let scene = Scene::new("exact");
    let (old, new) = (scene.value("old"), scene.value("new"));
    let (secret, other) = (scene.own("db"), scene.own("other"));
    docker::create_secret(&secret, &old);
    docker::create_secret(&other, &scene.value("other"));
    let mount = format!("--secret=source={other},target=other");
    let service = scene.serve(&Service {
        name: "app",
        secret: &secret,
        target: "conf/pw.txt,uid=1000,gid=1001,mode=0440",
        replicas: 1,
        flags: &[&mount, "--env=KEPT=<&>ü", "--label=kept=1.0", "--limit-memory=64M", "--update-order=start-first"],
        first: "",
    });
    let before = docker::service(&service);

    rotate(&secret, &scene.value_file(&new), "24h", &scene.journal()).expect(0, "applied");

    let after = docker::service(&service);
    assert_eq!(but_for_the_secret(before.clone()), but_for_the_secret(after.clone()));
    let swapped: Vec<_> = references(&after).iter().filter(|r| !references(&before).contains(r)).collect();
    assert_eq!(swapped.len(), 1);
    assert_eq!(swapped[0]["SecretName"], format!("{secret}_v2"));
    let wanted = json!({"Name": "conf/pw.txt", "UID": "1000", "GID": "1001", "Mode": 0o440});
    assert_eq!(swapped[0]["File"], wanted);
    let container = &docker::containers(&service)[0];
    let seen = docker::docker(&["exec", container, "stat", "-c", "%u %g %a", "/run/secrets/conf/pw.txt"]);
    assert_eq!(seen.trim(), "1000 1001 440");
    assert!(docker::docker(&["exec", container, "cat", "/run/secrets/conf/pw.txt"]) == new);
}

#[test]
fn three_rotations_in_a_row_leave_one_version() {
    let scene = Scene::new("row");
    let secret = scene.own("db");
    docker::create_secret(&secret, &scene.value("first"));
    let service = [scene.plain_service("app", &secret)];
    for (n, hint) in [(2, "second"), (3, "third"), (4, "fourth")] {
        let value = scene.value(hint);
        let ended = rotate(&secret, &scene.value_file(&value), "0s", &scene.journal()).expect(0, "applied");
        scene.assert_all_read(&service, &value);
        assert_eq!(docker::secrets(&secret), [format!("{secret}_v{n}")], "{}", ended.printed);
    }
    let shown = command::run(&["inventory"]);
    let secrets = shown.json["secrets"].as_array().unwrap();
    let known = secrets.iter().find(|known| known["name"] == secret.as_str());
    assert_eq!(known.map(|known| &known["current"]), Some(&json!(format!("{secret}_v4"))), "{}", shown.printed);
}
