//! The machine with probes: what each answer leads to, every look failing once, a crash after each entry.

use std::time::Duration;

use super::mini_stage::{Stage, Turn};
use super::mini_world::{Fault, World};
use super::{Action, Look, Outcome, Progress, Report};
use crate::health::Health;
use crate::journal::{Access, Event};
use crate::plan::{Content, Rollout, Strategy};

/// `n` services with a probe each.
fn probed(n: usize, change: impl FnOnce(&mut Content)) -> Stage {
    let world = World::new(n, None);
    let plan = world.plan_as(Duration::ZERO, |content| {
        content.consumers.iter_mut().for_each(|c| c.probes = vec!["fake".into()]);
        change(content);
    });
    Stage::of(world, plan)
}

fn says(stage: &mut Stage, service: usize, answers: impl IntoIterator<Item = Option<Health>>) {
    stage.world.says.insert(service, answers.into_iter().collect());
}

fn unhealthy() -> Option<Health> {
    Some(Health::unhealthy("3 of 5 requests had HTTP 503"))
}

fn unsure() -> Option<Health> {
    Some(Health::inconclusive("the log may not be read"))
}

fn outcomes(report: &Report) -> Vec<&str> {
    report.consumers.iter().map(|c| c.outcome.as_str()).collect()
}

#[test]
fn every_baseline_is_taken_first_and_each_service_is_asked_once_it_is_stable() {
    let mut stage = probed(3, |content| content.consumers[1].probes.clear());
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(stage.world.asked.clone().into_iter().collect::<Vec<_>>(), [(0, (1, 1)), (2, (1, 1))]);
    let place = |wanted: fn(&Event) -> bool| stage.journal.iter().rposition(wanted).unwrap();
    let baseline = place(|e| matches!(e, Event::Baseline { service, .. } if service.as_str() == "s2"));
    assert!(baseline < stage.journal.iter().position(|e| matches!(e, Event::Intent { .. })).unwrap());
}

#[test]
fn an_unhealthy_service_takes_all_back() {
    let mut stage = probed(3, |_| {});
    says(&mut stage, 1, [unhealthy()]);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    stage.assert_consistent(&report);
    assert_eq!(outcomes(&report), ["rolled_back", "rolled_back", "not_started"]);
    let reason = "`s1` does not work with the new version: 3 of 5 requests had HTTP 503";
    assert_eq!((report.warnings[0].as_str(), report.consumers[1].reason.as_deref()), (reason, Some(reason)));
}

#[test]
fn within_the_budget_of_failures_it_is_tried_again_and_compared_with_the_same_baseline() {
    let mut stage = probed(2, |content| content.rollout.failures = 1);
    says(&mut stage, 0, [unhealthy()]);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(stage.world.asked[&0], (1, 2));
}

#[test]
fn a_probe_that_does_not_work_before_refuses_the_rotation() {
    let mut stage = probed(2, |_| {});
    stage.world.unmeasurable = Some(1);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NotStarted, "{report:?}");
    assert_eq!((stage.changes, stage.world.made), (0, 0));
    let said =
        "`s1` cannot be asked how it is before it is touched: even before anything is changed it does not answer";
    assert_eq!(report.warnings[0], said);
}

#[test]
fn a_probe_that_cannot_tell_is_asked_again_and_then_a_person_is() {
    let mut stage = probed(3, |_| {});
    says(&mut stage, 0, [unsure(), unsure()]);
    says(&mut stage, 1, [unsure(), unsure(), unsure(), unsure()]);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!(outcomes(&report), ["applied", "inconclusive", "not_started"]);
    assert_eq!((stage.world.asked[&0], stage.world.asked[&1]), ((1, 3), (1, 3)));
    let reason = report.consumers[1].reason.as_deref().unwrap();
    assert_eq!(reason, "nobody can tell whether `s1` works with the new version: the log may not be read");
    assert!(report.warnings[0].contains("`swarmsecrets resume r-"), "{:?}", report.warnings);
    assert_eq!(stage.world.services.iter().filter(|s| s.mounts.1 == "db_v2").count(), 2);

    // A person has looked; the next answer but one is good.
    stage.restart();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    stage.assert_consistent(&report);
    assert_eq!(stage.world.asked[&1], (1, 5), "the baseline is the one from before");
}

#[test]
fn a_person_can_take_it_for_good_or_undo_it() {
    for accept in [true, false] {
        let mut stage = probed(2, |_| {});
        says(&mut stage, 0, (0..9).map(|_| unsure()));
        assert_eq!(stage.finish().outcome, Outcome::NeedsHuman);
        stage.restart();
        match accept {
            true => stage.rotation.accept_inconclusive(),
            false => stage.rotation.roll_back("the operator says so").unwrap(),
        }
        let report = stage.finish();
        stage.assert_consistent(&report);
        assert_eq!(report.outcome == Outcome::Applied, accept, "{report:?}");
        let said = "`s0` was accepted although its probes cannot tell whether it works: the log may not be read";
        assert_eq!(report.warnings.iter().any(|w| w == said), accept, "{:?}", report.warnings);
    }
}

#[test]
fn what_cannot_be_told_of_one_lets_the_others_in_hand_come_to_their_end() {
    let mut stage = probed(4, |content| content.rollout = Rollout { concurrency: 3, failures: 0 });
    says(&mut stage, 0, (0..3).map(|_| unsure()));
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let done = outcomes(&report).iter().filter(|o| **o == "applied").count();
    assert!(outcomes(&report)[0] == "inconclusive" && done >= 2, "{report:?}");
    assert!(!outcomes(&report).contains(&"in_progress"), "{report:?}");
}

