//! The machine and passwords that commands in a service's container change.

use std::time::Duration;

use proptest::prelude::*;

use super::mini_stage::{Stage, Turn};
use super::mini_world::{Fault, World};
use super::{Action, Change, Outcome};
use crate::credential::{Account, Provider, Way};
use crate::journal::{Access, Event};
use crate::plan::Strategy;

/// A rotation of services of which the first is the provider and the last may break.
fn staged(strategy: Strategy, way: Way, services: usize, breaking: Option<usize>) -> Stage {
    let mut world = World::new(services, breaking);
    world.provider = Some(0);
    let plan = world.plan_as(Duration::ZERO, |content| {
        let provider = Provider { service: "s0".into(), commands: "of the plan".into() };
        content.strategy = strategy;
        let account = Account::new("made-up system", "app", way);
        content.secrets[0].credential = Some(Account { provider: Some(provider), ..account });
    });
    Stage::of(world, plan)
}

const WAYS: [Way; 2] = [Way::HoldsTwo, Way::Replaces];

#[test]
fn the_provider_has_both_versions_while_commands_need_them() {
    for strategy in [Strategy::Overlap, Strategy::Revoke] {
        for way in WAYS {
            let mut stage = staged(strategy, way, 3, None);
            let mut updates = Vec::new();
            let seen = |_: u32, action: &Action| {
                if let Action::Change(change @ (Change::Update { .. } | Change::Credential { .. })) = action {
                    updates.push(change.words());
                }
                Fault::None
            };
            let Turn::Done(report) = stage.run(seen, |_, _| false) else { panic!("it does not end") };
            assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
            assert!(stage.world.all_on("db_v2") && stage.world.set && stage.world.ended);
            assert!(!stage.world.secrets.contains_key("db"));
            let password = |what: &str| format!("{what} of user app of made-up system");
            let (set, end) = (password("set the new password"), password("end the old password"));
            let first = "update service s0: db -> db_v2, and db at db.previous".to_owned();
            let last = "update service s0: without db at db.previous".to_owned();
            let others = ["s1", "s2"].map(|name| format!("update service {name}: db -> db_v2")).to_vec();
            let expected = match strategy {
                Strategy::Revoke => [vec![first, set, end, last], others].concat(),
                _ => [vec![first, set], others, vec![end, last]].concat(),
            };
            assert_eq!(updates, expected, "{strategy:?} {way:?}");
        }
    }
}

#[test]
fn a_provider_that_is_the_only_consumer_comes_to_its_end() {
    for strategy in [Strategy::Overlap, Strategy::Revoke] {
        for way in WAYS {
            let mut stage = staged(strategy, way, 1, None);
            let report = stage.finish();
            assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
            assert!(stage.world.all_on("db_v2") && stage.world.set && stage.world.ended);
        }
    }
}

/// The consumers go back first where both passwords log in, and last where the old one has to be restored for them; the
/// provider always goes last.
#[test]
fn the_provider_goes_back_last() {
    for way in WAYS {
        let mut stage = staged(Strategy::Overlap, way, 3, Some(2));
        let report = stage.finish();
        assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
        assert!(stage.world.all_on("db") && !stage.world.set && !stage.world.ended);
        assert!(!stage.world.secrets.contains_key("db_v2"));
    }
}

#[test]
fn a_provider_that_cannot_have_both_changes_no_password() {
    let mut stage = staged(Strategy::Overlap, Way::HoldsTwo, 2, Some(0));
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(stage.world.all_on("db"));
    let touched = |e: &Event| matches!(e, Event::Credential { .. });
    assert!(!stage.journal.iter().any(touched));
}

#[test]
fn a_crash_after_any_entry_converges_with_commands() {
    for (strategy, way, breaking) in [
        (Strategy::Overlap, Way::HoldsTwo, None),
        (Strategy::Overlap, Way::HoldsTwo, Some(1)),
        (Strategy::Overlap, Way::Replaces, Some(1)),
        (Strategy::Revoke, Way::Replaces, None),
    ] {
        for (at, after_request) in (1..60).flat_map(|at| [(at, false), (at, true)]) {
            let mut stage = staged(strategy, way, 2, breaking);
            let report = stage.finish_after_a_crash(at, after_request);
            stage.assert_consistent(&report);
            assert_eq!(report.outcome == Outcome::Applied, breaking.is_none(), "at {at}: {report:?}");
            assert_eq!((stage.world.set, stage.world.ended), (breaking.is_none(), breaking.is_none()));
        }
    }
}

/// A redeploy takes the old version from the provider while the others move: it gets it once more, forward and back.
#[test]
fn what_a_redeploy_took_is_mounted_again() {
    for undone in [false, true] {
        let mut stage = staged(Strategy::Overlap, Way::HoldsTwo, 2, None);
        let proved = |e: &Event| matches!(e, Event::Credential { access: Access::Proved, .. });
        let mut whole = staged(Strategy::Overlap, Way::HoldsTwo, 2, None);
        whole.finish();
        let at = whole.journal.iter().position(proved).unwrap() + 1;
        assert!(matches!(stage.run(|_, _| Fault::None, |n, _| n == at), Turn::Crashed));
        stage.world.services[0].beside = None;
        stage.world.services[0].version += 1;
        stage.restart();
        if undone {
            stage.rotation.roll_back("the operator says so").unwrap();
        }
        let report = stage.finish();
        let expected = if undone { Outcome::RolledBack } else { Outcome::Applied };
        assert_eq!(report.outcome, expected, "{report:?}");
        assert!(stage.world.all_on(if undone { "db" } else { "db_v2" }));
        assert_eq!((stage.world.set, stage.world.ended), (!undone, !undone));
    }
}

/// Something redeploys it without end. It is not restarted without end for that.
#[test]
fn what_is_taken_again_and_again_is_left_to_a_person() {
    let mut stage = staged(Strategy::Overlap, Way::HoldsTwo, 2, None);
    stage.world.redeployed = true;
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let said = "commands in `s0` need both versions, and somebody takes the old one away again and again";
    assert!(report.warnings.iter().any(|text| text.contains(said)), "{:?}", report.warnings);
    assert!(stage.world.set && !stage.world.ended);
    stage.world.redeployed = false;
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Any mix of lost requests, lost answers and crashes, as long as they stop some day: one password is left, and it is that of
    /// the version that everybody mounts.
    #[test]
    fn faults_and_crashes_leave_one_password(
        breaking in proptest::option::of(0usize..3),
        replaces in any::<bool>(),
        revoked in any::<bool>(),
        faults in proptest::collection::vec(0u8..10, 0..60),
        crashes in proptest::collection::vec(1usize..60, 0..4),
    ) {
        let way = if replaces { Way::Replaces } else { Way::HoldsTwo };
        let strategy = if revoked && breaking.is_none() { Strategy::Revoke } else { Strategy::Overlap };
        let mut stage = staged(strategy, way, 3, breaking);
        let report = stage.finish_in_spite_of(faults, crashes);
        stage.assert_consistent(&report);
        let applied = report.outcome == Outcome::Applied;
        prop_assert_eq!(applied, breaking.is_none());
        prop_assert_eq!((stage.world.set, stage.world.ended), (applied, applied));
    }
}
