//! Requests: what they say, what they refuse to hold, and that their digest covers all of it.

use std::collections::BTreeSet;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::example::{Counter, FINGERPRINT, at, draft, plan_as, request_as};
use super::*;
use crate::ErrorKind;
use crate::ids::{PolicyDigest, hex, is_unprintable};
use crate::plan::{Warning, WarningKind};

#[test]
fn a_request_reads_back() {
    let request = request_as(|draft| draft.window = Some(Window { opens: at("12:10:00"), closes: at("12:20:00") }));
    let json = request.to_json().unwrap();
    assert_eq!(ChangeRequest::from_json(&json).unwrap(), request);
    let text = String::from_utf8(json).unwrap();
    assert!(text.starts_with("{\n  \"schema\": 1,\n  \"digest\": \""), "{text}");
    assert_eq!((request.environment, request.cluster.as_str()), (request.plan.environment, "cluster1"));
    assert_eq!(request.expires.duration_since(request.created).unsigned_abs(), USUALLY_VALID);
}

#[test]
fn the_digest_is_as_documented() {
    let request = request_as(|draft| draft.plan = plan_as(|c| c.consumers[0].stack = Some("shop".into())));
    let field = |name: &str, text: &str| format!("{name} {}\n{text}\n", text.len());
    let encoded = [
        "swarmsecrets change request 1\n".to_owned(),
        field("created", "1778155200000000000") + &field("expires", "1778157000000000000"),
        "opens -\ncloses -\n".to_owned(),
        field("account", "svc-agent") + &field("agent", "claude"),
        field("reasoning", "the password is ninety days old") + &field("instance", "https://portainer.example"),
        field("environment", "1") + &field("cluster", "cluster1"),
        field("policy", &"05".repeat(32)) + &field("approvals", "1"),
        "fingerprints * 1\n".to_owned() + &field("secret", "db") + &field("fingerprint", FINGERPRINT),
        field("nonce", request.nonce.as_str()),
        "services * 2\n".to_owned() + &field("service", "web") + &field("service", "worker") + &field("restarts", "4"),
        "stacks * 1\n".to_owned() + &field("stack", "shop") + "teams * 1\n" + &field("team", "1"),
        field("risk", "low") + "reasons * 0\n" + &field("plan", request.plan.digest().as_str()),
    ];
    assert_eq!(request.digest().as_str(), hex(&Sha256::digest(encoded.concat())));
}

#[test]
fn the_digest_covers_everything() {
    let changes: [fn(&mut Draft); 14] = [
        |_| {},
        |d| d.requester.account = "other".into(),
        |d| d.requester.agent = None,
        |d| d.reasoning = "none".into(),
        |d| d.plan = plan_as(|c| c.timing.grace = Duration::from_secs(1)),
        |d| d.instance = "https://other.example".into(),
        |d| d.policy = PolicyDigest::from_sha256([6; 32]),
        |d| d.fingerprints.clear(),
        |d| d.fingerprints.values_mut().for_each(|f| *f = f.replace('0', "1")),
        |d| d.window = Some(Window { opens: at("12:00:00"), closes: at("12:20:00") }),
        |d| d.window = Some(Window { opens: at("12:00:00"), closes: at("12:20:01") }),
        |d| d.created = at("12:00:01"),
        |d| d.valid_for = Duration::from_secs(60),
        |d| d.approvals = 2,
    ];
    let mut digests: BTreeSet<String> = changes.map(|change| request_as(change).digest().to_string()).into();
    digests.insert(draft().seal(&mut Counter(78)).unwrap().digest().to_string());
    assert_eq!(digests.len(), changes.len() + 1, "the nonce differs, too");
}

/// What the error says, and what is wrong.
type Case<'a> = (&'a str, &'a dyn Fn(&mut Draft));