#[test]
fn a_service_without_tasks_is_not_asked_and_that_is_said() {
    let mut stage = probed(1, |_| {});
    says(&mut stage, 0, [None]);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    let said = "no task of `s0` is meant to run, so its probes were not asked";
    assert_eq!(report.consumers[0].reason.as_deref(), Some(said));
}

/// A revocation waits for a person while the canary is in doubt, and for nobody after that.
#[test]
fn a_revocation_goes_on_once_its_canary_works_and_lists_what_is_in_doubt() {
    let revocation = |content: &mut Content| {
        content.strategy = Strategy::Revoke;
        content.rollout.concurrency = u32::MAX;
        content.consumers[1..].iter_mut().for_each(|c| c.wave = 1);
    };
    let mut stage = probed(3, revocation);
    says(&mut stage, 0, (0..3).map(|_| unsure()));
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!(outcomes(&report), ["inconclusive", "not_started", "not_started"]);
    says(&mut stage, 1, (0..3).map(|_| unsure()));
    stage.restart();
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!(outcomes(&report), ["applied", "inconclusive", "applied"]);
    assert!(stage.world.all_on("db_v2") && !stage.world.secrets.contains_key("db"));
}

#[test]
fn an_interruption_while_a_baseline_is_taken_leaves_nothing() {
    let mut stage = probed(2, |_| {});
    stage.rotation.interrupt().unwrap();
    let report = stage.finish();
    assert_eq!((report.outcome, stage.changes), (Outcome::NotStarted, 0), "{report:?}");
}

/// For each look: its answer is lost once. And for each change, as without probes.
#[test]
fn every_look_and_every_change_may_fail_once() {
    for bad in [false, true] {
        for fault in [Fault::Lost, Fault::AnswerLost] {
            for nth in 1..60 {
                let mut stage = probed(2, |_| {});
                if bad {
                    says(&mut stage, 1, (0..3).map(|_| unhealthy()));
                }
                let mut n = 0;
                let strike = |_, _: &Action| {
                    n += 1;
                    if n == nth { fault } else { Fault::None }
                };
                let Turn::Done(report) = stage.run(strike, |_, _| false) else { unreachable!() };
                let expected = if bad { Outcome::RolledBack } else { Outcome::Applied };
                assert_eq!(report.outcome, expected, "{fault:?} at action {nth}: {report:?}");
                stage.assert_consistent(&report);
                assert_eq!(stage.world.made, 1);
            }
        }
    }
}

/// Portainer does not answer for as long as one asks for the health: nothing is put back for that.
#[test]
fn that_nobody_can_be_asked_is_no_reason_to_put_it_back() {
    let mut stage = probed(1, |_| {});
    let deaf = |_, action: &Action| match action {
        Action::Look(Look::Health(_)) => Fault::Lost,
        _ => Fault::None,
    };
    let Turn::Done(report) = stage.run(deaf, |_, _| false) else { unreachable!() };
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!(outcomes(&report), ["inconclusive"]);
    assert!(report.warnings[0].contains("no answer in time"), "{:?}", report.warnings);
    stage.restart();
    assert_eq!(stage.finish().outcome, Outcome::Applied);
}

/// For each entry of the journal: the process dies right after it was written, or right after the next request.
#[test]
fn a_crash_after_any_entry_converges_and_no_baseline_is_taken_late() {
    for bad in [false, true] {
        for after_request in [false, true] {
            for at in 1..40 {
                let mut stage = probed(2, |_| {});
                if bad {
                    says(&mut stage, 1, (0..9).map(|_| unhealthy()));
                }
                let report = stage.finish_after_a_crash(at, after_request);
                stage.assert_consistent(&report);
                assert_eq!(report.outcome == Outcome::Applied, !bad, "at {at}: {report:?}");
                assert!(stage.rotation.state().baselines.iter().all(Option::is_some));
            }
        }
    }
}

/// A crash between the doubt and the stop, and one right after the stop.
#[test]
fn a_doubt_survives_the_process_and_is_asked_about_again() {
    for stopped in [false, true] {
        let mut stage = probed(2, |_| {});
        says(&mut stage, 0, (0..3).map(|_| unsure()));
        stage.finish();
        let wanted = |e: &Event| match stopped {
            true => matches!(e, Event::Stopped { .. }),
            false => matches!(e, Event::ConsumerUnsure { .. }),
        };
        let at = stage.journal.iter().position(wanted).unwrap() + 1;
        stage.journal.truncate(at);
        let kept = super::State::replay(&stage.journal).unwrap();
        assert!(matches!(kept.consumers[0], Progress::Unsure(_)) && kept.needs_probes());
        stage.restart();
        assert_eq!(stage.finish().outcome, Outcome::Applied);
    }
}

/// What is in doubt is put back with the rest when another service fails.
#[test]
fn a_doubt_does_not_hold_up_an_undo() {
    let mut stage = probed(3, |content| content.rollout.concurrency = 3);
    says(&mut stage, 0, (0..3).map(|_| unsure()));
    says(&mut stage, 1, [unsure(), unsure(), unhealthy()]);
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    stage.assert_consistent(&report);
}

/// With the old password ended nothing can be put back: the doubt is listed.
#[test]
fn a_doubt_after_the_password_was_ended_is_listed() {
    let mut stage = probed(1, |content| {
        content.strategy = Strategy::Revoke;
        let way = crate::credential::Way::HoldsTwo;
        content.secrets[0].credential = Some(crate::credential::Account::new("made-up system", "app", way));
    });
    says(&mut stage, 0, (0..3).map(|_| unsure()));
    let report = stage.finish();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert_eq!(stage.rotation.state().versions[0].access, Access::Closed);
    assert_eq!(outcomes(&report), ["inconclusive"]);
    let sent = stage.journal.iter().any(|e| matches!(e, Event::ConsumerUnsure { .. }));
    assert!(sent && stage.world.all_on("db_v2"));
}
