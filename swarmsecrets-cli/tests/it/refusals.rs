//! What is refused, with which exit code and which words.

use crate::command::Place;

#[test]
fn an_unknown_secret_is_answered_with_the_nearest_names() {
    let place = Place::new();
    for line in
        ["plan rotate db_pasword", "rotate db_pasword --generate length=20 --yes", "inventory --secret db_pasword"]
    {
        let run = place.sim(&format!("{line} --json")).code(1).says("db_password");
        assert_eq!(run.json()["error"]["kind"], "not_found", "{line}");
    }
}

#[test]
fn values_that_swarm_would_refuse_are_refused_before_anything_is_sent() {
    let place = Place::new();
    let line = "rotate report_password --value-file - --yes --json";
    for (input, words) in [(vec![], "empty"), (vec![b'x'; 512_000], "511999")] {
        let run = place.with(&format!("{line} --sim --sim-state world.json"), &[], &input).code(2).says(words);
        assert!(run.json()["error"]["kind"].is_string());
    }
    let _ = place.sim("rotate db_password --value-file missing --yes --json").code(2).says("missing");
    let _ = place.sim("rotate db_password --generate length=0 --yes --json").code(2);
    assert!(!place.path("world.json").exists());
    let run = place.with(&format!("{line} --sim"), &[], &vec![b'x'; 511_999]).code(0);
    assert_eq!(run.json()["outcome"], "applied");
}

#[test]
fn a_name_that_is_taken_is_a_conflict() {
    let place = Place::new();
    let run = place.sim("create db_password --generate length=20 --yes --json").code(5);
    assert_eq!(run.json()["outcome"], "conflict");
    let run = place.sim("create api_token --generate length=20 --label team=web --yes --json").code(0);
    assert_eq!(run.json()["outcome"], "applied");
    let run = place.sim("create api_token --generate length=20 --yes --json").code(5);
    assert_eq!(run.json()["error"]["kind"], "conflict");
    let _ = place.sim("create x --label io.swarmsecrets.version=9 --generate length=20 --yes --json").code(2);
}

#[test]
fn labels_deny_and_ask_for_an_approval() {
    let place = Place::new();
    for (secret, code, outcome) in [("agent_token", 3, "denied"), ("payment_api_key", 4, "awaiting_approval")] {
        let run = place.sim(&format!("rotate {secret} --generate length=20 --yes --json")).code(code);
        assert_eq!(run.json()["outcome"], outcome, "{secret}");
        let again = place.sim(&format!("inventory --secret {secret} --json")).code(0).json();
        assert_eq!(again["secrets"][0]["current"], secret);
    }
    let run = place.sim("create hands_off --label ai.managed=false --generate length=20 --yes --json").code(3);
    assert_eq!(run.json()["outcome"], "denied");
    let run = place.sim("create crown --label tier=critical --generate length=20 --yes --json").code(4);
    assert_eq!(run.json()["outcome"], "awaiting_approval");
}

#[test]
fn names_cannot_be_paths_or_options() {
    let place = Place::new();
    for name in
        ["../x", "..", "a/b", "a?b", "a#b", "a%2fb", "--server=evil", "-- --server=evil", "a\u{202e}b", "a\u{1b}[2J"]
    {
        let _ = place.sim(&format!("create --yes --generate 32 {name}")).code(2);
        let rotated = place.sim(&format!("rotate --yes --generate 32 {name}"));
        assert!([1, 2].contains(&rotated.code), "{rotated:?}");
        assert!(!rotated.stderr.contains(['\u{1b}', '\u{202e}']), "{rotated:?}");
    }
    assert!(!place.path("world.json.journal/rotations").read_dir().is_ok_and(|mut files| files.next().is_some()));
}
