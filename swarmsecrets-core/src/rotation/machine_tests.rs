//! The machine against a small Swarm: every step failing, every step done twice, the journal cut anywhere.

use std::time::Duration;

use proptest::prelude::*;

use super::mini_stage::{Stage, Turn, id};
use super::mini_world::{Fault, World, actor};
use super::state::{Progress, Stage as At};
use super::{Action, Change, Outcome, Poll, Report, State};
use crate::journal::{ChangeRecord, Event, Found, MadeVersion};
use crate::plan::Strategy;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn three_consumers_are_moved_and_the_old_version_goes() {
    let mut stage = Stage::new(World::new(3, None), Duration::ZERO);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied);
    assert!(stage.world.all_on("db_v2"));
    assert!(!stage.world.secrets.contains_key("db"));
    // Create, own, three updates, remove.
    assert_eq!(stage.changes, 6);
    assert!(stage.world.secrets["db_v2"].owner.as_ref().unwrap().same_access(&super::mini_world::owner(1)));
}

#[test]
fn the_old_version_is_kept_for_its_grace() {
    let mut stage = Stage::new(World::new(1, None), HOUR);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied);
    assert!(stage.world.secrets.contains_key("db"));
    stage.restart();
    stage.finish();
    assert!(stage.world.secrets.contains_key("db"), "the hour is not over");
    stage.world.now = stage.world.now.after(HOUR);
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
    assert!(!stage.world.secrets.contains_key("db"));
}

#[test]
fn a_consumer_that_breaks_takes_all_back() {
    let mut stage = Stage::new(World::new(3, Some(1)), HOUR);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::RolledBack);
    stage.assert_consistent(&report);
    assert!(stage.world.secrets.contains_key("db"));
    let outcomes: Vec<&str> = report.consumers.iter().map(|c| c.outcome.as_str()).collect();
    assert_eq!(outcomes, ["rolled_back", "rolled_back", "not_started"]);
    let reason = report.consumers[1].reason.as_deref().unwrap();
    assert_eq!(reason, "1 of 1 tasks of `s1` exited 3 with the new version: task: non-zero exit (3)");
}

/// Each look sees a task that runs, and each time another one.
#[test]
fn a_task_that_ends_between_two_looks_was_not_healthy_for_the_whole_window() {
    let mut world = World::new(1, None);
    world.short_lived = Some(Duration::from_secs(7));
    let mut stage = Stage::new(world, HOUR);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    stage.assert_consistent(&report);
    let said = "`s0` did not get healthy within 5m: it runs, but not for long enough";
    assert_eq!(report.consumers[0].reason.as_deref(), Some(said));
}

#[test]
fn another_rotations_version_is_a_conflict_and_is_left_alone() {
    let mut world = World::new(1, None);
    let theirs = super::FoundVersion {
        id: "theirs".parse().unwrap(),
        rotation: Some("r-00000000000000000000".into()),
        owner: None,
    };
    world.secrets.insert("db_v2".into(), theirs);
    let mut stage = Stage::new(world, HOUR);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Conflict);
    assert_eq!(stage.world.secrets["db_v2"].id.as_str(), "theirs");
    assert!(stage.world.all_on("db"));
}

#[test]
fn an_interruption_finishes_the_consumer_in_hand_and_can_be_resumed() {
    let mut stage = Stage::new(World::new(3, None), HOUR);
    let mut interrupted = false;
    loop {
        let poll = stage.rotation.poll(stage.world.now);
        stage.journal.extend(stage.rotation.take_events());
        match poll {
            Poll::Done(report) => {
                assert_eq!(report.outcome, Outcome::NeedsHuman);
                break;
            }
            Poll::Wait(until) => stage.world.now = until,
            Poll::Act(id, action) => {
                let reply = stage.world.reply(&action, Fault::None);
                stage.rotation.handle(id, reply, stage.world.now).unwrap();
                if matches!(action, Action::Change(Change::Update { .. })) && !interrupted {
                    interrupted = true;
                    stage.rotation.interrupt().unwrap();
                }
            }
        }
    }
    assert_eq!(stage.world.services.iter().filter(|s| s.mounts.1 == "db_v2").count(), 1);
    stage.restart();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied);
    stage.assert_consistent(&report);
}

