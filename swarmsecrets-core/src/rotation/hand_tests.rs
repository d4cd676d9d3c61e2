//! Consumers in hand: what was there before, and what others have changed.

use std::time::Duration;

use jiff::Timestamp;

use super::hand::{Hand, HandEnd, Want};
use super::mini_world::World;
use super::route::{Route, Swap};
use super::{Action, Answer, Change, Look, Reply};
use crate::clock::Now;
use crate::model::{ServiceState, TaskState};
use crate::policy::Direction;

const MENDED: &str = "2026-01-01T00:10:00Z";

/// On the old version, after Swarm has paused the update to it; updated last before it was mended.
fn service() -> ServiceState {
    let text = r#"{"ID":"s0","Version":{"Index":7},"CreatedAt":"2026-01-01T00:00:00Z","UpdatedAt":"2026-01-01T00:00:00Z",
        "UpdateStatus":{"State":"paused","StartedAt":"2026-01-01T00:00:00Z","Message":"update paused due to failure"},
        "Spec":{"Name":"s0","Labels":{},"Mode":{"Replicated":{"Replicas":1}},"TaskTemplate":{"ContainerSpec":{"Image":"x",
        "Secrets":[{"File":{"Name":"db","UID":"0","GID":"0","Mode":292},"SecretID":"old","SecretName":"db"}]}}}}"#;
    ServiceState::parse(text.as_bytes()).unwrap()
}

fn task(n: u32, state: &str, created: Timestamp) -> TaskState {
    TaskState {
        id: format!("t{n}").parse().unwrap(),
        service: "s0".parse().unwrap(),
        slot: Some(1),
        node: Some("n1".parse().unwrap()),
        desired: if state == "running" { "running" } else { "shutdown" }.into(),
        state: state.into(),
        error: None,
        exit_code: Some(1),
        message: String::new(),
        created,
        secrets: vec![("old".into(), "db".into())],
    }
}

/// How the way back ends for a consumer whose tasks have failed twice at this time and run now.
fn end(failed: Timestamp) -> HandEnd {
    let world = World::new(1, None);
    let plan = world.plan(Duration::ZERO);
    let version = |id: &str, name: &str| (id.parse().unwrap(), name.parse().unwrap());
    let swap = Swap::Exchange { target: "db".into(), from: version("new1", "db_v2"), to: version("old", "db") };
    let route = Route { swaps: vec![swap], also: Vec::new(), direction: Direction::Restore };
    let mut hand = Hand::new(plan.consumers[0].clone(), route, plan.timing);
    let mut now = Now { wall: MENDED.parse().unwrap(), mono: Duration::from_secs(600) };
    loop {
        match hand.poll(now) {
            Want::End(end) => return end,
            Want::Wait(until) => now = until,
            Want::Act(Action::Look(Look::Service(_))) => {
                hand.handle(Reply::Done(Answer::Service(Box::new(service()))), now);
            }
            Want::Act(_) => {
                let tasks = vec![task(1, "failed", failed), task(2, "failed", failed), task(3, "running", failed)];
                hand.handle(Reply::Done(Answer::Rollout(Box::new(service()), tasks)), now);
            }
        }
    }
}

#[test]
fn what_has_failed_before_it_was_mended_is_history() {
    let mended: Timestamp = MENDED.parse().unwrap();
    assert_eq!(end(mended - Duration::from_secs(60)), HandEnd::Converged(None));
    assert!(matches!(end(mended + Duration::from_secs(1)), HandEnd::Failed(_)));
}

/// A service with two references to the old version, as they are now, and how far its way forward leads.
fn forward(references: &[(&str, &str)]) -> (Vec<String>, HandEnd) {
    let version = |id: &str| (id.parse().unwrap(), format!("db-{id}").parse().unwrap());
    let swap = |target: &str| Swap::Exchange { target: target.into(), from: version("old"), to: version("new") };
    let route = Route { swaps: vec![swap("a"), swap("b")], also: Vec::new(), direction: Direction::Forward };
    let reference = |(target, id): &(&str, &str)| {
        format!(
            r#"{{"File":{{"Name":"{target}","UID":"0","GID":"0","Mode":292}},"SecretID":"{id}","SecretName":"db-{id}"}}"#
        )
    };
    let state = |all: Vec<String>, index: u64| {
        let text = format!(
            r#"{{"ID":"s0","Version":{{"Index":{index}}},"CreatedAt":"2026-01-01T00:00:00Z","UpdatedAt":"2026-01-01T00:00:00Z",
            "Spec":{{"Name":"s0","Labels":{{}},"Mode":{{"Replicated":{{"Replicas":0}}}},"TaskTemplate":{{"ContainerSpec":{{"Image":"x",
            "Secrets":[{}]}}}}}}}}"#,
            all.join(",")
        );
        Box::new(ServiceState::parse(text.as_bytes()).unwrap())
    };
    let world = World::new(1, None);
    let plan = world.plan(Duration::ZERO);
    let mut hand = Hand::new(plan.consumers[0].clone(), route, plan.timing);
    let mut now = Now { wall: MENDED.parse().unwrap(), mono: Duration::from_secs(600) };
    let mut service = state(references.iter().map(reference).collect(), 7);
    loop {
        match hand.poll(now) {
            Want::End(end) => {
                let there = service.spec.references().unwrap().into_iter().map(|r| format!("{} {}", r.target, r.id));
                return (there.collect(), end);
            }
            Want::Wait(until) => now = until,
            Want::Act(Action::Look(Look::Service(_))) => {
                hand.handle(Reply::Done(Answer::Service(service.clone())), now);
            }
            Want::Act(Action::Change(Change::Update { spec, .. })) => {
                let all = spec.references().unwrap();
                service = state(all.iter().map(|r| reference(&(r.target.as_str(), r.id.as_str()))).collect(), 8);
                hand.handle(Reply::Done(Answer::Taken), now);
            }
            Want::Act(_) => hand.handle(Reply::Done(Answer::Rollout(service.clone(), Vec::new())), now),
        }
    }
}

#[test]
fn what_nobody_else_has_changed_moves_and_the_rest_is_theirs() {
    let (there, end) = forward(&[("a", "theirs"), ("b", "old")]);
    assert_eq!(there, ["a theirs", "b new"]);
    let said =
        "somebody else changed a secret reference of `s0` meanwhile: it is left as it is, and the others are moved";
    assert_eq!(end, HandEnd::Left(said.into()));
    assert_eq!(forward(&[("a", "old"), ("b", "old")]).0, ["a new", "b new"]);
    // One of two was put back, which one update never does.
    let (there, end) = forward(&[("a", "old"), ("b", "new")]);
    assert_eq!(there, ["a old", "b new"]);
    assert!(matches!(end, HandEnd::Left(_)), "{end:?}");
}
