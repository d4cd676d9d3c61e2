//! Decisions that were read back from a system: believed for its name in the policy alone, judged like signed ones.

use std::sync::Arc;

use async_trait::async_trait;

use super::Verdict::{Approve, Deny};
use super::example::{World, at, given, plan_as, request_as};
use super::*;
use crate::ids::RequestDigest;
use crate::{ErrorKind, Result as Answer};

/// A system with what was decided there.
struct System(Vec<Given>);

#[async_trait]
impl Approver for System {
    async fn request(&self, _: &ChangeRequest) -> Answer<()> {
        Ok(())
    }

    async fn decisions(&self, _: &ChangeRequest) -> Answer<Vec<Given>> {
        Ok(self.0.clone())
    }

    fn name(&self) -> &str {
        "a system"
    }
}

fn read(about: &RequestDigest, verdict: Verdict, account: &str, time: &str) -> Given {
    ReadBack::new(about.clone(), verdict, account, at(time), "OPS-1").unwrap().into()
}

/// What the system of this name brings.
async fn brought(system: &str, given: Vec<Given>) -> Vec<Given> {
    let approvers = Approvers::default().and(system, Arc::new(System(given))).unwrap();
    approvers.decisions(&request_as(|_| {})).await.unwrap()
}

/// The world, in which `jira` has accounts of alice, bob and who asks.
fn world(request: &ChangeRequest) -> World {
    let mut world = World::of(request);
    for (who, account) in [("alice", "a1"), ("alice", "a2"), ("bob", "b1"), ("svc-agent", "s1"), ("claude", "c1")] {
        world.keyring.add_account(who, "jira", account).unwrap();
    }
    world
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
}

fn judged(request: &ChangeRequest, system: &str, given: Vec<Given>) -> Result<Approved, Refusal> {
    judge(request, &run(brought(system, given)), world(request).judging())
}

#[test]
fn what_the_policys_own_system_has_recorded_approves() {
    let request = request_as(|_| {});
    let approved = judged(&request, "jira", vec![read(request.digest(), Approve, "a1", "12:05:00")]).unwrap();
    assert_eq!(approved.approvers(), ["alice"]);
    let request = request_as(|d| d.approvals = 2);
    let both = vec![read(request.digest(), Approve, "b1", "12:05:00"), given(&request, 1, Approve)];
    assert_eq!(judged(&request, "jira", both).unwrap().approvers(), ["alice", "bob"]);
}

#[test]
fn a_system_that_the_policy_does_not_name_approves_nothing() {
    let request = request_as(|_| {});
    let approve = || read(request.digest(), Approve, "a1", "12:05:00");
    for refusal in [
        judged(&request, "chat", vec![approve()]).unwrap_err(),
        // Not brought by any approver that has a name.
        judge(&request, &[approve()], world(&request).judging()).unwrap_err(),
    ] {
        assert!(matches!(refusal, Refusal::UnknownSystem { .. }), "{refusal}");
        assert_eq!(refusal.kind(), ErrorKind::Denied);
    }
    let text = judged(&request, "chat", vec![approve()]).unwrap_err().to_string();
    assert_eq!(
        text,
        "a decision was read back from `OPS-1` in `chat`, and the policy does not say whose the accounts there are: give it an `approvers` entry of that name with `identities`, or leave that approver out"
    );
    // What was read back elsewhere does not become the system's own by saying so.
    let smuggled = run(brought("jira", vec![approve()]));
    let passed_on = run(brought("chat", smuggled));
    assert!(judge(&request, &passed_on, world(&request).judging()).is_err());
}

#[test]
fn an_account_that_is_nobodys_refuses_the_request() {
    let request = request_as(|_| {});
    let decisions =
        vec![read(request.digest(), Approve, "a1", "12:05:00"), read(request.digest(), Approve, "x9", "12:05:00")];
    let refusal = judged(&request, "jira", decisions).unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownAccount { .. }), "{refusal}");
    assert!(refusal.to_string().contains("`OPS-1` in `jira`"), "{refusal}");
}

#[test]
fn a_ticket_that_names_another_request_is_refused() {
    let (request, other) = (request_as(|_| {}), request_as(|d| d.reasoning = "something else".into()));
    let refusal = judged(&request, "jira", vec![read(other.digest(), Approve, "a1", "12:05:00")]).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!(
            "`OPS-1` in `jira` is about another change request ({}): it was changed after it was made; make the change request again, and find out who did that",
            other.digest()
        )
    );
}

#[test]
fn who_asks_cannot_approve_by_an_account_either() {
    for account in ["s1", "c1"] {
        let request = request_as(|_| {});
        let refusal = judged(&request, "jira", vec![read(request.digest(), Approve, account, "12:05:00")]).unwrap_err();
        assert!(matches!(refusal, Refusal::SelfApproved { .. }), "{refusal}");
    }
    let request = request_as(|d| d.plan = plan_as(|c| c.agent = Some("Alice".into())));
    let refusal = judged(&request, "jira", vec![read(request.digest(), Approve, "a1", "12:05:00")]).unwrap_err();
    assert_eq!(refusal, Refusal::SelfApproved { who: vec!["alice".into()] });
}

#[test]
fn a_person_with_two_accounts_or_an_account_and_a_key_is_one_person() {
    let request = request_as(|d| d.approvals = 2);
    let first = read(request.digest(), Approve, "a1", "12:05:00");
    for second in [read(request.digest(), Approve, "a2", "12:06:00"), given(&request, 2, Approve)] {
        let refusal = judged(&request, "jira", vec![first.clone(), second]).unwrap_err();
        assert_eq!(refusal, Refusal::SamePerson { who: vec!["alice".into()], missing: 1 });
    }
}

#[test]
fn a_denial_that_was_read_back_denies() {
    let request = request_as(|_| {});
    let decisions = vec![given(&request, 1, Approve), read(request.digest(), Deny, "b1", "12:05:00")];
    let refusal = judged(&request, "jira", decisions).unwrap_err();
    assert_eq!(refusal, Refusal::DeniedBy { who: vec!["bob".into()] });
}

#[test]
fn the_systems_clock_is_held_against_the_request() {
    let request = request_as(|_| {});
    let at = |time: &str| judged(&request, "jira", vec![read(request.digest(), Approve, "a1", time)]);
    assert!(matches!(at("12:16:00"), Err(Refusal::NotYetValid { .. })), "it is 12:10");
    assert!(matches!(at("11:54:00"), Err(Refusal::DecidedBefore { .. })), "it was asked for at 12:00");
    assert!(at("11:56:00").is_ok() && at("12:14:00").is_ok(), "clocks may differ by some minutes");
}

#[test]
fn approvers_have_names_of_their_own() {
    let system = || Arc::new(System(Vec::new()));
    for bad in ["", "Jira", "a b", "jira\u{200b}", &"x".repeat(65)] {
        let Err(error) = Approvers::default().and(bad, system()) else { panic!("{bad:?}") };
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let one = Approvers::default().and("jira", system()).unwrap();
    assert_eq!(one.names().collect::<Vec<_>>(), ["jira"]);
    let Err(error) = one.and("jira", system()) else { panic!("two of one name") };
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[test]
fn more_decisions_than_anybody_makes_are_not_taken() {
    let request = request_as(|_| {});
    let many = vec![read(request.digest(), Approve, "a1", "12:05:00"); 65];
    let approvers = Approvers::default().and("jira", Arc::new(System(many))).unwrap();
    let error = run(approvers.decisions(&request)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("`jira`"), "{error}");
}
