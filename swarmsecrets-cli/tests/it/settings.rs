//! Settings: missing, partial, misspelt, contradictory, and what is shown without any.

use crate::command::Place;

#[test]
fn without_settings_the_demo_is_shown_and_said() {
    let place = Place::new();
    let run = place.run("inventory --json").code(0).says("SIMULATED");
    assert_eq!(run.json()["simulated"], true);
    let run = place.run("inventory").code(0).says("SIMULATED");
    assert!(run.stdout.contains("(SIMULATED)"), "{run:?}");
}

#[test]
fn without_settings_nothing_is_changed() {
    let place = Place::new();
    for line in [
        "rotate db --generate length=32 --yes",
        "create db --generate length=32 --yes",
        "resume --yes",
        "rollback r-0123456789abcdef0123 --yes",
        "retire --yes",
    ] {
        let run = place.run(&format!("{line} --json")).code(2).says("PORTAINER_URL");
        assert_eq!(run.json()["error"]["kind"], "settings", "{line}");
    }
}

#[test]
fn partial_and_misspelt_settings_are_refused_everywhere() {
    let place = Place::new();
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[("PORTAINER_URL", "http://127.0.0.1:9")], "PORTAINER_API_KEY"),
        (&[("PORTAINER_TOKEN", "ptr_made-up")], "is PORTAINER_API_KEY meant?"),
        (&[("PORTAINER_HOST", "p")], "is PORTAINER_URL meant?"),
        (&[("PORTAINER_URL", "")], "set but empty"),
    ];
    for (variables, words) in cases {
        for line in ["inventory", "plan rotate db", "retire --yes"] {
            let run = place.with(&format!("{line} --json"), variables, b"").code(2).says(words);
            assert_eq!(run.json()["exit"], 2);
            assert!(!run.stderr.contains("ptr_made-up"));
        }
    }
}

#[test]
fn flags_and_environment_together_are_enough() {
    let place = Place::new();
    std::fs::write(place.path("key"), "ptr_made-up\n").unwrap();
    // Nobody listens there: the settings are complete, and the failure is the network's.
    let line = "inventory --json --url http://127.0.0.1:9 --api-key-file key";
    let run = place.with(line, &[("PORTAINER_ENDPOINT", "1")], b"").code(1);
    assert_eq!(run.json()["error"]["kind"], "unreachable");
}

#[test]
fn keys_and_values_cannot_be_arguments() {
    let place = Place::new();
    for line in ["inventory --api-key ptr_made-up", "rotate db --value made-up", "rotate db made-up=x --password y"] {
        let _ = place.run(line).code(2);
    }
}

#[test]
fn a_database_of_journals_is_for_real_ones_and_its_password_is_never_shown() {
    let place = Place::new();
    std::fs::write(place.path("url"), "postgres://rotator:made-up-secret@db/journal?sslmode=require").unwrap();
    let line = "rotate db_password --value-file value --yes";
    let simulated = place.run(&format!("{line} --sim --journal-db-file url")).code(2);
    assert!(simulated.stderr.contains("--journal-db-file keeps real journals"), "{simulated:?}");
    let settings = [
        ("PORTAINER_URL", "https://127.0.0.1:1"),
        ("PORTAINER_API_KEY", "ptr_made-up"),
        ("PORTAINER_ENDPOINT", "1"),
        ("SWARMSECRETS_JOURNAL_DB_FILE", "url"),
    ];
    let refused = place.with(&format!("{line} --journal journal"), &settings, b"").code(2).says("verify-full");
    assert!(!refused.stderr.contains("made-up-secret"), "{refused:?}");
    let both = [settings.as_slice(), &[("SWARMSECRETS_JOURNAL_DB", "postgres://made-up-secret")]].concat();
    place.with(&format!("{line} --journal journal"), &both, b"").code(2).says("are both set");
}
