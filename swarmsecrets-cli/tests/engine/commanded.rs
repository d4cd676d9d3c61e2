//! Passwords that commands in a database's container change, as in Docker's own example: old and new version are mounted there
//! beside each other. The database is a folder on a volume, with a file for each password that logs in, named by its hash.

use std::path::PathBuf;

use serde_json::json;

use crate::command::{self, Ended, rotate_args};
use crate::portainer::admin;
use crate::scene::{PICKY, Scene, Service};
use crate::{docker, place};

/// Whether the password in a file logs in.
fn logs_in(file: &str) -> String {
    format!("test -e {}", place_of(file))
}

fn place_of(file: &str) -> String {
    format!("/data/$(busybox sha256sum < {file} | busybox cut -c1-64)")
}

const NEW: &str = "/run/secrets/pw";
const OLD: &str = "/run/secrets/pw.previous";

/// The database's start: an empty one takes the password that it is given.
fn database() -> String {
    format!("test -n \"$(busybox ls /data)\" || : > {}", place_of(NEW))
}

/// The application's start, once there is a database, and its life: it leaves as soon as it cannot log in.
fn application() -> String {
    let login = logs_in(NEW);
    let wait = "while test -z \"$(busybox ls /data)\"; do sleep 0.1; done";
    format!(
        "{wait}\n{login} || {{ echo 'FATAL: login refused'; exit 3; }}\n(while {login}; do sleep 0.1; done; kill 1) &"
    )
}

