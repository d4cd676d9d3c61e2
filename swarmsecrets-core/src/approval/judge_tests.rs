//! Every refusal with its sentence, and what is approved.

use std::time::Duration;

use super::Verdict::{Approve, Deny};
use super::example::{World, at, given, key, plan_as, request_as};
use super::*;
use crate::ids::{EnvironmentId, PolicyDigest};
use crate::{Error, ErrorKind};

/// What is said to a request by these approvers, in a world that differs a little.
fn judged(
    change: impl FnOnce(&mut Draft),
    decisions: &[(u64, Verdict)],
    differ: impl FnOnce(&mut World),
) -> Result<Approved, Refusal> {
    let request = request_as(change);
    let decisions: Vec<Given> = decisions.iter().map(|(n, verdict)| given(&request, *n, *verdict)).collect();
    let mut world = World::of(&request);
    differ(&mut world);
    judge(&request, &decisions, world.judging())
}

fn refused(
    change: impl FnOnce(&mut Draft),
    decisions: &[(u64, Verdict)],
    differ: impl FnOnce(&mut World),
) -> (ErrorKind, String) {
    let error = Error::from(judged(change, decisions, differ).unwrap_err());
    (error.kind(), error.message().to_owned())
}

const ALICE: &[(u64, Verdict)] = &[(1, Approve)];

#[test]
fn what_enough_people_approve_is_approved() {
    let request = request_as(|_| {});
    let approved = judged(|_| {}, ALICE, |_| {}).unwrap();
    assert_eq!((approved.request(), approved.plan()), (request.digest(), request.plan.digest()));
    assert_eq!((approved.nonce(), approved.expires()), (&request.nonce, request.expires));
    assert_eq!(approved.approvers(), ["alice"]);
    let two = judged(|d| d.approvals = 2, &[(3, Approve), (1, Approve), (2, Approve)], |_| {}).unwrap();
    assert_eq!(two.approvers(), ["alice", "bob"]);
    let twice = judged(|_| {}, &[(1, Approve), (1, Approve)], |_| {}).unwrap();
    assert_eq!(twice.approvers(), ["alice"]);
}

#[test]
fn approvals_that_are_missing_are_counted() {
    let (kind, text) = refused(|_| {}, &[], |_| {});
    assert_eq!(kind, ErrorKind::NeedsApproval);
    assert_eq!(text, "not enough approvals: 1 more person of 1 must approve the change request");
    let (_, text) = refused(|d| d.approvals = 3, ALICE, |_| {});
    assert_eq!(text, "not enough approvals: 2 more people of 3 must approve the change request");
}

#[test]
fn one_denial_is_enough() {
    let (kind, text) = refused(|_| {}, &[(1, Approve), (3, Deny)], |_| {});
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(text, "the change request was denied by `bob`: ask them why, and make another one if it is right");
    // Also that of who asks, and of who has approved before.
    for n in [1, 5] {
        let refusal = judged(|_| {}, &[(1, Approve), (n, Deny)], |_| {}).unwrap_err();
        assert!(matches!(refusal, Refusal::DeniedBy { .. }), "{refusal}");
    }
}

#[test]
fn an_expired_request_is_good_for_nothing() {
    let (kind, text) = refused(|_| {}, ALICE, |w| w.now = at("12:30:00"));
    assert_eq!(kind, ErrorKind::NeedsApproval);
    assert_eq!(
        text,
        "the change request expired at 2026-05-07T12:30:00Z, and it is 2026-05-07T12:30:00Z: make it again and have it approved"
    );
    assert!(judged(|_| {}, ALICE, |w| w.now = at("12:29:59")).is_ok());
}

#[test]
fn a_clock_that_is_wrong_is_noticed() {
    let (kind, text) = refused(|_| {}, &[], |w| w.now = at("11:54:59"));
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        "the change request was made at 2026-05-07T12:00:00Z, which is in the future, as it is 2026-05-07T11:54:59Z: set the clock that is wrong"
    );
    let (_, text) = refused(|_| {}, ALICE, |w| w.now = at("11:55:00"));
    assert_eq!(
        text,
        "the decision of `alice` was made at 2026-05-07T12:05:00Z, which is in the future, as it is 2026-05-07T11:55:00Z: set the clock that is wrong"
    );
    assert!(judged(|_| {}, ALICE, |w| w.now = at("12:00:00")).is_ok());
}

