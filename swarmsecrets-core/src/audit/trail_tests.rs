//! Trails as they are written, and what was done to them since.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::ids::{EnvironmentId, PlanDigest, RotationId};
use crate::policy::Direction;

fn rotation(n: u8) -> RotationId {
    RotationId::from_random([n; 10])
}

fn record(step: u32, action: &str, outcome: Option<&str>) -> AuditRecord {
    AuditRecord {
        at: Timestamp::from_second(1_780_000_000 + i64::from(step)).unwrap(),
        actor: Actor {
            account: "admin".into(),
            agent: Some("agent-7".into()),
            reason: Some("monthly".into()),
            leave: None,
        },
        environment: EnvironmentId(1),
        rotation: rotation(1),
        plan: PlanDigest::from_sha256([2; 32]),
        phase: if outcome.is_some() { Phase::Outcome } else { Phase::Intent },
        step,
        direction: Direction::Forward,
        action: action.into(),
        outcome: outcome.map(str::to_owned),
        simulated: true,
    }
}

/// The lines of these records, as a file has them.
fn written(records: &[AuditRecord]) -> Vec<Vec<u8>> {
    let mut end = Link::default();
    records
        .iter()
        .map(|record| {
            let line = end.line(record).unwrap();
            end = end.after(&line).unwrap();
            serde_json::to_vec(&line).unwrap()
        })
        .collect()
}

fn read(lines: &[Vec<u8>]) -> Result<Reading> {
    let mut reading = Reading::default();
    lines.iter().try_for_each(|line| reading.take(line).map(drop))?;
    Ok(reading)
}

fn at_end(lines: &[Vec<u8>]) -> Checkpoint {
    Checkpoint::sign(read(lines).unwrap().end(), Timestamp::UNIX_EPOCH, &crate::keys::testing::key(1))
}

fn rotated() -> Vec<AuditRecord> {
    vec![
        record(1, "create secret db_v2", None),
        record(1, "create secret db_v2", Some("done")),
        record(2, "update service db: key -> key_v2", None),
        record(2, "update service db: key -> key_v2", Some("refused: no leader")),
        record(3, "update service web: db -> db_v2", None),
    ]
}

