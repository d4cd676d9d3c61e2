//! The machine and the passwords behind secrets.

use std::time::Duration;

use super::Outcome;
use super::mini_stage::{Stage, Turn};
use super::mini_world::{Fault, World};
use crate::credential::{Account, Way};
use crate::journal::{Access, ChangeRecord, CredentialStep, Event};
use crate::plan::{Content, Strategy};

const HOUR: Duration = Duration::from_secs(3600);

fn with_password(strategy: Strategy) -> impl FnOnce(&mut Content) {
    move |content| {
        content.strategy = strategy;
        content.secrets[0].credential = Some(Account::new("made-up system", "app", Way::HoldsTwo));
    }
}

/// One service is not in the plan and mounts the old version; then it is moved, and then the account sees too little.
#[test]
fn a_password_that_somebody_may_still_use_is_not_ended() {
    let world = World::new(2, None);
    let plan = world.plan_as(Duration::ZERO, |content| {
        with_password(Strategy::Overlap)(content);
        content.consumers.truncate(1);
    });
    let mut stage = Stage::of(world, plan);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings[0].contains("`db` is used by service `s1`"), "{:?}", report.warnings);
    assert!(!stage.world.ended);

    stage.world.services[1].mounts = stage.world.services[0].mounts.clone();
    stage.world.partial = true;
    stage.restart();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings[0].contains("the view is partial (some services are hidden)"), "{:?}", report.warnings);
    assert!(!stage.world.ended);

    stage.world.partial = false;
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
    assert!(stage.world.ended && !stage.world.secrets.contains_key("db"));
}

/// The leaked password is ended first of all. From then on nothing leads back to it.
#[test]
fn what_has_ended_its_old_password_is_not_undone_by_an_interruption() {
    let staged = || {
        let world = World::new(1, None);
        let plan = world.plan_as(Duration::ZERO, with_password(Strategy::Revoke));
        Stage::of(world, plan)
    };
    let mut whole = staged();
    whole.finish();
    let closed = |e: &Event| matches!(e, Event::Credential { access: Access::Closed, .. });
    let at = whole.journal.iter().position(closed).unwrap() + 1;
    let mut stage = staged();
    assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed));
    stage.restart();
    stage.rotation.interrupt().unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings[0].contains("interrupted after 0 of 1 consumers"), "{:?}", report.warnings);
    assert!(stage.world.secrets.contains_key("db_v2"));
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
}

/// Two leaked passwords, of which the second cannot be set: none is ended before both are, and all can be undone. What was
/// refused is as it was, and is left alone: it may be somebody else's by now.
#[test]
fn no_password_is_ended_before_all_are_set() {
    let world = World::new(1, None);
    let plan = world.plan_as(Duration::ZERO, |content| {
        with_password(Strategy::Revoke)(content);
        let mut second = content.secrets[0].clone();
        second.next.name = "key_v2".parse().unwrap();
        second.owner = None;
        content.secrets.push(second);
    });
    let mut stage = Stage::of(world, plan);
    stage.world.refused = Some(1);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(report.warnings[0].contains("could not be set"), "{:?}", report.warnings);
    assert!(!stage.world.ended);
    assert!(!stage.world.secrets.contains_key("db_v2") && !stage.world.secrets.contains_key("key_v2"));
    let undone = |e: &&Event| matches!(e, Event::Credential { access: Access::Restored, .. });
    assert_eq!(stage.journal.iter().filter(undone).count(), 1, "only what was set is undone");
}

/// What a later rotation has set since is what serves: the old password is not given back under it, even once the version
/// between them is gone.
#[test]
fn a_password_that_was_changed_since_is_not_restored() {
    let world = World::new(1, None);
    let plan = world.plan_as(Duration::ZERO, |content| {
        with_password(Strategy::Overlap)(content);
        content.consumers.clear();
    });
    let mut stage = Stage::of(world, plan);
    stage.world.later = Some("db_v2");
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "the service is not moved: {report:?}");
    stage.restart();
    stage.rotation.roll_back("the operator says so").unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "is not restored: the new version is used by a later rotation, `r-00000000000000000000`, which made `db_v3` from it: undo that one first";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
    let restored = |e: &Event| matches!(e, Event::Credential { access: Access::Restored, .. });
    stage.world.secrets.remove("db_v2");
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::NeedsHuman);
    assert!(!stage.journal.iter().any(restored));

    stage.world.later = None;
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::RolledBack);
    assert!(stage.journal.iter().any(restored));
}

/// Somebody has put another service on the new version while it was being undone.
#[test]
fn a_new_password_that_somebody_uses_is_not_ended_by_an_undo() {
    let mut world = World::new(2, Some(0));
    let plan = world.plan_as(Duration::ZERO, |content| {
        with_password(Strategy::Overlap)(content);
        content.consumers.truncate(1);
    });
    world.late = Some((1, false));
    let mut stage = Stage::of(world, plan);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "app of made-up system cannot be ended: it is used by `s1`, which this rotation did not move";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
    let restored = |e: &Event| matches!(e, Event::Credential { access: Access::Restored, .. });
    assert!(!stage.journal.iter().any(restored));
    assert_eq!(stage.world.services[0].mounts.1, "db");

    stage.world.services[1].mounts = stage.world.services[0].mounts.clone();
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::RolledBack);
    assert!(stage.journal.iter().any(restored));
}

