//! Values that are known again by their fingerprints, and those that stand in a list of words.

use crate::command::{Place, Run};

const KEY: (&str, &str) = ("SWARMSECRETS_FINGERPRINT_KEY_FILE", "key");

fn place(values: &str) -> Place {
    let place = Place::new();
    std::fs::write(place.path("key"), "made-up-fingerprint-key").unwrap();
    let state = place.path("state");
    let text = format!("schema = 1\nphase = 'automated'\nstate = '{}'\n[[values]]\n{values}\n", state.display());
    std::fs::write(place.path("policy.toml"), text).unwrap();
    place
}

fn keyed(place: &Place, line: &str) -> Run {
    place.with(&format!("{line} --sim --sim-state world.json"), &[KEY], b"")
}

/// The label of the newest version.
fn carried(place: &Place, secret: &str) -> serde_json::Value {
    let shown = place.sim(&format!("inventory --secret {secret} --json")).code(0).json();
    let versions = shown["secrets"][0]["versions"].as_array().unwrap().clone();
    versions.last().unwrap()["labels"]["io.swarmsecrets.fingerprint"].clone()
}

const ROTATE: &str = "rotate report_password --grace 0s --yes --json --policy policy.toml";

#[test]
fn a_value_that_was_there_before_is_refused_in_every_process_and_journal() {
    let place = place("history = 5");
    let handed_over = format!("{ROTATE} --value-file value");
    let without = place.sim(&handed_over).code(3);
    let said = without.json()["warnings"][0].as_str().unwrap().to_owned();
    assert!(said.contains("let SWARMSECRETS_FINGERPRINT_KEY_FILE name a file with one"), "{said}");
    keyed(&place, &handed_over).code(0);
    let first = carried(&place, "report_password");
    assert!(first.as_str().unwrap().starts_with("hmac-sha256:"), "{first}");
    keyed(&place, &format!("{ROTATE} --generate 32")).code(0);
    assert_ne!(carried(&place, "report_password"), first);
    // Its version is gone. Neither a fresh journal nor an edited plan brings it back.
    let said = keyed(&place, &format!("{handed_over} --journal fresh")).code(3).json();
    let said = said["warnings"][0].as_str().unwrap();
    assert!(
        said.contains("the new value of `report_password` is one of the last 5 that it had: take another"),
        "{said}"
    );
    let told = place.run("audit query fresh/audit.jsonl --outcome refused --json").code(0);
    assert!(told.stdout.contains("one of the last 5"), "{told:?}");
    keyed(&place, "plan rotate report_password --value-file value --out plan.json").code(0);
    keyed(&place, "apply plan.json --value-file value --yes --json --policy policy.toml").code(3);
    let kept = std::fs::read_dir(place.path("state/simulated/values")).unwrap().count();
    assert_eq!(kept, 2, "a file for the secret, and the lock");
}

#[test]
fn a_first_version_carries_a_fingerprint_too_and_without_a_key_there_is_none() {
    let place = place("min_length = 8");
    keyed(&place, "create new_key --value-file value --yes --json").code(0);
    assert!(carried(&place, "new_key").is_string());
    place.sim("create other_key --value-file value --yes --json").code(0);
    assert!(carried(&place, "other_key").is_null());
    // The same value once more would change nothing.
    let again = keyed(&place, "rotate new_key --value-file value --yes --json").code(3).json();
    let said = again["warnings"][0].as_str().unwrap();
    assert!(said.contains("the new value of `new_key` is what `new_key` holds already"), "{said}");
    assert!(!place.path("state").exists(), "nothing is remembered where no policy asks for it");
}

#[test]
fn a_word_of_a_list_is_refused_and_a_list_that_is_missing_is_named() {
    let place = Place::new();
    let words = place.path("words").join("value");
    let text = format!("schema = 1\nphase = 'automated'\n[[values]]\ndictionary = '{}'\n", words.display());
    std::fs::write(place.path("policy.toml"), text).unwrap();
    let line = format!("{ROTATE} --value-file value");
    let _ = place.sim(&line).code(2).says("cannot read the list of words");
    std::fs::create_dir(place.path("words")).unwrap();
    std::fs::copy(place.path("value"), &words).unwrap();
    let said = place.sim(&line).code(3).json();
    let said = said["warnings"][0].as_str().unwrap();
    assert!(said.contains("is one of the words in `") && said.contains("which nobody should choose"), "{said}");
    let explained = place.sim("policy explain report_password --policy policy.toml").code(0).stdout;
    assert!(explained.contains("  new values: no word in `"), "{explained}");
    std::fs::write(&words, "made-up\n").unwrap();
    place.sim(&line).code(0);
}

#[test]
fn values_of_before_need_a_folder() {
    let place = Place::new();
    std::fs::write(place.path("policy.toml"), "schema = 1\n[[values]]\nhistory = 5\n").unwrap();
    let _ = place.run("policy check policy.toml").code(2).says("line 3, column 11");
}