#[test]
fn outside_of_its_window_nothing_is_carried_out() {
    let window = |d: &mut Draft| d.window = Some(Window { opens: at("12:10:00"), closes: at("12:20:00") });
    for (now, good) in [("12:09:59", false), ("12:10:00", true), ("12:19:59", true), ("12:20:00", false)] {
        assert_eq!(judged(window, ALICE, |w| w.now = at(now)).is_ok(), good, "{now}");
    }
    assert_eq!(judged(window, ALICE, |w| w.now = at("12:15:00")).unwrap().expires(), at("12:20:00"));
    let (kind, text) = refused(window, ALICE, |w| w.now = at("12:09:59"));
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        "the change may be carried out from 2026-05-07T12:10:00Z until 2026-05-07T12:20:00Z, and it is 2026-05-07T12:09:59Z: wait for that, or make a change request for another time"
    );
}

#[test]
fn a_forged_decision_is_refused_beside_good_ones() {
    let request = request_as(|_| {});
    let forged = SignedDecision::sign(&request, Approve, "bob", at("12:05:00"), None, &key(9)).unwrap();
    // Mallory's signature under the name of Bob's key.
    let bobs = key(3).public().id();
    let json = String::from_utf8(forged.to_json().unwrap()).unwrap().replace(forged.key().as_str(), bobs.as_str());
    let forged = SignedDecision::from_json(json.as_bytes()).unwrap();
    let world = World::of(&request);
    let refusal = judge(&request, &[given(&request, 1, Approve), forged.into()], world.judging()).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::Denied);
    assert_eq!(
        refusal.to_string(),
        format!(
            "the decision of `bob` is forged: its signature is not that of the key {bobs}, or it was changed; remove it, and find out where it came from"
        )
    );
}

#[test]
fn an_unknown_key_is_refused_and_so_is_one_under_anothers_name() {
    let (kind, text) = refused(|_| {}, &[(9, Approve)], |_| {});
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        format!(
            "the decision of `mallory` is signed with the key {}, which is not known as theirs: add it to the keyring if it is, or remove the decision",
            key(9).public().id()
        )
    );
    let request = request_as(|_| {});
    let borrowed = SignedDecision::sign(&request, Approve, "bob", at("12:05:00"), None, &key(1)).unwrap();
    let refusal = judge(&request, &[borrowed.into()], World::of(&request).judging()).unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownKey { .. }), "{refusal}");
}

#[test]
fn a_decision_on_another_request_is_refused() {
    let (request, other) = (request_as(|_| {}), request_as(|d| d.reasoning = "something else".into()));
    let refusal = judge(&request, &[given(&other, 1, Approve)], World::of(&request).judging()).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::Denied);
    assert_eq!(
        refusal.to_string(),
        format!(
            "the decision of `alice` is signed for another change request ({}): remove it, and let them decide on this one",
            other.digest()
        )
    );
}

#[test]
fn another_plan_is_refused() {
    let moved = plan_as(|content| content.restarts = 5);
    let (kind, text) = refused(|_| {}, ALICE, |w| w.plan = moved.digest().clone());
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        format!(
            "the plan {} is approved, and {} is about to run: it was edited, or made anew because the world moved; make a change request for it",
            plan_as(|_| {}).digest(),
            moved.digest()
        )
    );
}

#[test]
fn another_place_is_refused() {
    let (kind, text) = refused(|_| {}, ALICE, |w| w.instance = "https://other\u{1b}".into());
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        "the change is approved for the Portainer at `https://portainer.example`, and this one is `https://other\\u{1b}`: make a change request for this one"
    );
    let (kind, text) = refused(|_| {}, ALICE, |w| w.environment = EnvironmentId(2));
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        "the change is approved for environment 1 (Swarm cluster1), and this is environment 2 (Swarm cluster1): make a change request for this one"
    );
    let refusal = judged(|_| {}, ALICE, |w| w.cluster = "cluster2".parse().unwrap()).unwrap_err();
    assert!(matches!(refusal, Refusal::OtherSwarm { .. }), "{refusal}");
}