/// The process dies as it sets the new password, and the old one is not what logs in: that may be somebody else's work.
#[test]
fn an_old_password_that_may_not_be_what_serves_is_not_made_the_only_one() {
    let world = World::new(1, None);
    let plan = world.plan_as(Duration::ZERO, with_password(Strategy::Overlap));
    let mut stage = Stage::of(world, plan);
    let setting = |e: &Event| matches!(e, Event::Intent { change: ChangeRecord::Credential { .. }, .. });
    let mut whole = Stage::of(World::new(1, None), stage.rotation.state().plan.clone());
    whole.finish();
    let at = whole.journal.iter().position(setting).unwrap() + 1;
    assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed));
    stage.world.ended = true;
    stage.restart();
    stage.rotation.roll_back("the operator says so").unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "does not log in, and nobody knows whether the new one was set: nothing is changed there";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
    let undo = |e: &Event| {
        matches!(e, Event::Intent { change: ChangeRecord::Credential { step: CredentialStep::Undo, .. }, .. })
    };
    assert!(!stage.journal.iter().any(undo));
    assert!(stage.world.secrets.contains_key("db_v2"));

    stage.world.ended = false;
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::RolledBack);
    assert!(stage.journal.iter().any(undo));
}

/// Both versions are gone, and one of their passwords serves.
#[test]
fn a_password_whose_versions_are_both_gone_is_left_to_a_person() {
    let world = World::new(1, None);
    let plan = world.plan_as(Duration::ZERO, with_password(Strategy::Overlap));
    let mut stage = Stage::of(world, plan);
    let proved = |e: &Event| matches!(e, Event::Credential { access: Access::Proved, .. });
    let mut whole = Stage::of(World::new(1, None), stage.rotation.state().plan.clone());
    whole.finish();
    let at = whole.journal.iter().position(proved).unwrap() + 1;
    assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed));
    let theirs = stage.world.secrets.remove("db_v2").unwrap();
    stage.world.services[0].mounts = (theirs.id.to_string(), "db_v3".into());
    stage.world.secrets = [("db_v3".to_owned(), theirs)].into();
    stage.restart();
    stage.rotation.roll_back("the operator says so").unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "the password of user app of made-up system may be that of either: see which one serves";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
}

/// Where a user has one password, the old one does not log in before it is given back: no service goes back alone.
#[test]
fn a_failure_within_the_budget_undoes_everything_where_a_user_has_one_password() {
    for (way, alone) in [(Way::HoldsTwo, true), (Way::Replaces, false)] {
        let world = World::new(1, Some(0));
        let plan = world.plan_as(Duration::ZERO, |content| {
            with_password(Strategy::Overlap)(content);
            content.secrets[0].credential.iter_mut().for_each(|account| account.way = way);
            content.rollout.failures = 1;
        });
        let mut stage = Stage::of(world, plan);
        let report = stage.finish();
        assert_eq!(report.outcome, Outcome::RolledBack, "{way:?}: {report:?}");
        let place = |wanted: fn(&ChangeRecord) -> bool| {
            stage.journal.iter().position(|e| matches!(e, Event::Intent { change, .. } if wanted(change))).unwrap()
        };
        let given_back = place(|c| matches!(c, ChangeRecord::Credential { step: CredentialStep::Undo, .. }));
        let back = place(|c| matches!(c, ChangeRecord::Restore { .. }));
        assert_eq!(back < given_back, alone, "{way:?}");
    }
}

/// The system says that the old password is back, and does not let it in.
#[test]
fn an_old_password_that_was_given_back_is_tried() {
    let mut world = World::new(2, Some(1));
    world.shuts = true;
    let plan = world.plan_as(Duration::ZERO, with_password(Strategy::Overlap));
    let mut stage = Stage::of(world, plan);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "the old password of user app of made-up system was restored and does not log in";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
    assert!(stage.world.secrets.contains_key("db_v2"), "it may be all that logs in");
    stage.world.shuts = false;
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::RolledBack);
    assert!(!stage.world.secrets.contains_key("db_v2") && !stage.world.ended);
}

/// Somebody has removed the new version, and another rotation has made one from the old one and may have set its password.
#[test]
fn a_password_that_another_rotation_may_have_set_is_not_restored() {
    let restored = |e: &Event| matches!(e, Event::Credential { access: Access::Restored, .. });
    for (ours_there, later, may) in [(false, true, false), (true, true, true), (false, false, true)] {
        let world = World::new(1, None);
        let plan = world.plan_as(Duration::ZERO, |content| {
            with_password(Strategy::Overlap)(content);
            content.consumers.clear();
        });
        let mut stage = Stage::of(world, plan);
        assert_eq!(stage.finish().outcome, Outcome::NeedsHuman, "the service is not moved");
        if !ours_there {
            stage.world.secrets.remove("db_v2");
        }
        stage.world.later = later.then_some("db");
        stage.restart();
        stage.rotation.roll_back("the operator says so").unwrap();
        let report = stage.finish();
        assert_eq!(stage.journal.iter().any(restored), may, "{ours_there} {later}: {report:?}");
        let said = "is not restored: the one that serves may have been set by a later rotation, `r-00000000000000000000`, which made `db_v3` from the same version: undo that one first";
        assert_eq!(report.warnings.iter().any(|text| text.contains(said)), !may, "{:?}", report.warnings);
    }
}

/// A revocation could not move a service, and is stopped as it tries once more.
#[test]
fn an_interruption_before_a_second_try_leads_nowhere() {
    let world = World::new(2, Some(0));
    let plan = world.plan_as(HOUR, |content| content.strategy = Strategy::Revoke);
    let mut stage = Stage::of(world, plan);
    let before = stage.finish();
    assert_eq!(before.outcome, Outcome::NeedsHuman, "{before:?}");
    stage.restart();
    stage.rotation.interrupt().unwrap();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings[0].contains("interrupted after 2 of 2 consumers"), "{:?}", report.warnings);
    assert_eq!(report.consumers, before.consumers);
    assert!(stage.world.all_on("db_v2"));
}