#[test]
fn a_rotation_in_grace_can_be_rolled_back() {
    let mut stage = Stage::new(World::new(2, None), HOUR);
    stage.finish();
    stage.restart();
    stage.rotation.roll_back("the operator says so").unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::RolledBack);
    stage.assert_consistent(&report);
    stage.restart();
    assert!(stage.rotation.roll_back("again").is_err());
}

#[test]
fn a_consumer_whose_restore_was_sent_is_not_called_applied() {
    let mut stage = Stage::new(World::new(2, Some(1)), HOUR);
    stage.finish();
    let first = |e: &Event| matches!(e, Event::Intent { change: ChangeRecord::Restore { service }, .. } if service.as_str() == "s0");
    let sent = stage.journal.iter().position(first).unwrap();
    let outcome = |entries: &[Event]| Report::of(&State::replay(entries).unwrap()).consumers[0].outcome.clone();
    assert_eq!(outcome(&stage.journal[..sent]), "applied");
    assert_eq!(outcome(&stage.journal[..=sent]), "in_progress");
    // From the undo on, the old version is what they are meant to run on.
    let current = |entries: &[Event]| {
        let report = Report::of(&State::replay(entries).unwrap());
        report.secrets[0].current.as_ref().map(|version| version.name.to_string())
    };
    let undo = stage.journal.iter().position(|e| matches!(e, Event::UndoBegun { .. })).unwrap();
    assert_eq!(current(&stage.journal[..undo]).as_deref(), Some("db_v2"));
    assert_eq!(current(&stage.journal[..=undo]).as_deref(), Some("db"));
}

/// A task of a service that was just removed still has the old version; then it stops.
#[test]
fn a_task_of_a_removed_service_keeps_the_old_version() {
    let mut world = World::new(1, None);
    world.stray = Some("old".into());
    let mut stage = Stage::new(world, Duration::ZERO);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(
        report.warnings.iter().any(|w| w.contains("a task of a service that was removed")),
        "{:?}",
        report.warnings
    );
    assert!(stage.world.secrets.contains_key("db"));
    stage.world.stray = None;
    stage.restart();
    stage.finish();
    assert!(!stage.world.secrets.contains_key("db"));
}

/// A node that cannot be reached keeps what it has. A rotation waits for it; a revocation does not, and says so.
#[test]
fn a_task_that_is_not_seen_to_stop_is_named() {
    for strategy in [Strategy::Swap, Strategy::Revoke] {
        let mut world = World::new(1, None);
        world.lingers = true;
        let plan = world.plan_as(Duration::ZERO, |content| content.strategy = strategy);
        let mut stage = Stage::of(world, plan);
        let report = stage.finish();
        assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
        assert_eq!(stage.world.secrets.contains_key("db"), strategy == Strategy::Swap);
        let said = match strategy {
            Strategy::Revoke => "not confirmed: task t0x9 of service `s0` on node n1 had `db`",
            _ => {
                "`db` was kept: it is mounted by what should stop and was not seen to: task t0x9 of service `s0` on node n1"
            }
        };
        assert!(report.warnings.iter().any(|w| w.contains(said)), "{:?}", report.warnings);
    }
}

/// The spec says the old version again, and a task is still meant to run on the new one.
#[test]
fn a_new_version_under_a_running_task_is_not_removed() {
    let mut world = World::new(2, Some(1));
    world.running = Some("new1".into());
    let mut stage = Stage::new(world, HOUR);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "`db_v2` cannot be removed: it is used by running tasks of `s0`";
    assert!(report.warnings.iter().any(|w| w.contains(said)), "{:?}", report.warnings);
    assert!(stage.world.secrets.contains_key("db_v2") && stage.world.all_on("db"));
    stage.world.running = None;
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::RolledBack);
}