/// The file with the commands. Whoever changes a password logs in first.
fn credentials(scene: &Scene, service: &str, holds_two: bool) -> PathBuf {
    let line = |script: String| format!("[\"sh\", \"-c\", '''{script}''']");
    let (new, old) = (place_of(NEW), place_of(OLD));
    let set = format!("{} && : > {new}", logs_in(OLD));
    let end_old = format!("{} && busybox rm {old}", logs_in(NEW));
    let mut text =
        format!("[credentials.{}]\nsystem = \"exec\"\nservice = \"{service}\"\nuser = \"app\"\n", scene.own("db"));
    text += &format!("test-new = {}\ntest-old = {}\n", line(logs_in(NEW)), line(logs_in(OLD)));
    text += &format!("undo = {}\n", line(format!("{} && : > {old} && busybox rm {new}", logs_in(NEW))));
    if holds_two {
        text += &format!("set = {}\nrevoke = {}\n", line(set), line(end_old));
    } else {
        text += &format!("set = {}\n", line(format!("{set} && busybox rm {old}")));
    }
    let path = scene.journal().with_file_name("credentials.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// A secret, the database and an application that logs in to it.
fn serve(scene: &Scene, old: &str, first: &str) -> (String, String) {
    let secret = scene.own("db");
    docker::create_secret(&secret, old);
    let mount = format!("--mount=type=volume,source={},target=/data", scene.own("volume"));
    let service = |name, first: &str| {
        scene.serve(&Service { name, secret: &secret, target: "pw", replicas: 1, flags: &[&mount], first })
    };
    let database = service("data", &database());
    (database, service("app", first))
}

fn rotate(scene: &Scene, database: &str, new: &str, holds_two: bool) -> Ended {
    let (value, journal, secret) = (scene.value_file(new), scene.journal(), scene.own("db"));
    let credentials = credentials(scene, database, holds_two);
    let args = rotate_args(&secret, &value, "0s", &journal);
    let more = ["--strategy", "overlap", "--credentials", credentials.to_str().unwrap()];
    command::run(&[&args[..], &more].concat())
}

/// How many passwords log in, and whether the one that the database's container mounts does.
fn valid(database: &str) -> (usize, bool) {
    let container = docker::containers(database).remove(0);
    let listed = docker::docker(&["exec", &container, "busybox", "ls", "/data"]);
    let mounted = docker::try_docker(&["exec", &container, "sh", "-c", &logs_in(NEW)]).is_ok();
    (listed.lines().count(), mounted)
}

/// Fails if a task of a service has ever ended by itself, be it well or badly.
fn assert_never_ended(service: &str) {
    let told = docker::docker(&["service", "ps", "--no-trunc", "--format", "{{.CurrentState}} {{.Error}}", service]);
    let as_told = |line: &str| line.starts_with("Running ") || line.starts_with("Shutdown ");
    assert!(told.lines().count() > 1 && told.lines().all(as_told), "{told}");
}

fn targets(service: &str) -> Vec<String> {
    let service = docker::service(service);
    let secrets = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array().unwrap().clone();
    secrets.iter().map(|one| format!("{} at {}", one["SecretName"], one["File"]["Name"]).replace('"', "")).collect()
}

#[test]
fn a_password_is_replaced_from_within_the_database_s_container() {
    let scene = Scene::new("commanded-replaced");
    let (old, new) = (scene.value("old"), scene.value("new"));
    // One that holds one password at a time: who has not moved yet must bear that.
    let (database, application) = serve(&scene, &old, "");
    rotate(&scene, &database, &new, false).expect(0, "applied");
    scene.assert_all_read(&[database.clone(), application], &new);
    assert_eq!(valid(&database), (1, true));
    assert_eq!(targets(&database), [format!("{}_v2 at pw", scene.own("db"))]);
    assert_eq!(docker::secrets(&scene.own("db")), [format!("{}_v2", scene.own("db"))]);
}

#[test]
fn an_application_that_refuses_the_new_value_brings_the_old_password_back() {
    let scene = Scene::new("commanded-refused");
    let (good, bad) = (scene.value("good"), scene.value("bad"));
    let (database, application) = serve(&scene, &good, PICKY);
    let ended = rotate(&scene, &database, &bad, true).expect(1, "rolled_back");
    scene.assert_all_read(&[database.clone(), application], &good);
    assert_eq!(valid(&database), (1, true), "{}", ended.printed);
    assert_eq!(targets(&database), [format!("{} at pw", scene.own("db"))]);
    assert_eq!(docker::secrets(&scene.own("db")), [scene.own("db")]);
}

/// The stack's file is written on the way, and its redeploy takes the old version from the database, which gets it once more.
#[test]
fn nobody_in_a_stack_is_locked_out_while_the_password_changes() {
    let scene = Scene::new("commanded-stack");
    let (old, new, name) = (scene.value("old"), scene.value("new"), scene.own("stack"));
    docker::create_secret(&scene.own("db"), &old);
    let service = |name: &str, first: &str| {
        let script =
            json!(["sh", "-c", format!("{first}\ntrap 'exit 0' TERM\nwhile :; do sleep 0.1; done").replace('$', "$$")]);
        format!(
            "  {name}:\n    image: {}\n    command: {script}\n    deploy:\n      endpoint_mode: dnsrr\n      update_config:\n        monitor: 1s\n      restart_policy:\n        delay: 500ms\n    \
             volumes: [\"data:/data\"]\n    secrets:\n      - source: db\n        target: pw\n",
            place::image()
        )
    };
    let file = format!(
        "version: \"3.7\"\nservices:\n{}{}secrets:\n  db:\n    external: true\n    name: {}   # which one\nvolumes:\n  data:\n    name: {}\n",
        service("data", &database()),
        service("app", &application()),
        scene.own("db"),
        scene.own("volume"),
    );
    let swarm = admin("GET", &crate::portainer::engine("/swarm"), None)["ID"].clone();
    let body = json!({"name": name, "swarmID": swarm, "stackFileContent": file, "env": []});
    let path = format!("/stacks/create/swarm/string?endpointId={}", place::endpoint());
    let id = admin("POST", &path, Some(&body))["Id"].as_u64().unwrap();
    let (database, application) = (format!("{name}_data"), format!("{name}_app"));
    docker::wait_for_containers(&database, 1);
    docker::wait_for_containers(&application, 1);

    let ended = rotate(&scene, &database, &new, true).expect(0, "applied");
    scene.assert_all_read(&[database.clone(), application.clone()], &new);
    assert_eq!(valid(&database), (1, true), "{}", ended.printed);
    assert_never_ended(&application);
    let stored = admin("GET", &format!("/stacks/{id}/file"), None)["StackFileContent"].as_str().unwrap().to_owned();
    assert!(stored.contains(&format!("name: {}_v2   # which one", scene.own("db"))), "{stored}");
    assert_eq!(targets(&database), [format!("{}_v2 at pw", scene.own("db"))]);
    admin("DELETE", &format!("/stacks/{id}?endpointId={}", place::endpoint()), None);
}
