//! Whatever is done to the documents and their order, nothing is approved that was not approved before.

use proptest::prelude::*;

use super::Verdict::{Approve, Deny};
use super::example::{World, at, given, key, request_as, says};
use super::*;

/// Approvers of all sorts, known and unknown: 9 is in no keyring, 4 and 5 ask.
fn decision() -> impl Strategy<Value = (u64, Verdict)> {
    (prop::sample::select(vec![1_u64, 2, 3, 3, 4, 5, 9]), prop::sample::select(vec![Approve, Approve, Approve, Deny]))
}

fn signed(request: &ChangeRequest, decisions: &[(u64, Verdict)]) -> Vec<Given> {
    decisions.iter().map(|(n, verdict)| given(request, *n, *verdict)).collect()
}

#[test]
fn every_byte_of_a_request_counts() {
    let request = request_as(|_| {});
    let json = request.to_json().unwrap();
    for at in 0..json.len() {
        for bit in [0x01, 0x04, 0x20] {
            let mut changed = json.clone();
            changed[at] ^= bit;
            // White space for white space, or a `t` for the `T` in a time: it says the same.
            if let Ok(read) = ChangeRequest::from_json(&changed) {
                assert_eq!(read, request, "byte {at}");
            }
        }
    }
}

#[test]
fn every_byte_of_a_decision_counts() {
    let request = request_as(|_| {});
    let comment = Some("seen, é".to_owned());
    let decision = SignedDecision::sign(&request, Approve, "alice", at("12:05:00"), comment, &key(1)).unwrap();
    let json = decision.to_json().unwrap();
    let world = World::of(&request);
    assert!(judge(&request, &[decision.clone().into()], world.judging()).is_ok());
    for at in 0..json.len() {
        for bit in 0..8 {
            let mut changed = json.clone();
            changed[at] ^= 1 << bit;
            let Ok(read) = SignedDecision::from_json(&changed) else { continue };
            if read != decision {
                assert!(judge(&request, &[read.into()], world.judging()).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_request_with_another_byte_is_refused_or_says_the_same(at: prop::sample::Index, byte: u8) {
        let request = request_as(|draft| draft.reasoning = "é \u{1b}".into());
        let mut json = request.to_json().unwrap();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(read) = ChangeRequest::from_json(&json) {
            prop_assert_eq!(read, request);
        }
    }

    #[test]
    fn a_decision_with_another_byte_approves_nothing_else(at: prop::sample::Index, byte: u8) {
        let request = request_as(|_| {});
        let decision = says(&request, 1, Approve);
        let mut json = decision.to_json().unwrap();
        let at = at.index(json.len());
        json[at] = byte;
        let world = World::of(&request);
        if let Ok(read) = SignedDecision::from_json(&json) {
            prop_assert!(read == decision || judge(&request, &[read.into()], world.judging()).is_err());
        }
    }

    #[test]
    fn the_order_of_decisions_does_not_matter(
        decisions in prop::collection::vec(decision(), 0..6),
        shuffle in prop::collection::vec(any::<prop::sample::Index>(), 6),
        approvals in 1_u32..4,
    ) {
        let request = request_as(|draft| draft.approvals = approvals);
        let mut decisions = signed(&request, &decisions);
        let world = World::of(&request);
        let first = judge(&request, &decisions, world.judging());
        for (n, place) in (1..decisions.len()).zip(&shuffle) {
            decisions.swap(n, place.index(n + 1));
        }
        prop_assert_eq!(judge(&request, &decisions, world.judging()), first);
    }

    #[test]
    fn one_more_denial_never_approves(
        decisions in prop::collection::vec(decision(), 0..5),
        place: prop::sample::Index,
        who in prop::sample::select(vec![1_u64, 2, 3, 4, 5, 9]),
        approvals in 1_u32..3,
    ) {
        let request = request_as(|draft| draft.approvals = approvals);
        let mut decisions = signed(&request, &decisions);
        decisions.insert(place.index(decisions.len() + 1), given(&request, who, Deny));
        prop_assert!(judge(&request, &decisions, World::of(&request).judging()).is_err());
    }

    #[test]
    fn only_enough_other_people_approve(decisions in prop::collection::vec(decision(), 0..6), approvals in 1_u32..4) {
        let request = request_as(|draft| draft.approvals = approvals);
        let judged = judge(&request, &signed(&request, &decisions), World::of(&request).judging());
        let by = |ns: &[u64]| decisions.iter().any(|(n, _)| ns.contains(n));
        let people = u32::from(by(&[1, 2])) + u32::from(by(&[3]));
        let wrong = by(&[4, 5, 9]) || decisions.iter().any(|(_, verdict)| *verdict == Deny);
        prop_assert_eq!(judged.is_ok(), !wrong && people >= approvals);
    }
}
