//! The machine and others: what they do meanwhile, what arrives late, and answers of those who do not know yet.

use std::time::Duration;

use super::mini_stage::{Stage, Turn};
use super::mini_world::{Fault, World};
use super::{Action, Look, Outcome, Poll, Report, State};
use crate::journal::{ChangeRecord, ChangeResult, Event};
use crate::plan::VersionRef;

const HOUR: Duration = Duration::from_secs(3600);

/// The process dies as it makes the first of two versions, somebody removes the old one of it, and then it is to be undone.
#[test]
fn no_old_version_goes_before_its_new_one_is_made() {
    let world = World::new(0, None);
    let plan = world.plan_as(Duration::ZERO, |content| {
        let mut second = content.secrets[0].clone();
        second.previous = Some(VersionRef { id: "older".parse().unwrap(), name: "key".parse().unwrap() });
        second.next.name = "key_v2".parse().unwrap();
        content.secrets.push(second);
    });
    let mut stage = Stage::of(world, plan);
    let key = super::FoundVersion { id: "older".parse().unwrap(), rotation: None, owner: None };
    stage.world.secrets.insert("key".into(), key);
    let made = |e: &Event| matches!(e, Event::Created { .. });
    let mut whole = Stage::of(World::new(0, None), stage.rotation.state().plan.clone());
    whole.finish();
    let at = whole.journal.iter().position(made).unwrap() + 1;
    assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed));
    stage.world.secrets.remove("db");
    for _ in 0..2 {
        stage.restart();
        let _ = stage.rotation.roll_back("the operator says so");
        let report = stage.finish();
        assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
        let said = "it cannot be undone: `db` is gone; `db_v2` is kept";
        assert!(report.warnings.iter().any(|w| w.starts_with(said)), "{:?}", report.warnings);
        assert!(stage.world.secrets.contains_key("db_v2") && stage.world.secrets.contains_key("key"));
    }
}

/// The new version was removed by a process that died before it could say so, and the old one by a later rotation.
#[test]
fn what_has_lost_both_versions_ends() {
    let mut stage = Stage::new(World::new(1, None), HOUR);
    stage.finish();
    stage.world.secrets.clear();
    let theirs = super::FoundVersion { id: "theirs".parse().unwrap(), rotation: None, owner: None };
    stage.world.secrets.insert("db_v3".into(), theirs);
    stage.world.services[0].mounts = ("theirs".into(), "db_v3".into());
    stage.restart();
    stage.rotation.roll_back("the operator says so").unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Conflict, "{report:?}");
    assert_eq!(report.consumers[0].outcome, "left");
    let said = "nothing is left of it: `db` is gone, and so is `db_v2`; `swarmsecrets inventory` shows what serves now";
    assert_eq!(report.warnings[1..], [said]);
}

/// Somebody removes the new version, which nothing uses, while the old one waits for its grace to be over.
#[test]
fn the_last_version_there_is_does_not_go() {
    let mut stage = Stage::new(World::new(0, None), HOUR);
    stage.finish();
    let ours = stage.world.secrets.remove("db_v2").unwrap();
    stage.world.now = stage.world.now.after(HOUR);
    stage.restart();
    let report = stage.finish();
    assert!(stage.world.secrets.contains_key("db"));
    let said = "`db` was kept: `db_v2`, which has replaced it, is gone, and so is any later one";
    assert!(report.warnings.iter().any(|w| w.starts_with(said)), "{:?}", report.warnings);
    stage.world.secrets.insert("db_v3".into(), ours);
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
    assert!(!stage.world.secrets.contains_key("db"));
}

/// The process dies before its create is answered, and the next one has no good key at first.
#[test]
fn that_a_version_cannot_be_looked_for_does_not_mean_that_it_was_not_made() {
    let mut stage = Stage::new(World::new(1, None), HOUR);
    assert!(matches!(stage.run(|_, _| Fault::None, |_, sent| sent), Turn::Crashed));
    assert_eq!(stage.world.made, 1);
    stage.world.locked = 1;
    stage.restart();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings[0].contains("check the API key"), "{:?}", report.warnings);
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
    assert_eq!(stage.world.made, 1);
}

/// Ours was made by a process that died, another rotation began from it, and removed it in its time.
#[test]
fn a_version_that_was_replaced_meanwhile_is_not_made_again() {
    let mut stage = Stage::new(World::new(1, None), HOUR);
    assert!(matches!(stage.run(|_, _| Fault::None, |_, sent| sent), Turn::Crashed));
    stage.world.secrets.remove("db_v2");
    stage.world.later = Some("db_v2");
    stage.restart();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Conflict, "{report:?}");
    let said = "someone else has rotated: `db_v3` was made by rotation `r-00000000000000000000`";
    assert!(report.warnings[0].starts_with(said), "{:?}", report.warnings);
    assert_eq!(stage.world.made, 1);
}

