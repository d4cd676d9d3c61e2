//! The machine and the passwords behind secrets.

use std::time::Duration;

use super::Outcome;
use super::mini_stage::{Stage, Turn};
use super::mini_world::{Fault, World};
use crate::credential::{Account, Way};
use crate::journal::{Access, Event};
use crate::plan::{Content, Strategy};

fn with_password(strategy: Strategy) -> impl FnOnce(&mut Content) {
    move |content| {
        let (system, user) = ("made-up system".into(), "app".into());
        content.strategy = strategy;
        content.secrets[0].credential = Some(Account { system, user, way: Way::HoldsTwo });
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
