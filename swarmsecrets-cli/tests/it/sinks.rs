//! Sinks of the audit trail that fail or block while something is changed.

use std::process::Command;

use serde_json::Value;

use crate::attacks::automated;
use crate::command::{Place, Run};
use crate::hostile::{Answer, Host};
use crate::served::Served;

const CREATED: &str = r#"{"errors":false,"items":[{"create":{"status":201}}]}"#;
const ROTATE: &str =
    "rotate report_password --value-file value --stability 1s --yes --json --policy policy.toml --journal journal";

/// A policy with a sink that counts, beside the file.
fn with_sink(place: &Place, url: &str) {
    let sink = format!("[[audit.sinks]]\nname = 'central'\nkind = 'opensearch'\nurl = '{url}'\nwithin = '500ms'\n");
    automated(place, &sink);
}

fn trail(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path("journal/audit.jsonl")).unwrap_or_default();
    // What was written in part is none.
    let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    whole.map(|line| line["record"].clone()).collect()
}

/// The changes that were begun, as the file has them.
fn intents(place: &Place) -> Vec<String> {
    let of = trail(place).into_iter().filter(|record| record["phase"] == "intent");
    of.map(|record| record["action"].as_str().unwrap().to_owned()).collect()
}

fn shown(place: &Place, served: &Served) -> Run {
    served.run(place, "admin", "inventory --secret report_password --json").code(0)
}

#[test]
fn a_sink_that_fails_before_or_after_an_intent_lets_nothing_more_be_changed() {
    for takes in 0..4 {
        let place = Place::new();
        let served = Served::start(&place);
        let good = move |n: usize| if n < takes { Answer::of(200, "", CREATED) } else { Answer::of(503, "", "") };
        let sink = Host::counting(good);
        with_sink(&place, &sink.url);
        let run = served.run(&place, "admin", ROTATE).code(6);
        assert!(run.stdout.contains("audit sink central: "), "{takes}: {run:?}");
        // An intent and its outcome are two records, and the next intent is the first one that is not taken.
        let taken = takes.div_ceil(2);
        assert_eq!(intents(&place).len(), taken + 1, "{takes}: {:?}", intents(&place));
        let made = shown(&place, &served).stdout.contains("report_password_v2");
        assert_eq!(made, taken > 0, "{takes}: what no sink took the intent of was not done");
        let moved = shown(&place, &served).json()["secrets"][0]["consumers"].to_string().contains("_v2");
        assert!(!moved, "{takes}: no service is updated");
    }
}

#[test]
fn once_the_sink_takes_records_again_the_rotation_goes_on_to_one_end() {
    let place = Place::new();
    let served = Served::start(&place);
    // It is gone after the first intent, and back once somebody has looked at it.
    let sink =
        Host::counting(|n| if (1..3).contains(&n) { Answer::of(503, "", "") } else { Answer::of(200, "", CREATED) });
    with_sink(&place, &sink.url);
    let run = served.run(&place, "admin", ROTATE).code(6);
    let id = run.json()["rotation"].as_str().unwrap().to_owned();
    let resume = format!("resume {id} --value-file value --yes --json --policy policy.toml --journal journal");
    let resumed = served.run(&place, "admin", &resume).code(0).json();
    assert_eq!(resumed["outcome"], "applied", "{resumed:#}");
}

#[test]
fn a_sink_that_blocks_is_a_sink_that_fails() {
    let place = Place::new();
    let served = Served::start(&place);
    let sink = Host::always(Answer::Silence(String::new()));
    with_sink(&place, &sink.url);
    let run = served.run(&place, "admin", ROTATE).code(6);
    assert!(run.stdout.contains("audit sink central: "), "{run:?}");
    assert!(!sink.came().is_empty() && !shown(&place, &served).stdout.contains("report_password_v2"), "{run:?}");
    assert_eq!(intents(&place).len(), 1, "it was meant, and nobody has leave to do it");
}

/// A disk that has room for the intent and not for its outcome, by a limit on how large files get.
#[test]
fn a_disk_that_is_full_after_the_intent_lets_nothing_more_be_changed() {
    let place = Place::new();
    let served = Served::start(&place);
    automated(&place, "");
    // Records are longer than the blocks of 512 bytes in which the limit is told.
    let changed = |what: &str| {
        format!("{what} --reason {} --yes --json --policy policy.toml --journal journal", "x".repeat(1500))
    };
    let _ = served.run(&place, "admin", &changed("create first --value-file value")).code(0);
    let first = std::fs::read_to_string(place.path("journal/audit.jsonl")).unwrap();
    // The next intent is a little longer, as the secret's name is.
    let blocks = (first.len() + first.lines().next().unwrap().len() + 32).div_ceil(512);
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_swarmsecrets")]);
    command.args(changed("rotate report_password --generate 32 --stability 1s").split(' '));
    command.current_dir(place.root()).env_clear().env("HOME", place.root());
    command.env("PORTAINER_URL", &served.url).env("PORTAINER_API_KEY", served.key()).env("PORTAINER_ENDPOINT", "1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("File too large"), "{said}");
    assert_eq!(intents(&place), ["create secret first", "create secret report_password_v2"]);
    let verified = place.run("audit verify journal/audit.jsonl --json").json();
    assert_eq!(verified["open"][0]["action"], "create secret report_password_v2", "{verified:#}");
    let consumers = shown(&place, &served).json()["secrets"][0]["consumers"].to_string();
    assert!(!consumers.contains("_v2"), "{consumers}");
}