#[test]
fn another_policy_is_refused() {
    let (kind, text) = refused(|_| {}, ALICE, |w| w.policy = PolicyDigest::from_sha256([6; 32]));
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        format!(
            "the policy was exchanged since the change was asked for (it was {}, and is {}): make the change request again",
            "05".repeat(32),
            "06".repeat(32)
        )
    );
}

#[test]
fn another_value_is_refused_and_so_is_none() {
    let wanted = "the value of `db` is not the one that the change was asked for with: hand that one over, or make the change request again";
    let (kind, text) = refused(|_| {}, ALICE, |w| w.fingerprints.clear());
    assert_eq!((kind, text.as_str()), (ErrorKind::Denied, wanted));
    let (kind, text) = refused(|_| {}, ALICE, |w| drop(w.fingerprints.insert("db".into(), "other".into())));
    assert_eq!((kind, text.as_str()), (ErrorKind::Denied, wanted));
    // Where none was in hand, whichever is handed over is approved.
    assert!(
        judged(|d| d.fingerprints.clear(), ALICE, |w| drop(w.fingerprints.insert("db".into(), "x".into()))).is_ok()
    );
}

#[test]
fn nobody_approves_what_they_asked_for() {
    let (kind, text) = refused(|_| {}, &[(1, Approve), (5, Approve)], |_| {});
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(text, "`svc-agent` asked for the change and cannot approve it: let somebody else decide");
    let agent = judged(|_| {}, &[(4, Approve)], |_| {}).unwrap_err();
    assert_eq!(agent, Refusal::SelfApproved { who: vec!["Claude".into()] });
    let spelled = judged(|d| d.requester.account = " ALICE ".into(), ALICE, |_| {}).unwrap_err();
    assert_eq!(spelled, Refusal::SelfApproved { who: vec!["alice".into()] });
    // A request that names somebody else for it: the plan knows who made it.
    for plan in [plan_as(|c| c.account = "Alice".into()), plan_as(|c| c.agent = Some("alice".into()))] {
        let hidden = judged(|d| d.plan = plan, ALICE, |_| {}).unwrap_err();
        assert_eq!(hidden, Refusal::SelfApproved { who: vec!["alice".into()] });
    }
}

#[test]
fn two_keys_of_one_person_are_not_two_people() {
    let two = |d: &mut Draft| d.approvals = 2;
    let (kind, text) = refused(two, &[(1, Approve), (2, Approve)], |_| {});
    assert_eq!(kind, ErrorKind::Denied);
    assert_eq!(
        text,
        "`alice` approved more than once, which counts as one person: 1 more person must approve the change request"
    );
    let same_key = judged(two, &[(1, Approve), (1, Approve)], |_| {}).unwrap_err();
    assert_eq!(same_key, Refusal::SamePerson { who: vec!["alice".into()], missing: 1 });
    // Were they two they would not be enough either.
    let three = judged(|d| d.approvals = 3, &[(1, Approve), (2, Approve)], |_| {}).unwrap_err();
    assert_eq!(three, Refusal::NotEnough { missing: 2, needed: 3 });
}

#[test]
fn two_spellings_of_one_name_are_one_person() {
    let spell = |w: &mut World| w.keyring.add("BOB", key(8).public()).unwrap();
    let request = request_as(|d| d.approvals = 2);
    let mut world = World::of(&request);
    spell(&mut world);
    let capitals = SignedDecision::sign(&request, Approve, "BOB", at("12:05:00"), None, &key(8)).unwrap();
    let mut decisions = vec![given(&request, 3, Approve), capitals.into()];
    let first = judge(&request, &decisions, world.judging()).unwrap_err();
    assert_eq!(first, Refusal::SamePerson { who: vec!["BOB".into()], missing: 1 });
    decisions.reverse();
    assert_eq!(judge(&request, &decisions, world.judging()).unwrap_err(), first);
}

#[test]
fn without_keys_nobody_approves() {
    let refusal =
        judged(|d| d.valid_for = Duration::from_secs(3600), ALICE, |w| w.keyring = crate::keys::Keyring::new());
    assert!(matches!(refusal.unwrap_err(), Refusal::UnknownKey { .. }));
}
