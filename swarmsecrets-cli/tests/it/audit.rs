//! Audit trails as rotations leave them, checked and searched, and what is found when somebody was at them.

use serde_json::{Value, json};

use crate::command::Place;

const TRAIL: &str = "world.json.journal/audit.jsonl";

const VERIFY: &str = "audit verify world.json.journal/audit.jsonl";

const QUERY: &str = "audit query world.json.journal/audit.jsonl";

/// A place with the trail of one rotation, and its id.
fn rotated() -> (Place, String) {
    let place = Place::new();
    let line = "rotate report_password --value-file value --agent-id agent-7 --reason monthly --yes --json";
    let id = place.sim(line).code(0).json()["rotation"].as_str().unwrap().to_owned();
    (place, id)
}

fn trail(place: &Place) -> String {
    std::fs::read_to_string(place.path(TRAIL)).unwrap()
}

fn write(place: &Place, text: impl AsRef<[u8]>) {
    std::fs::write(place.path(TRAIL), text).unwrap();
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The words without what differs from run to run, each as long as it was.
fn reviewed(text: &str, id: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ')']);
        let hidden = bare.len() == 64 && bare.bytes().all(|b| b.is_ascii_hexdigit()) || bare.ends_with('Z');
        if hidden { format!("{}{}", "…".repeat(bare.len()), &word[bare.len()..]) } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.replace(id, "r-…………………………………………………").lines().map(line).collect::<Vec<_>>().join("\n")
}

fn numbers(json: &Value) -> Vec<u64> {
    json["records"].as_array().unwrap().iter().map(|r| r["n"].as_u64().unwrap()).collect()
}

#[test]
fn a_trail_as_it_was_written_is_whole() {
    let (place, id) = rotated();
    let run = place.run(VERIFY).code(0);
    assert!(run.stderr.is_empty(), "{run:?}");
    insta::assert_snapshot!("a_whole_trail", reviewed(&run.stdout, &id));
    let json = place.run(&format!("{VERIFY} --json")).code(0).json();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["checkpoints", "end", "file", "from", "open", "problem", "records", "schema", "until", "whole"]);
    let last: Value = serde_json::from_str(trail(&place).lines().last().unwrap()).unwrap();
    assert_eq!(json["end"], json!({ "n": last["n"], "hash": last["hash"] }));
    assert_eq!(json["records"].as_u64(), last["n"].as_u64().map(|n| n + 1));
    assert_eq!((&json["until"], &json["whole"]), (&last["record"]["at"], &true.into()));
    assert_eq!((&json["problem"], &json["open"]), (&Value::Null, &json!([])));
    assert_eq!(json["file"], TRAIL);
}