/// Somebody has removed a version and made another of its name; our own removal gets no answer.
#[test]
fn a_name_that_is_somebody_elses_now_is_left_alone() {
    for (name, undone) in [("db_v2", true), ("db", false)] {
        let mut stage = Stage::new(World::new(0, None), HOUR);
        stage.finish();
        let theirs = super::FoundVersion { id: "theirs".parse().unwrap(), rotation: None, owner: None };
        stage.world.secrets.insert(name.into(), theirs);
        stage.world.now = stage.world.now.after(HOUR);
        stage.restart();
        if undone {
            stage.rotation.roll_back("the operator says so").unwrap();
        }
        let lost = |_, action: &Action| if matches!(action, Action::Change(_)) { Fault::Lost } else { Fault::None };
        let Turn::Done(report) = stage.run(lost, |_, _| false) else { unreachable!() };
        let expected = if undone { Outcome::RolledBack } else { Outcome::Applied };
        assert_eq!(report.outcome, expected, "{report:?}");
        assert!(report.warnings.iter().all(|w| !w.contains("was kept")), "{report:?}");
        assert_eq!(stage.world.secrets[name].id.as_str(), "theirs");
    }
}

/// An update of a process that stood still arrives after the service was put back.
#[test]
fn a_consumer_that_is_moved_after_it_was_put_back_is_put_back_again() {
    let mut refusals = 0;
    for late in [(0, false), (0, true), (1, false), (1, true)] {
        let mut world = World::new(2, Some(1));
        world.late = Some(late);
        let mut stage = Stage::new(world, HOUR);
        let report = stage.finish();
        assert_eq!(report.outcome, Outcome::RolledBack, "{late:?}: {report:?}");
        stage.assert_consistent(&report);
        let reason = report.consumers[1].reason.as_deref().unwrap();
        assert!(reason.contains("exited 3 with the new version"), "{reason}");
        // From the Engine's refusal on, it is not said to be back.
        let refused = |e: &Event| matches!(e, Event::Outcome { result: ChangeResult::Refused { .. }, .. });
        let at = stage.journal.iter().position(refused);
        let told = at
            .map(|at| Report::of(&State::replay(&stage.journal[..=at + 1]).unwrap()).consumers[late.0].outcome.clone());
        assert_ne!(told.as_deref(), Some("rolled_back"));
        refusals += usize::from(at.is_some());
    }
    assert!(refusals > 0);
}

/// Whoever was the leader a moment ago shows services as they were: that is neither somebody's change nor a way back.
#[test]
fn an_outdated_answer_is_not_believed() {
    for breaking in [None, Some(0), Some(1)] {
        for looks in [1, 2, 5] {
            let mut stage = Stage::new(World::new(2, breaking), Duration::ZERO);
            let (mut last, mut left) = (0, 0);
            let strike = |changes, _: &Action| {
                if changes != last {
                    (last, left) = (changes, looks);
                }
                left = u32::saturating_sub(left, 1);
                if left > 0 { Fault::Outdated } else { Fault::None }
            };
            let Turn::Done(report) = stage.run(strike, |_, _| false) else { unreachable!() };
            let expected = if breaking.is_some() { Outcome::RolledBack } else { Outcome::Applied };
            assert_eq!(report.outcome, expected, "{looks} outdated looks after each change: {report:?}");
            stage.assert_consistent(&report);
        }
    }
}

/// Somebody has begun another rotation from our new version, and moved our consumer on.
#[test]
fn a_version_that_a_later_rotation_comes_from_is_kept() {
    let mut stage = Stage::new(World::new(1, None), HOUR);
    stage.finish();
    stage.world.later = Some("db_v2");
    stage.restart();
    stage.rotation.roll_back("the operator says so").unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "`db_v2` cannot be removed: it is used by a later rotation, `r-00000000000000000000`, which made `db_v3` from it: undo that one first";
    assert!(report.warnings.iter().any(|w| w.starts_with(said)), "{:?}", report.warnings);
    assert!(stage.world.secrets.contains_key("db_v2"));
    stage.world.later = None;
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::RolledBack);
}

