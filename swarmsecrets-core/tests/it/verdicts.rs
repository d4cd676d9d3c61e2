//! The six recorded rollouts of a bad secret, judged look by look.

use swarmsecrets_core::model::{ServiceState, TaskState, parse_tasks};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::rotation::{Expected, Verdict, judge};

use crate::fixtures::{self, Exchange};

const GOOD: &str = "nfh157ca3us4bmw6etkbt3p3e";
const BAD: &str = "j15d3k9utlvaa10ivzm61kn1q";

fn load() -> Vec<Exchange> {
    fixtures::all().into_iter().filter(|e| e.file == "failing_rollouts").collect()
}

/// Every look at a service after its bad update, and the last look at its tasks if they were recorded.
fn looks(exchanges: &[Exchange], letter: &str) -> (Vec<ServiceState>, Vec<TaskState>) {
    let named = |name: String| exchanges.iter().filter(move |e| e.name == name);
    let services = named(format!("poll {letter}")).map(|e| ServiceState::parse(&e.body).unwrap());
    let tasks = named(format!("tasks {letter}")).flat_map(|e| parse_tasks(&e.body).unwrap());
    (services.collect(), tasks.collect())
}

fn forward() -> Expected<'static> {
    Expected { wanted: &[BAD], unwanted: &[GOOD], direction: Direction::Forward, since: None, before: None }
}

fn last(letter: &str) -> Verdict {
    let (services, tasks) = looks(&load(), letter);
    judge(services.last().unwrap(), &tasks, &forward())
}

fn first(letter: &str) -> Verdict {
    let (services, _) = looks(&load(), letter);
    judge(&services[0], &[], &forward())
}

fn reason(verdict: Verdict) -> String {
    match verdict {
        Verdict::Failed { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn at_first_everything_is_waited_for() {
    for letter in ["a", "b", "c", "h"] {
        assert!(matches!(first(letter), Verdict::Wait { .. }), "{letter}: {:?}", first(letter));
    }
}

#[test]
fn swarms_own_rollback_is_a_failure() {
    assert_eq!(
        reason(last("a")),
        "2 of 2 tasks of `f_rollback` exited 3 with the new version: task: non-zero exit (3), and Swarm has put the old version back by itself"
    );
}

#[test]
fn a_paused_update_is_a_failure() {
    assert_eq!(
        reason(last("b")),
        "2 of 2 tasks of `f_pause` exited 3 with the new version: task: non-zero exit (3), and Swarm has paused the update"
    );
}

#[test]
fn completed_with_crash_looping_tasks_is_a_failure() {
    let (services, _) = looks(&load(), "c");
    assert_eq!(services.last().unwrap().update_status.as_ref().unwrap().state, "completed");
    assert_eq!(
        reason(last("c")),
        "2 of 2 tasks of `f_continue` exited 3 with the new version: task: non-zero exit (3)"
    );
}

#[test]
fn a_global_service_that_is_paused_has_failed() {
    let reason = reason(last("g"));
    assert!(reason.starts_with("the rollout of `f_global` failed, and Swarm has paused the update"), "{reason}");
}

#[test]
fn no_replicas_prove_nothing_but_fail_nothing() {
    let Verdict::Healthy { note: Some(note), .. } = last("z") else { panic!("{:?}", last("z")) };
    assert!(note.contains("runs no task"), "{note}");
}

#[test]
fn an_unhealthy_container_is_a_failure() {
    let reason = reason(last("h"));
    assert!(
        reason.starts_with("2 of 2 tasks of `f_health` exited 137 with the new version: task: non-zero exit (137): dockerexec: unhealthy container"),
        "{reason}"
    );
}

#[test]
fn going_back_a_rollback_under_way_is_waited_for_and_old_failures_do_not_count() {
    let (services, tasks) = looks(&load(), "a");
    let back =
        |since| Expected { wanted: &[GOOD], unwanted: &[BAD], direction: Direction::Restore, since, before: None };
    let rolling = services.iter().find(|s| s.update_status.as_ref().unwrap().state == "rollback_started").unwrap();
    assert!(matches!(judge(rolling, &tasks, &back(None)), Verdict::Wait { .. }));
    let healthy = judge(services.last().unwrap(), &tasks, &back(None));
    assert!(matches!(healthy, Verdict::Healthy { note: None, .. }), "{healthy:?}");
}

#[test]
fn a_reference_that_somebody_else_changed_is_said() {
    let (services, tasks) = looks(&load(), "b");
    let other = Expected { wanted: &["another"], ..forward() };
    assert!(reason(judge(services.last().unwrap(), &tasks, &other)).contains("somebody else changed"));
}
