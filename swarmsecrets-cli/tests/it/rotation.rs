//! The life of a rotation on the simulated world: plan, apply, rotate, resume, roll back, retire.

use serde_json::Value;

use crate::command::{Place, Run};

/// A secret of the demo world that no stack file names.
const SECRET: &str = "report_password";

const ROTATE: &str = "rotate report_password --value-file value --yes --json";

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn current(place: &Place) -> String {
    let json = place.sim(&format!("inventory --json --secret {SECRET}")).code(0).json();
    json["secrets"][0]["current"].as_str().unwrap().to_owned()
}

fn id(run: &Run) -> String {
    run.json()["rotation"].as_str().unwrap().to_owned()
}

#[test]
fn a_rotation_is_reported_as_promised_and_seen_by_the_next_command() {
    let place = Place::new();
    let before = current(&place);
    let run = place.sim(ROTATE).code(0);
    let json = run.json();
    assert_eq!(
        keys(&json),
        ["consumers", "outcome", "requests", "rotation", "schema", "secrets", "simulated", "stacks", "warnings"]
    );
    assert_eq!((&json["outcome"], &json["simulated"]), (&"applied".into(), &true.into()));
    assert_eq!(keys(&json["secrets"][0]), ["current", "name", "outcome", "previous"]);
    assert_eq!(json["secrets"][0]["previous"]["name"], before.as_str());
    assert_eq!(json["secrets"][0]["current"]["name"], current(&place).as_str());
    assert_ne!(before, current(&place));
    assert_eq!(keys(&json["consumers"][0]), ["id", "outcome", "reason", "service"]);
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let _ = place.sim(ROTATE).code(0);
    for name in ["world.json", "world.json.journal/audit.jsonl"] {
        let mode = std::fs::metadata(place.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_old_version_is_retired_after_its_grace_and_not_before() {
    let place = Place::new();
    let before = current(&place);
    let _ = place.sim(ROTATE).code(0);
    let early = place.sim("retire --yes --json").code(0).json();
    assert_eq!(early["retired"], serde_json::json!([]));
    let _ = place.sim("sim advance 25h").code(0);
    let late = place.sim("retire --yes --json").code(0).json();
    assert_eq!(late["retired"], serde_json::json!([before]));
    let json = place.sim(&format!("inventory --json --secret {SECRET}")).code(0).json();
    assert_eq!(json["secrets"][0]["versions"].as_array().unwrap().len(), 1);
    let again = place.sim("retire --yes --json").code(0).json();
    assert_eq!(again["rotations"], serde_json::json!([]));
}

#[test]
fn without_grace_the_old_version_goes_at_once() {
    let place = Place::new();
    let _ = place.sim(&format!("{ROTATE} --grace 0s")).code(0);
    let json = place.sim(&format!("inventory --json --secret {SECRET}")).code(0).json();
    assert_eq!(json["secrets"][0]["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_stacks_stored_file_is_brought_in_line_and_a_redeploy_changes_nothing() {
    let place = Place::new();
    let json = place.sim("rotate db_password --value-file value --yes --json").code(0).json();
    assert_eq!((&json["outcome"], &json["stacks"][0]["name"]), (&"applied".into(), &"shop".into()));
    assert_eq!(json["stacks"][0]["outcome"], "applied");
    let _ = place.sim("sim redeploy nowhere --json").code(1).says("no stack `nowhere`");
    let _ = place.sim("sim redeploy shop --json").code(0);
    let _ = place.sim("sim advance 25h").code(0);
    let late = place.sim("retire --yes --json").code(0).json();
    assert_eq!(late["retired"], serde_json::json!(["db_password"]));
}

#[test]
fn secrets_of_a_stack_are_rotated_together() {
    let place = Place::new();
    let line = "rotate --stack shop --generate 20 --value-file redis_password=value --concurrency 4 --yes --json";
    let json = place.sim(line).code(0).json();
    assert_eq!(json["outcome"], "applied");
    assert!(json["secrets"].as_array().unwrap().len() >= 4, "{json}");
    let services: Vec<&str> =
        json["consumers"].as_array().unwrap().iter().filter_map(|c| c["service"].as_str()).collect();
    let once: std::collections::BTreeSet<&str> = services.iter().copied().collect();
    assert_eq!(services.len(), once.len(), "each service once");
    let wrong = "rotate --stack shop --value-file nosuch=value --generate 20 --yes --json";
    let _ = place.sim(wrong).code(2).says("not among the secrets");
    let _ = place
        .sim("rotate db_password redis_password --value-file nosuch=value --generate 20 --yes --json")
        .code(2)
        .says("NAME=FILE");
}

#[test]
fn a_leaked_value_is_revoked() {
    let place = Place::new();
    let json = place.sim(&format!("revoke {SECRET} --generate 20 --reason leaked --yes --json")).code(0).json();
    assert_eq!(json["outcome"], "applied");
    let inventory = place.sim(&format!("inventory --secret {SECRET} --json")).code(0).json();
    assert_eq!(inventory["secrets"][0]["versions"].as_array().unwrap().len(), 1, "the old version is gone");
}

#[test]
fn a_rotation_is_taken_up_without_its_journal() {
    let place = Place::new();
    let json = place.sim(&format!("rotate {SECRET} --value-file value --yes --json")).code(0).json();
    let id = json["rotation"].as_str().unwrap();
    let resumed = place.sim(&format!("resume {id} --journal elsewhere --yes --json")).code(0).json();
    assert_eq!(resumed["outcome"], "applied");
    assert!(resumed["warnings"].to_string().contains("the journal of rotation"), "{resumed}");
}

#[test]
fn a_value_that_a_service_refuses_is_put_back() {
    let place = Place::new();
    let before = current(&place);
    let input = swarmsecrets_testkit::demo::DEMO_REFUSED_VALUE.as_bytes();
    let line = format!("rotate {SECRET} --value-file - --yes --json --sim --sim-state world.json");
    let json = place.with(&line, &[], input).code(1).json();
    assert_eq!((&json["outcome"], &json["consumers"][0]["outcome"]), (&"rolled_back".into(), &"rolled_back".into()));
    assert_eq!(current(&place), before);
}

#[test]
fn a_plan_is_applied_once_and_only_as_it_was_made() {
    let place = Place::new();
    let plan = place.sim(&format!("plan rotate {SECRET} --out plan.json --json")).code(0).json();
    assert_eq!(plan["simulated"], true);
    let text = std::fs::read_to_string(place.path("plan.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), plan);

    std::fs::write(place.path("forged.json"), text.replace(SECRET, "other_password")).unwrap();
    let _ = place.sim("apply forged.json --value-file value --yes --json").code(2).says("digest");
    let _ = place.sim("apply plan.json --yes --json").code(2).says("--value-file");
    let _ = place.sim("apply plan.json --value-file value --json").code(2).says("--yes");

    let done = place.sim("apply plan.json --value-file value --yes --json").code(0).json();
    assert_eq!(done["outcome"], "applied");
    let again = place.sim("apply plan.json --value-file value --yes --json").code(5).json();
    assert_eq!(again["outcome"], "conflict");
}

#[test]
fn a_rotation_is_rolled_back_on_demand() {
    let place = Place::new();
    let before = current(&place);
    let id = id(&place.sim(ROTATE).code(0));
    let json = place.sim(&format!("rollback {id} --yes --json")).code(0).json();
    assert_eq!(json["outcome"], "rolled_back");
    assert_eq!(current(&place), before);
}

#[test]
fn a_rotation_is_closed_by_a_persons_word() {
    let place = Place::new();
    let id = id(&place.sim(ROTATE).code(0));
    let made = current(&place);
    let _ = place.sim(&format!("close {id} --yes")).code(2).says("--reason");
    let _ = place
        .with(&format!("close {id} --yes --sim --sim-state world.json --reason="), &[], b"")
        .code(2)
        .says("--reason is empty");
    let run = place.sim(&format!("close {id} --reason mended --yes")).code(0);
    assert!(run.stdout.starts_with(&format!("rotation {id}: closed by a person (SIMULATED), ")), "{}", run.stdout);
    assert!(run.stdout.contains("closed, as a person has seen to it: mended"), "{}", run.stdout);
    let _ = place.sim(&format!("close {id} --reason mended --yes")).code(1).says("nothing is left to close");
    // What it left stays, and is in nobody's way.
    let _ = place.sim("sim advance 25h").code(0);
    assert_eq!(place.sim("retire --yes --json").code(0).json()["rotations"], serde_json::json!([]));
    assert_eq!(current(&place), made);
    let trail = std::fs::read_to_string(place.path("world.json.journal/audit.jsonl")).unwrap();
    assert!(trail.contains(&format!("close rotation {id}")) && trail.contains("mended"), "{trail}");
}

#[test]
fn a_rotation_goes_on_from_any_line_of_its_journal() {
    let place = Place::new();
    let start = place.sim("inventory --json").code(0);
    assert!(start.json()["simulated"].as_bool().unwrap());
    let fresh = std::fs::read(place.path("world.json")).ok();
    let id = id(&place.sim(&format!("{ROTATE} --grace 0s")).code(0));
    let end = std::fs::read(place.path("world.json")).unwrap();
    let journal = place.path(&format!("world.json.journal/rotations/{id}.jsonl"));
    let lines = std::fs::read_to_string(&journal).unwrap();
    let all = current(&place);
    for count in 1..=lines.lines().count() {
        let cut: String = lines.lines().take(count).map(|line| format!("{line}\n")).collect();
        // What was sent after that line was done all the same: the answer was lost with the process.
        std::fs::write(&journal, cut).unwrap();
        std::fs::write(place.path("world.json"), &end).unwrap();
        let run = place.sim(&format!("resume {id} --value-file value --yes --json"));
        assert!(run.code == 0 && current(&place) == all, "after line {count}: {run:#?}");
    }
    // Nothing but the first line was written, and nothing was sent.
    let first = format!("{}\n", lines.lines().next().unwrap());
    match &fresh {
        Some(bytes) => std::fs::write(place.path("world.json"), bytes).unwrap(),
        None => std::fs::remove_file(place.path("world.json")).unwrap(),
    }
    std::fs::write(&journal, first).unwrap();
    let run = place.sim("resume --value-file value --yes --json").code(0);
    assert_eq!((run.json()["outcome"].as_str(), current(&place)), (Some("applied"), all));
}

#[test]
fn a_generated_value_is_made_anew_and_shown_nowhere() {
    let place = Place::new();
    let run = place.sim(&format!("rotate {SECRET} --generate length=32 --yes")).code(0).says("begins");
    assert!(run.stdout.contains("applied (SIMULATED)"), "{run:?}");
}

#[test]
fn a_world_that_is_not_kept_is_said() {
    let place = Place::new();
    let run = place.run(&format!("{ROTATE} --sim")).code(0).says("nothing is kept");
    assert_eq!(run.json()["outcome"], "applied");
    assert_eq!(std::fs::read_dir(place.root()).unwrap().count(), 1, "only the value is there");
}

#[test]
fn there_may_be_nothing_to_go_on_with() {
    let place = Place::new();
    let run = place.sim("resume --yes --json").code(1).says("no rotation to go on with");
    assert_eq!(run.json()["error"]["kind"], "not_found");
    let _ = place.sim("rollback r-0123456789abcdef0123 --yes --json").code(1);
}