#[test]
fn what_was_done_to_a_trail_is_named() {
    let (place, _) = rotated();
    let text = trail(&place);
    let all = lines(&text);
    let joined = |places: &[usize]| places.iter().map(|n| all[*n]).collect::<String>();
    let torn = &text[..text.len() - 7];
    let half = format!("line 6: {} bytes at the end are no whole record", torn.len() - joined(&[0, 1, 2, 3, 4]).len());
    for (what, changed, says, records) in [
        ("changed", text.replacen("agent-7", "agent-8", 3), "line 1: audit record 0: its content was changed", 0),
        ("removed", joined(&[0, 2, 3, 4, 5]), "line 2: audit record 1: found number 2 in its place", 1_u64),
        ("moved", joined(&[0, 1, 3, 2, 4, 5]), "line 3: audit record 2: found number 3 in its place", 2),
        ("inserted", joined(&[0, 1, 2, 2, 3, 4, 5]), "line 4: audit record 3: found number 2 in its place", 3),
        ("torn", torn.to_owned(), &*half, 5),
        ("another format", text.replace("{\"v\":1,\"n\":4", "{\"v\":2,\"n\":4"), "line 5: audit record 4: format 2", 4),
        ("no record", format!("{}{{\"v\":1}}\n", joined(&[0])), "line 2: audit record 1: it is JSON, but no audit", 1),
        ("no JSON", format!("{}\u{1b}[2J\n", joined(&[0])), "line 2: audit record 1: it is no JSON", 1),
        ("no text", format!("{}\n{}", joined(&[0]), joined(&[1])), "line 2: audit record 1: it is no JSON", 1),
        (
            "a line too long",
            format!("{}{}\n", joined(&[0]), "x".repeat(1 << 20 | 1)),
            "line 2: audit record 1: the line",
            1,
        ),
    ] {
        assert_ne!(changed, text, "{what}");
        write(&place, &changed);
        let run = place.run(VERIFY).code(1).says(&format!("the audit trail `{TRAIL}` is not whole: {says}"));
        assert!(run.stdout.contains("NOT WHOLE") && !run.stdout.contains('\u{1b}'), "{what}: {run:?}");
        let json = place.run(&format!("{VERIFY} --json")).code(1).json();
        assert!(json["problem"].as_str().unwrap().starts_with(says), "{what}: {json}");
        assert_eq!((&json["whole"], &json["records"]), (&false.into(), &records.into()), "{what}");
        assert_eq!(json["end"]["n"].as_u64(), records.checked_sub(1), "{what}");
        let asked = place.run(QUERY);
        if what == "torn" {
            let asked = asked.code(0).says("bytes at the end of the trail are no whole record, and are passed over");
            assert!(asked.stdout.contains("5 records"), "{asked:?}");
        } else {
            let asked = asked.code(1).says(says);
            assert!(asked.stdout.is_empty(), "{what}: {asked:?}");
            let json = place.run(&format!("{QUERY} --json")).code(1).json();
            assert_eq!(json["error"]["kind"], "audit", "{what}");
        }
        assert_eq!(trail(&place), changed, "{what}: it is not mended");
    }
    write(&place, joined(&[0, 1, 2, 3]));
    let json = place.run(&format!("{VERIFY} --json")).code(0).json();
    assert_eq!(
        (&json["whole"], &json["records"]),
        (&true.into(), &4.into()),
        "a tail that was cut is seen with a checkpoint alone"
    );
    write(&place, "");
    let json = place.run(&format!("{VERIFY} --json")).code(0).json();
    assert_eq!((&json["end"], &json["from"], &json["records"]), (&Value::Null, &Value::Null, &0.into()));
    let json = place.run("audit verify nowhere --json").code(1).says("there is no audit trail nowhere").json();
    assert_eq!(json["error"]["kind"], "not_found");
    let _ = place.run("audit verify .").code(1).says("cannot read the audit trail .");
}

#[test]
fn any_byte_that_is_flipped_is_found() {
    let (place, _) = rotated();
    let text = trail(&place).into_bytes();
    // A prime, so that all parts of a line have their turn. Every single byte is flipped in the tests of the crates below.
    for at in (0..text.len()).step_by(211).chain([text.len() - 1]) {
        let mut flipped = text.clone();
        flipped[at] ^= 0x20;
        write(&place, flipped);
        let run = place.run(VERIFY).code(1);
        assert!(run.stderr.contains("is not whole: line "), "byte {at}: {run:?}");
    }
}

#[test]
fn an_intent_without_an_outcome_is_told() {
    let (place, id) = rotated();
    let text = trail(&place);
    write(&place, lines(&text)[..5].concat());
    let run = place.run(VERIFY).code(0);
    insta::assert_snapshot!("an_open_intent", reviewed(&run.stdout, &id));
    let json = place.run(&format!("{VERIFY} --json")).code(0).json();
    let open = &json["open"][0];
    assert_eq!((&open["n"], &open["phase"], &open["rotation"]), (&4.into(), &"intent".into(), &id.as_str().into()));
    let found = place.run(&format!("{QUERY} --outcome open --json")).code(0).json();
    assert_eq!(found["records"], json["open"]);
    assert_eq!(numbers(&place.run(&format!("{QUERY} --outcome open --account bob --json")).json()), [0; 0]);
}