/// Somebody removes the old version just before we would; then it is to be undone.
#[test]
fn what_has_lost_its_old_version_keeps_the_new_one() {
    for consumers in [0, 2] {
        let mut whole = Stage::new(World::new(consumers, None), Duration::ZERO);
        whole.finish();
        let retire = |e: &Event| matches!(e, Event::Intent { change: ChangeRecord::Retire { .. }, .. });
        let before = whole.journal.iter().position(retire).unwrap();
        let mut stage = Stage::new(World::new(consumers, None), Duration::ZERO);
        assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == before), Turn::Crashed));
        stage.world.secrets.remove("db").unwrap();
        stage.restart();
        stage.rotation.roll_back("the operator says so").unwrap();
        let report = stage.finish();
        assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
        assert_eq!(report.warnings[0], "it cannot be undone: `db` is gone, so `db_v2` stays");
        assert!(stage.world.secrets.contains_key("db_v2") && stage.world.all_on("db_v2"));
    }
}

/// A manager that has just lost the lead knows neither of our create nor, for a moment, of what it made.
#[test]
fn a_version_that_is_ours_is_not_called_somebody_elses() {
    let mut stage = Stage::new(World::new(1, None), HOUR);
    assert!(matches!(stage.run(|_, _| Fault::None, |_, sent| sent), Turn::Crashed));
    stage.restart();
    let mut looks = 0;
    let strike = |_, action: &Action| {
        looks += u32::from(matches!(action, Action::Look(Look::Version(_))));
        if looks <= 3 { Fault::Outdated } else { Fault::None }
    };
    let Turn::Done(report) = stage.run(strike, |_, _| false) else { unreachable!() };
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!((stage.world.made, looks > 3), (1, true));
}

/// A host without the journal has undone it meanwhile, or a person has.
#[test]
fn a_service_that_is_back_on_the_old_version_is_not_called_applied_when_that_is_kept() {
    let mut stage = Stage::new(World::new(2, None), HOUR);
    stage.finish();
    stage.world.services[0].mounts = ("old".into(), "db".into());
    stage.world.now = stage.world.now.after(HOUR * 2);
    stage.restart();
    let report = stage.finish();
    assert!(stage.world.secrets.contains_key("db"));
    let outcomes: Vec<&str> = report.consumers.iter().map(|consumer| consumer.outcome.as_str()).collect();
    assert_eq!(outcomes, ["left", "applied"], "{report:?}");
}

/// The time passes while another consumer is looked at: whoever was not seen to be late is not late.
#[test]
fn a_consumer_that_nobody_looked_at_is_not_late() {
    for breaking in [None, Some(0)] {
        let mut stage = Stage::new(World::new(1, breaking), HOUR);
        let mut looked = false;
        let report = loop {
            let poll = stage.rotation.poll(stage.world.now);
            stage.journal.extend(stage.rotation.take_events());
            match poll {
                Poll::Done(report) => break report,
                Poll::Wait(until) => stage.world.now = until,
                Poll::Act(id, action) => {
                    let rollout = matches!(action, Action::Look(Look::Rollout(_)));
                    if rollout && !std::mem::replace(&mut looked, true) {
                        stage.world.now = stage.world.now.after(HOUR);
                    }
                    let reply = stage.world.reply(&action, Fault::None);
                    stage.rotation.handle(id, reply, stage.world.now).unwrap();
                }
            }
        };
        let expected = if breaking.is_none() { Outcome::Applied } else { Outcome::RolledBack };
        assert_eq!(report.outcome, expected, "{report:?}");
        stage.assert_consistent(&report);
    }
}

/// The process dies just after it has sent the removal of the old version, which may be done at any time.
#[test]
fn what_may_lose_its_old_version_is_not_undone() {
    let staged = || Stage::new(World::new(0, None), Duration::ZERO);
    let mut whole = staged();
    whole.finish();
    let retire = |e: &Event| matches!(e, Event::Intent { change: ChangeRecord::Retire { .. }, .. });
    let at = whole.journal.iter().position(retire).unwrap() + 1;
    let mut stage = staged();
    assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed));
    stage.restart();
    let error = stage.rotation.roll_back("the operator says so").unwrap_err();
    assert!(error.message().contains("the removal of its old version `db` was sent, and may be done yet"), "{error}");
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
    assert!(!stage.world.secrets.contains_key("db"));

    // One that was refused is there.
    let mut stage = staged();
    assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed));
    let Some(Event::Intent { step, .. }) = stage.journal.last() else { unreachable!() };
    let result = ChangeResult::Refused { message: "it is in use".into() };
    stage.journal.push(Event::Outcome { step: *step, result });
    stage.restart();
    stage.rotation.roll_back("the operator says so").unwrap();
    assert_eq!(stage.finish().outcome, Outcome::RolledBack);
}
