//! The command line: help, version, mistakes.

use crate::command::Place;

#[test]
fn help_and_version_are_answers() {
    let place = Place::new();
    for line in [
        "--help",
        "--version",
        "inventory --help",
        "plan rotate --help",
        "apply --help",
        "rotate --help",
        "resume --help",
        "rollback --help",
        "retire --help",
        "create --help",
        "audit --help",
        "audit verify --help",
        "audit query --help",
        "audit checkpoint --help",
        "sim serve --help",
    ] {
        let run = place.run(line).code(0);
        assert!(run.stderr.is_empty() && !run.stdout.is_empty(), "{run:?}");
        let json = place.run(&format!("{line} --json")).code(0);
        // `--help` before `--json` ends the parsing, as clap does it; one document stands there all the same.
        assert!(json.json()["text"].as_str().unwrap().contains("swarmsecrets"));
    }
}

#[test]
fn the_main_help_is_as_reviewed() {
    insta::assert_snapshot!(Place::new().run("--help").stdout);
}

#[test]
fn mistakes_are_one_document_and_exit_2() {
    let place = Place::new();
    for (line, part) in [
        ("", "subcommand"),
        ("frobnicate", "frobnicate"),
        ("audit verify", "FILE"),
        ("inventroy", "inventory"),
        ("rotate", "NAME"),
        ("rotate db --grace 1x --generate length=9", "at character 2"),
        ("rotate db --grace 24 --generate length=9", "a unit is missing"),
        ("rotate db --strategy overlap --generate length=9 --sim --yes", "--credentials"),
        ("rotate db --strategy overlap --credentials c --generate length=9 --sim --yes", "simulated"),
        ("rotate db --stack shop --generate length=9 --sim --yes", "cannot be used with"),
        ("rotate db --policy p.toml --generate length=9 --sim --yes", "cannot read the policy `p.toml`"),
        ("plan rotate db --policy p.toml --sim", "cannot read the policy `p.toml`"),
        ("rotate db --sim --yes", "--value-file"),
        ("rotate db --value-file a --generate length=9 --sim --yes", "cannot be used with"),
        ("rollback nonsense --sim --yes", "is not a rotation id"),
        ("create bad/name --generate length=9 --sim --yes", "is not a secret name"),
        ("inventory --sim-state w.json", "--sim"),
        ("inventory --sim --url http://p", "--url"),
    ] {
        let run = place.run(&format!("{line} --json")).code(2);
        let message = run.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(part), "{line}: {part:?} is not in {message:?}");
        // Without any subcommand people get the help instead.
        let part = if line.is_empty() { "Usage:" } else { part };
        let _ = place.run(line).code(2).says(part);
    }
}

#[test]
fn without_a_terminal_nothing_is_changed_unless_yes_is_given() {
    let place = Place::new();
    for line in ["rotate db --generate length=9", "retire", "resume", "create db --generate length=9"] {
        let run = place.sim(&format!("{line} --json")).code(2).says("--yes");
        assert_eq!(run.json()["error"]["kind"], "invalid", "{line}");
    }
    assert!(!place.path("world.json").exists(), "a command that was refused keeps no world");
}