/// That the environment was not found says nothing about the version.
#[test]
fn a_look_that_finds_nothing_is_no_proof_that_a_version_is_gone() {
    for breaking in [None, Some(0)] {
        let mut stage = Stage::new(World::new(1, breaking), Duration::ZERO);
        stage.world.unreadable.set(1);
        let report = stage.finish();
        let (kept, outcome) =
            if breaking.is_some() { ("db_v2", Outcome::NeedsHuman) } else { ("db", Outcome::Applied) };
        assert_eq!(report.outcome, outcome, "{report:?}");
        assert!(report.warnings.iter().any(|w| w.contains("no such environment")), "{:?}", report.warnings);
        assert!(stage.world.secrets.contains_key(kept));
        stage.restart();
        stage.finish();
        assert!(!stage.world.secrets.contains_key(kept), "{breaking:?}");
    }
}

/// For each way and each change: it never arrives, or its answer is lost.
#[test]
fn every_change_may_fail_or_be_done_without_an_answer() {
    for breaking in [None, Some(1)] {
        for fault in [Fault::Lost, Fault::AnswerLost] {
            for n in 1..=8 {
                let mut stage = Stage::new(World::new(2, breaking), Duration::ZERO);
                let strike = |change, action: &Action| match action {
                    Action::Change(_) if change == n => fault,
                    _ => Fault::None,
                };
                let Turn::Done(report) = stage.run(strike, |_, _| false) else { unreachable!() };
                let expected = if breaking.is_some() { Outcome::RolledBack } else { Outcome::Applied };
                assert_eq!(report.outcome, expected, "{fault:?} at change {n}: {report:?}");
                stage.assert_consistent(&report);
                assert_eq!(stage.world.made, 1);
            }
        }
    }
}

/// A process may die, or the disk be full, after any entry: half of what was found would send a rotation astray.
#[test]
fn what_was_found_of_a_lost_rotation_is_one_entry() {
    let plan = World::new(2, None).plan(HOUR);
    let begun_as = |begun| {
        let versions = vec![MadeVersion { id: "new1".parse().unwrap(), owner: None }];
        let found = Some(Found { versions, touched: vec!["s0".parse().unwrap()], begun, moved: false });
        State::replay([&Event::Begun { rotation: id(), actor: actor(), plan: Box::new(plan.clone()), found }]).unwrap()
    };
    let state = begun_as(true);
    assert_eq!(state.versions[0].created.as_ref().unwrap().id.as_str(), "new1");
    assert_eq!(state.consumers, [Progress::Begun, Progress::Pending]);
    assert_eq!((state.stage, begun_as(false).stage), (At::Prepare, At::Undo));
}

/// For each entry of the journal: the process dies right after it was written, or right after the next request.
#[test]
fn a_crash_after_any_entry_converges() {
    for breaking in [None, Some(0), Some(1)] {
        for after_request in [false, true] {
            for at in 1..40 {
                let mut stage = Stage::new(World::new(2, breaking), Duration::ZERO);
                let report = stage.finish_after_a_crash(at, after_request);
                stage.assert_consistent(&report);
                assert_eq!(report.outcome == Outcome::Applied, breaking.is_none(), "at {at}: {report:?}");
                assert_eq!(stage.world.made, 1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Any mix of faults and crashes, as long as they stop some day.
    #[test]
    fn faults_and_crashes_in_any_mix_converge(
        services in 1usize..4,
        breaking in proptest::option::of(0usize..4),
        faults in proptest::collection::vec(0u8..10, 0..60),
        crashes in proptest::collection::vec(1usize..60, 0..4),
    ) {
        let mut stage = Stage::new(World::new(services, breaking.filter(|n| *n < services)), Duration::ZERO);
        let report = stage.finish_in_spite_of(faults, crashes);
        stage.assert_consistent(&report);
    }
}