#[test]
fn records_are_shown() {
    let (place, id) = rotated();
    let run = place.run(QUERY).code(0);
    assert!(run.stderr.is_empty(), "{run:?}");
    insta::assert_snapshot!("the_records", reviewed(&run.stdout, &id));
    let narrow = place.with(QUERY, &[("COLUMNS", "60")], b"").code(0).stdout;
    assert!(narrow.lines().skip(1).all(|line| line.chars().count() <= 60), "{narrow}");
    let again = place.sim("create made --generate 20 --yes --json").code(0).json()["rotation"].to_string();
    let both = place.run(QUERY).code(0).stdout;
    assert_eq!(both.matches("OUTCOME").count(), 2, "each rotation has its own heading: {both}");
    assert!(both.contains(again.trim_matches('"')), "{both}");
    let none = place.run(&format!("{QUERY} --secret nosuch")).code(0);
    assert_eq!(none.stdout, "no record was found\n");
}

#[test]
fn records_are_found_by_what_was_asked() {
    let (place, id) = rotated();
    let json = place.run(&format!("{QUERY} --json")).code(0).json();
    assert_eq!(json["schema"], 1);
    assert_eq!(numbers(&json), [0, 1, 2, 3, 4, 5]);
    let first = &json["records"][0];
    assert_eq!(first["action"], "create secret report_password_v2");
    assert_eq!(first["actor"], json!({ "account": "admin", "agent": "agent-7", "reason": "monthly" }));
    let at = |n: usize| json["records"][n]["at"].as_str().unwrap().to_owned();
    let last = json["records"][5]["at"].as_str().unwrap();
    for (asked, expected) in [
        (format!("--rotation {id}"), vec![0, 1, 2, 3, 4, 5]),
        ("--rotation r-0123456789abcdef0123".to_owned(), vec![]),
        ("--secret report_password".to_owned(), vec![0, 1, 2, 3, 4, 5]),
        ("--secret report_password_v2 --outcome done".to_owned(), vec![1, 3, 5]),
        ("--secret report".to_owned(), vec![]),
        ("--agent agent-7 --account admin --limit 2".to_owned(), vec![4, 5]),
        ("--agent agent-8".to_owned(), vec![]),
        ("--outcome refused".to_owned(), vec![]),
        ("--outcome open".to_owned(), vec![]),
        (format!("--since {}", at(0)), vec![0, 1, 2, 3, 4, 5]),
        (format!("--until {}", at(0)), vec![]),
        (format!("--since {last} --limit 1"), vec![5]),
        ("--since 2000-01-01 --until 2001-01-01".to_owned(), vec![]),
    ] {
        let found = place.run(&format!("{QUERY} {asked} --json")).code(0).json();
        assert_eq!(numbers(&found), expected, "{asked}");
    }
}

#[test]
fn questions_that_make_no_sense_are_mistakes() {
    let (place, _) = rotated();
    for (asked, part) in [
        ("--secret bad/name", "is not a secret name"),
        ("--rotation r-1", "is not a rotation id"),
        ("--since yesterday", "write 2026-11-22T09:30:00Z"),
        ("--until 2026-11-22T09:30:00", "write 2026-11-22T09:30:00Z"),
        ("--outcome failed", "done, refused, unknown or open"),
        ("--limit 0", "--limit"),
        ("--since 2026-11-23 --until 2026-11-22", "exchange the two"),
    ] {
        let json = place.run(&format!("{QUERY} {asked} --json")).code(2).says(part).json();
        assert_eq!(json["error"]["kind"], "invalid", "{asked}");
    }
}