#[test]
fn a_whole_trail_tells_its_records_times_and_end() {
    let lines = written(&rotated());
    let reading = read(&lines).unwrap();
    assert_eq!(reading.records(), 5);
    assert_eq!((reading.from(), reading.until()), (Some(rotated()[0].at), Some(rotated()[4].at)));
    let last: Linked = serde_json::from_slice(&lines[4]).unwrap();
    assert_eq!(reading.end().hash(), last.hash);
    let verdict = Verdict::of("f".into(), &reading, None, None);
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["end"], serde_json::json!({ "n": 4, "hash": last.hash }));
    assert_eq!((&json["whole"], &json["problem"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!((&json["open"][0]["n"], &json["open"][0]["rotation"]), (&4.into(), &rotation(1).as_str().into()));
    assert_eq!(Verdict::of("f".into(), &Reading::default(), None, None).end, None);
}

#[test]
fn the_first_record_that_is_wrong_is_named_with_its_line() {
    type Change = fn(&mut Vec<Vec<u8>>);
    let changed = |change: Change| {
        let mut lines = written(&rotated());
        change(&mut lines);
        read(&lines).unwrap_err()
    };
    let swap = |line: &mut Vec<u8>, old: &str, new: &str| {
        let text = String::from_utf8(line.clone()).unwrap();
        assert!(text.contains(old));
        *line = text.replace(old, new).into_bytes();
    };
    let cases: [(Change, &str); 4] = [
        (|l| drop(l.remove(2)), "line 3: audit record 2: found number 3 in its place"),
        (|l| l.swap(1, 3), "line 2: audit record 1: found number 3 in its place"),
        (|l| l.insert(2, l[1].clone()), "line 3: audit record 2: found number 1 in its place"),
        (|l| l[2] = b"hello".to_vec(), "line 3: audit record 2: it is no JSON: expected value, at byte 1"),
    ];
    for (change, says) in cases {
        let error = changed(change);
        assert_eq!(error.kind(), crate::ErrorKind::Audit);
        assert!(error.to_string().starts_with(says), "{says}: {error}");
    }
    for (old, new, says) in [
        ("key_v2", "key_v3", "its content was changed"),
        ("\"v\":1", "\"v\":2", "format 2 is not known, only 1"),
        ("\"v\":1,", "\"v\":9,\"future\":{},", "format 9 is not known, only 1"),
        ("\"record\"", "\"recorb\"", "it is JSON, but no audit record: unknown field `recorb`"),
        ("\"intent\"", "\"int\\u001b[31m\"", "it is JSON, but no audit record: unknown variant `int [31m`"),
        ("T", "t", "it says what was written, but not in the same bytes"),
        ("\"v\":1", " \"v\":1", "it says what was written, but not in the same bytes"),
    ] {
        let mut lines = written(&rotated());
        swap(&mut lines[2], old, new);
        let error = read(&lines).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line 3: audit record 2: {says}")), "{says}: {error}");
        assert!(!error.contains(crate::ids::is_unprintable), "{error:?}");
    }
}

/// What the chain alone cannot find. The docs say so, and a check against a number or a hash that was kept elsewhere does.
#[test]
fn a_tail_that_was_cut_and_a_trail_that_was_made_anew_are_not_found() {
    let lines = written(&rotated());
    let kept = read(&lines).unwrap();
    let cut = read(&lines[..3]).unwrap();
    assert!(cut.records() < kept.records() && cut.end() != kept.end());
    let mut records = rotated();
    records[0].actor.account = "somebody else".into();
    let forged = read(&written(&records)).unwrap();
    assert!(forged.records() == kept.records() && forged.end().hash() != kept.end().hash());
}

#[test]
fn an_intent_is_open_until_its_outcome_comes() {
    let open = |records: &[AuditRecord]| {
        let entries = read(&written(records)).unwrap().open();
        entries.iter().map(|entry| entry.n).collect::<Vec<_>>()
    };
    let all = rotated();
    assert_eq!((open(&all[..1]), open(&all[..2]), open(&all)), (vec![0], vec![], vec![4]));
    // A crash, and the same step again: how the first one went was never told.
    assert_eq!(open(&[all[0].clone(), all[0].clone(), all[1].clone()]), [0]);
    let other = |change: fn(&mut AuditRecord)| {
        let mut outcome = all[1].clone();
        change(&mut outcome);
        open(&[all[0].clone(), outcome])
    };
    assert_eq!(other(|r| r.step = 2), [0]);
    assert_eq!(other(|r| r.action = "create secret db_v3".into()), [0]);
    assert_eq!(other(|r| r.rotation = rotation(9)), [0]);
    // Concurrent ones are told apart.
    assert_eq!(open(&[all[0].clone(), all[2].clone(), all[1].clone()]), [1]);
}

fn found(query: &Query) -> Vec<u64> {
    let (mut reading, mut selection) = (Reading::default(), Selection::new(query));
    for line in written(&rotated()) {
        selection.see(reading.take(&line).unwrap());
    }
    selection.end(&reading).iter().map(|entry| entry.n).collect()
}

#[test]
fn records_are_found_by_what_they_hold() {
    let all = Query::default();
    let secret = |name: &str| found(&Query { secret: Some(name.parse().unwrap()), ..all.clone() });
    assert_eq!(found(&all), [0, 1, 2, 3, 4]);
    assert_eq!(secret("db"), [0, 1, 4], "a service of that name is no secret");
    assert_eq!((secret("db_v2"), secret("key"), secret("web")), (vec![0, 1, 4], vec![2, 3], vec![]));
    assert_eq!((secret("secret_v2"), secret("d")), (vec![], vec![]), "whole words alone");
    assert_eq!(found(&Query { rotation: Some(rotation(2)), ..all.clone() }), [0; 0]);
    assert_eq!(found(&Query { rotation: Some(rotation(1)), ..all.clone() }).len(), 5);
    assert_eq!(found(&Query { agent: Some("agent-7".into()), ..all.clone() }).len(), 5);
    assert_eq!(found(&Query { agent: Some("agent".into()), ..all.clone() }), [0; 0]);
    assert_eq!(found(&Query { account: Some("bob".into()), ..all.clone() }), [0; 0]);
    let (second, third) = (Some(rotated()[2].at), Some(rotated()[4].at));
    assert_eq!(found(&Query { since: second, until: third, ..all.clone() }), [2, 3]);
    let ending = |ending| found(&Query { outcome: Some(ending), ..all.clone() });
    assert_eq!(Ending::ALL.map(ending), [vec![1], vec![3], vec![], vec![4]]);
    let limit = NonZeroUsize::new(2);
    assert_eq!(found(&Query { limit, ..all.clone() }), [3, 4], "the last ones");
    assert!(Query { since: second, until: second, ..all.clone() }.check().is_err());
    assert!(Query { since: second, until: third, ..all }.check().is_ok());
}

#[test]
fn secrets_are_found_in_every_action_that_names_them() {
    for (action, name, there) in [
        ("set the owner of secret db-v3 (resource control 7)", "db", true),
        ("delete secret db_2026-11-21", "db", true),
        ("put back service web: db_v2 -> db, key_v2 -> key", "key", true),
        ("update service web: a -> a_v2, and b beside it at b.previous", "b", true),
        ("write the file of stack db (number 4) and redeploy it", "db", false),
        ("set the variables of stack db (number 4) and redeploy it from commit 1a2b of its repository", "db", false),
        ("set the new password of user app of the database at db:5432", "app", true),
        ("delete secret mydb", "db", false),
        ("delete secret db.key", "db", false),
        ("update service web", "web", false),
    ] {
        let query = Query { secret: Some(name.parse().unwrap()), ..Query::default() };
        assert_eq!(query.matches(&record(1, action, None)), there, "{action}: {name}");
    }
}

#[test]
fn moments_and_outcomes_are_read() {
    let at = |text: &str| parse_moment(text).unwrap().to_string();
    assert_eq!(at("2026-11-22"), "2026-11-22T00:00:00Z");
    assert_eq!(at("2026-11-22T09:30:00+02:00"), "2026-11-22T07:30:00Z");
    for bad in ["", "yesterday", "2026-13-01", "2026-11-22T09:30:00", "09:30", "20261122", "9999-99-99"] {
        assert!(parse_moment(bad).unwrap_err().contains("write 2026-11-22T09:30:00Z"), "{bad}");
    }
    assert_eq!("refused".parse::<Ending>().unwrap(), Ending::Refused);
    assert!("failed".parse::<Ending>().unwrap_err().to_string().contains("done, refused, unknown or open"));
}

proptest! {
    /// Whatever stands in it. The break at the end of a line is a byte as well: without it, two lines are none, or the last
    /// one is torn.
    #[test]
    fn any_byte_that_is_changed_is_found(
        texts in proptest::collection::vec((".{0,12}", ".{0,12}", proptest::option::of(".{0,12}")), 1..4),
        at in any::<prop::sample::Index>(),
        by in 1..=255_u8,
    ) {
        let records: Vec<AuditRecord> = texts
            .iter()
            .map(|(action, reason, outcome)| AuditRecord {
                actor: Actor { account: "a".into(), agent: None, reason: Some(reason.clone()), leave: None },
                ..record(1, action, outcome.as_deref())
            })
            .collect();
        let mut file: Vec<u8> = written(&records).into_iter().flat_map(|line| [line, vec![b'\n']].concat()).collect();
        prop_assert!(whole(&file));
        let at = at.index(file.len());
        file[at] ^= by;
        prop_assert!(!whole(&file), "byte {}", at);
    }
}

/// Whether a file is one whole chain with a break after each line.
fn whole(file: &[u8]) -> bool {
    let Some(lines) = file.strip_suffix(b"\n") else { return false };
    read(&lines.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()).is_ok()
}

/// A chain without its last records is a whole chain, and so is one that was written anew: checkpoints tell.
#[test]
fn a_tail_that_was_cut_and_a_trail_that_was_written_anew_are_missed() {
    let lines = written(&rotated());
    let anew = written(&rotated().into_iter().map(|r| AuditRecord { step: r.step + 9, ..r }).collect::<Vec<_>>());
    let verdict = |lines: &[Vec<u8>], checkpoints: Vec<Checkpoint>| {
        let mut reading = Reading::against(checkpoints);
        lines.iter().for_each(|line| drop(reading.take(line).unwrap()));
        Verdict::of("f".into(), &reading, None, None)
    };
    for signed in 0..=lines.len() {
        let checkpoint = at_end(&lines[..signed]);
        for kept in 0..=lines.len() {
            let found = verdict(&lines[..kept], vec![checkpoint.clone()]);
            assert_eq!((found.whole, found.checkpoints[0].held), (kept >= signed, Some(kept >= signed)));
            if kept < signed {
                let words = format!("ends after {kept} records, and the checkpoint that the key ");
                let missing = format!("tells of {signed}: the last {} of them, audit record {kept} and", signed - kept);
                let problem = found.problem.unwrap();
                assert!(problem.contains(&words) && problem.contains(&missing), "{problem}");
            }
        }
        let found = verdict(&anew, vec![checkpoint]);
        assert_eq!(found.whole, signed == 0);
        assert!(signed == 0 || found.problem.unwrap().contains(&format!("audit record {} is not the one", signed - 1)));
    }
    // Of several, the one that goes back the furthest says the most.
    let both = verdict(&anew, vec![at_end(&lines), at_end(&lines[..2])]);
    assert!(both.problem.unwrap().starts_with("line 2: "));
}

#[test]
fn what_was_not_read_cannot_be_held_against_a_checkpoint() {
    let mut lines = written(&rotated());
    let checkpoint = at_end(&lines);
    lines.swap(1, 2);
    let mut reading = Reading::against(vec![at_end(&lines[..1]), checkpoint]);
    let broken = lines.iter().try_for_each(|line| reading.take(line).map(drop)).unwrap_err().message().to_owned();
    let found = Verdict::of("f".into(), &reading, Some(broken.clone()), Some("torn".into()));
    assert_eq!(found.problem, Some(broken));
    assert_eq!(found.checkpoints.iter().map(|one| one.held).collect::<Vec<_>>(), [Some(true), None]);
}

#[test]
fn the_name_of_a_record_is_that_of_its_content_alone() {
    let one = record(1, "create secret db_v2", None);
    let name = one.name().unwrap();
    assert_eq!(name, one.clone().name().unwrap());
    assert!(name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
    for other in [
        record(2, "create secret db_v2", None),
        record(1, "create secret db_v3", None),
        record(1, "create secret db_v2", Some("done")),
        AuditRecord { simulated: false, ..one.clone() },
        AuditRecord { at: Timestamp::UNIX_EPOCH, ..one },
    ] {
        assert_ne!(other.name().unwrap(), name);
    }
}