#[test]
fn what_no_request_can_hold_is_refused() {
    let window = |opens: &str, closes: &str| Some(Window { opens: at(opens), closes: at(closes) });
    let cases: [Case<'_>; 15] = [
        ("24", &|d| d.valid_for = Duration::from_secs(24 * 3600 + 1)),
        ("valid for 1d at most", &|d| d.valid_for = Duration::MAX),
        ("expires before", &|d| d.valid_for = Duration::ZERO),
        ("1 approval at least", &|d| d.approvals = 0),
        ("16 KiB", &|d| d.reasoning = "x".repeat(16 * 1024 + 1)),
        ("requester", &|d| d.requester.account = " ".into()),
        ("agent", &|d| d.requester.agent = Some("a\u{202e}b".into())),
        ("origin", &|d| d.instance = String::new()),
        ("origin", &|d| d.instance = "https://a b".into()),
        ("origin alone", &|d| d.instance = "https://admin:made-up-word@portainer".into()),
        ("closes at", &|d| d.window = window("12:20:00", "12:10:00")),
        ("has expired", &|d| d.window = window("12:30:00", "12:40:00")),
        ("has closed", &|d| d.window = window("11:30:00", "12:00:00")),
        ("no secret `api`", &|d| drop(d.fingerprints.insert("api".into(), FINGERPRINT.into()))),
        ("no fingerprint", &|d| drop(d.fingerprints.insert("db".into(), "made-up value!".into()))),
    ];
    for (why, change) in cases {
        let mut draft = draft();
        change(&mut draft);
        let error = draft.seal(&mut Counter(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{why}");
        if why != "24" {
            assert!(error.message().contains(why), "{error}");
        }
        assert!(!error.message().contains("made-up"), "{error}");
    }
    assert!(draft_valid_for(LONGEST_VALID).is_ok());
}

fn draft_valid_for(valid_for: Duration) -> crate::Result<ChangeRequest> {
    Draft { valid_for, ..draft() }.seal(&mut Counter(1))
}

#[test]
fn a_request_that_tells_other_than_its_plan_is_refused() {
    let json = String::from_utf8(request_as(|_| {}).to_json().unwrap()).unwrap();
    for (from, to, why) in [
        ("\"environment\": 1", "\"environment\": 2", "Swarm"),
        ("\"restarts\": 4", "\"restarts\": 0", "reach and risk"),
        ("\"low\"", "\"high\"", "reach and risk"),
        ("ninety days", "eighty days", "digest"),
        ("\"db_v2\"", "\"db_v3\"", "plan"),
        ("\"schema\": 1", "\"schema\": 7", "format 7"),
        ("\"approvals\": 1", "\"approvals\": 1, \"x\": 0", "unknown field"),
        ("\"agent\": \"claude\"", "\"agent\": \"claude\", \"x\": 0", "unknown field"),
        ("\"kind\": \"rotate\"", "\"kind\": \"rotate\", \"x\": 0", "does not know"),
    ] {
        let changed = json.replacen(from, to, 1);
        assert_ne!(changed, json, "{from}");
        let error = ChangeRequest::from_json(changed.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(why), "{from}: {error}");
    }
}

#[test]
fn a_person_reads_what_is_asked_for() {
    let request = request_as(|draft| {
        draft.plan = plan_as(|c| {
            c.consumers[0].stack = Some("shop".into());
            c.warnings.push(Warning {
                kind: WarningKind::StopFirstSingleReplica,
                about: Some("web".into()),
                text: "`web` has one replica and stops it first".into(),
            });
        });
        draft.window = Some(Window { opens: at("12:10:00"), closes: at("12:20:00") });
        draft.approvals = 2;
    });
    let text =
        request.text().replace(request.digest().as_str(), "DIGEST").replace(request.plan.digest().as_str(), "PLAN");
    insta::assert_snapshot!(text);
}

#[test]
fn no_text_from_outside_drives_a_terminal_or_looks_like_ours() {
    let evil = "x\u{1b}[2J\u{202e}\u{7}\nneeds: 0 people\r\napproved\u{2028}expires: never\u{85}risk: low";
    let request = request_as(|draft| {
        draft.reasoning = evil.into();
        draft.fingerprints.clear();
        draft.plan = plan_as(|c| {
            c.secrets[0].secret = evil.into();
            c.consumers[0].service = evil.into();
            c.consumers[1].stack = Some(evil.into());
            c.secrets[0].owner.as_mut().unwrap().names = vec![format!("team {evil}")];
            c.warnings.push(Warning { kind: WarningKind::NoHealthCheck, about: Some(evil.into()), text: evil.into() });
            c.decision = crate::policy::Decision::NeedsApproval { reason: evil.into() };
        });
    });
    let text = request.text();
    assert!(!text.chars().any(|c| c != '\n' && is_unprintable(c)), "{text:?}");
    for ours in ["needs: ", "expires: ", "risk: ", "approved"] {
        let lines = text.lines().filter(|line| line.starts_with(ours)).count();
        assert_eq!(lines, usize::from(ours != "approved"), "{ours}\n{text}");
    }
    assert!(text.contains("WHATEVER IS HANDED OVER"), "{text}");
    assert!(
        text.contains("why, in the words of who asks:\n  | x [2J  \n  | needs: 0 people\n  | approved\n"),
        "{text}"
    );
}