#[test]
fn words_from_outside_cannot_drive_a_terminal() {
    let place = Place::new();
    let reason = "a\u{1b}[2Jb\u{202e}c";
    let line = "create made --generate 20 --yes --sim --sim-state world.json --json --reason";
    let _ = place.with(&format!("{line} {reason}"), &[], b"").code(0);
    let shown = place.run(QUERY).code(0).stdout;
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
    assert!(shown.contains("\\u{1b}[2Jb"), "{shown}");
    let json = place.run(&format!("{QUERY} --json")).code(0);
    assert!(!json.stdout.contains('\u{1b}') && !json.stdout.contains('\u{202e}'), "{json:?}");
    assert_eq!(json.json()["records"][0]["actor"]["reason"], reason);
}

#[test]
fn a_checkpoint_tells_of_a_tail_that_was_cut() {
    let (place, _) = rotated();
    let public = place.run("keygen key --json").code(0).json()["key"].as_str().unwrap().to_owned();
    let sign = "audit checkpoint world.json.journal/audit.jsonl --key key --out checkpoint";
    let run = place.run(sign).code(0);
    assert!(run.stdout.starts_with("signed: 6 records, with the key "), "{run:?}");
    let verify = format!("{VERIFY} --checkpoint checkpoint --key {public}");
    let run = place.run(&verify).code(0);
    assert!(run.stdout.contains("checkpoint of 6 records, signed at ") && run.stdout.contains(": holds"), "{run:?}");
    let text = trail(&place);
    let all = lines(&text);
    write(&place, all[..4].concat());
    let run = place.run(&verify).code(1).says("the last 2 of them, audit record 4 and those after it, were cut off");
    assert!(run.stdout.contains("NOT WHOLE") && run.stdout.contains("DOES NOT HOLD"), "{run:?}");
    let json = place.run(&format!("{verify} --json")).code(1).json();
    assert_eq!((&json["whole"], &json["checkpoints"][0]["held"]), (&false.into(), &false.into()));
    assert_eq!(json["checkpoints"][0]["records"], 6);
    let kept = std::fs::read(place.path("checkpoint")).unwrap();
    let _ = place.run(sign).code(1).says("were cut off");
    assert_eq!(std::fs::read(place.path("checkpoint")).unwrap(), kept, "it is not replaced");
    write(&place, &text);
    let json = place.run(&format!("{sign} --json")).code(0).json();
    assert_eq!((&json["records"], json["hash"].as_str().map(str::len)), (&6.into(), Some(64)));
    let other = place.run("keygen other --json").code(0).json()["key"].as_str().unwrap().to_owned();
    let verify = format!("{VERIFY} --checkpoint checkpoint --key {other}");
    let _ = place.run(&verify).code(1).says("is not signed with the key");
    for (line, part) in [
        (format!("{VERIFY} --checkpoint checkpoint"), "--key"),
        (format!("{VERIFY} --key {public}"), "--checkpoint"),
        (format!("{VERIFY} --checkpoint checkpoint --key rsa:AAAA"), "is not a public key"),
        (sign.replace("--key key", "--key value"), "is not a private key"),
    ] {
        let _ = place.run(&line).code(2).says(part);
    }
}

#[test]
fn an_intent_without_an_outcome_is_said_when_the_trail_is_opened_and_its_rotation_is_over() {
    let (place, id) = rotated();
    let text = trail(&place);
    let create = |name: &str| place.sim(&format!("create {name} --generate 20 --yes")).code(0);
    // The rotation waits for its grace to pass: going on with it finds out.
    write(&place, lines(&text)[..5].concat());
    let told =
        |run: &crate::command::Run| run.stderr.contains("tells of changes that were begun, and not how they went");
    assert!(!told(&create("one")));
    std::fs::remove_file(place.path(&format!("world.json.journal/rotations/{id}.jsonl"))).unwrap();
    let run = create("two");
    assert!(told(&run) && run.stderr.contains("  record 4: ") && run.stderr.contains(&id), "{run:?}");
    // A trail that is not whole is said, too.
    write(&place, trail(&place).replacen("agent-7", "agent-8", 1));
    let _ = create("three")
        .says("warning: audit trail world.json.journal/audit.jsonl: line 1: audit record 0: its content");
}
