//! Rotations that ask a command in real containers whether the service works.

use std::path::PathBuf;

use crate::command::{self, Ended, rotate_args};
use crate::docker;
use crate::scene::Scene;

/// A file with one probe: this script, in the containers of the service.
fn probes(scene: &Scene, service: &str, script: &str) -> PathBuf {
    let command = format!("[\"sh\", \"-c\", \"{script}\"]");
    let text = format!("[[probes]]\nservice = \"{service}\"\nkind = \"command\"\ncommand = {command}\n");
    let path = scene.journal().with_file_name("probes.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// One service whose tasks run with any value, rotated from a value that begins with `old` to one that begins with `new`.
fn rotated(scene: &Scene, script: &str) -> (Ended, String, PathBuf) {
    let (secret, service) = (scene.own("db"), scene.own("pay"));
    docker::create_secret(&secret, &scene.value("old"));
    scene.plain_service("pay", &secret);
    let probes = probes(scene, &service, script);
    let (value, journal) = (scene.value_file(&scene.value("new")), scene.journal());
    let args = rotate_args(&secret, &value, "24h", &journal);
    let ended = command::run(&[&args[..], &["--probes", probes.to_str().unwrap()]].concat());
    (ended, service, probes)
}

/// What was run stands in the audit trail.
fn audited(scene: &Scene) -> usize {
    let trail = std::fs::read_to_string(scene.journal().join("audit.jsonl")).unwrap();
    trail.lines().filter(|line| line.contains("start the command `sh`") && line.contains("\"intent\"")).count()
}

#[test]
fn a_service_that_runs_and_does_not_work_is_put_back() {
    let scene = Scene::new("probed-bad");
    let (ended, service, _) = rotated(&scene, "grep -q ^old /run/secrets/pw");
    let ended = ended.expect(1, "rolled_back");
    let reason = ended.json["consumers"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("does not work with the new version: command `sh` exits with 1"), "{}", ended.printed);
    scene.assert_all_read(std::slice::from_ref(&service), &scene.value("old"));
    assert_eq!(docker::secrets(&scene.own("db")), [scene.own("db")]);
    assert_eq!(audited(&scene), 2, "once before and once after");
}

#[test]
fn a_service_that_works_is_moved() {
    let scene = Scene::new("probed-good");
    let (ended, service, _) = rotated(&scene, "test -s /run/secrets/pw");
    ended.expect(0, "applied");
    scene.assert_all_read(&[service], &scene.value("new"));
}

/// An exit code that says that it could not be run proves nothing.
#[test]
fn what_cannot_be_told_waits_for_a_person() {
    let scene = Scene::new("probed-unsure");
    let (ended, service, probes) = rotated(&scene, "grep -q ^old /run/secrets/pw || exit 127");
    let ended = ended.expect(6, "needs_human");
    assert_eq!(ended.json["consumers"][0]["outcome"], "inconclusive", "{}", ended.printed);
    let journal = scene.journal();
    let id = ended.json["rotation"].as_str().unwrap();
    let resume = ["resume", id, "--journal", journal.to_str().unwrap(), "--yes"];
    let without = command::run(&resume);
    assert!(without.code == 2 && without.printed.contains("(--probes)"), "{}", without.printed);
    let accept = ["--probes", probes.to_str().unwrap(), "--accept-inconclusive"];
    let ended = command::run(&[&resume[..], &accept].concat()).expect(0, "applied");
    assert!(ended.json["warnings"].to_string().contains("was accepted although"), "{}", ended.printed);
    scene.assert_all_read(&[service], &scene.value("new"));
}
