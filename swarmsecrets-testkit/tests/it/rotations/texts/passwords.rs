//! Passwords that stay half-way.

use swarmsecrets_core::credential::Way;
use swarmsecrets_core::executor::{Supply, Values};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::Strategy;
use swarmsecrets_core::rotation::Outcome::{Applied, NeedsHuman};
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_testkit::credential::{Fault, Step};
use swarmsecrets_testkit::sim::Program;

use super::super::desk::{Counting, Desk, OLD};
use super::super::overlapped::Play;
use super::page::Page;
use super::scenes::{DAY, make_service, picky, remove};

pub(super) async fn write(page: &mut Page) {
    let refused = Fault::Refuse(ErrorKind::Forbidden);
    for (name, second, step, fault) in [
        ("a password that cannot be ended", Program::runs(), Step::Revoke, refused),
        ("a password that logs in after its end", Program::runs(), Step::Revoke, Fault::DoNothing),
        ("a password that cannot be restored", picky(), Step::Undo, refused),
    ] {
        let play = Play::new(Way::HoldsTwo, second);
        play.fake.fail(step, fault);
        page.end(name, &play.desk, NeedsHuman, &play.apply(Strategy::Overlap).await.unwrap()).await;
    }

    for (name, mutation) in [
        ("a password that somebody uses yet", 3),
        ("a password that somebody uses yet, after a crash as it was to be ended", 4),
    ] {
        let (play, id) = stopped_before(mutation).await;
        make_service(&play.desk, "late", "db");
        let report = resume(&play, &id).await;
        assert!(play.fake.logs_in(&SecretValue::new(OLD.to_vec()).unwrap()), "{name}: nobody is locked out");
        page.end(name, &play.desk, NeedsHuman, &report).await;
    }

    let play = Play::new(Way::HoldsTwo, Program::runs());
    (0..20).for_each(|_| play.fake.fail(Step::Verify, Fault::Down));
    let report = play.apply(Strategy::Overlap).await.unwrap();
    page.end("a system that is away", &play.desk, NeedsHuman, &report).await;
    let report = resume(&play, &report.rotation.unwrap()).await;
    page.end("a password that cannot be tested", &play.desk, Applied, &report).await;
    undone(page).await;
}

async fn undone(page: &mut Page) {
    let (play, id) = stopped_before(3).await;
    make_service(&play.desk, "late", "db_v2");
    let report = roll_back(&play, &id).await;
    page.end("a new password that somebody uses, undone", &play.desk, NeedsHuman, &report).await;

    let (play, id) = stopped_before(3).await;
    make_service(&play.desk, "late", "db");
    resume(&play, &id).await;
    remove(&play.desk, "services", "late");
    play.desk.rotate("db", DAY, b"made-up-third-value").await;
    let report = roll_back(&play, &id).await;
    page.end("a password that a later rotation comes from, undone", &play.desk, NeedsHuman, &report).await;

    let (play, id) = stopped_before(1).await;
    play.fake.drop_users();
    let report = roll_back(&play, &id).await;
    page.end("a password that somebody has changed, undone", &play.desk, NeedsHuman, &report).await;

    let fake = Play::new(Way::HoldsTwo, Program::runs()).fake;
    let play = Play { desk: Desk::with_secrets(&["db"], vec![]), fake };
    play.desk.trail.stop_after(1);
    let id = play.apply(Strategy::Overlap).await.unwrap().rotation.unwrap();
    play.desk.trail.go_on();
    ["db", "db_v2"].iter().for_each(|name| remove(&play.desk, "secrets", name));
    let report = roll_back(&play, &id).await;
    page.end("a password of which both versions are gone", &play.desk, NeedsHuman, &report).await;
}

async fn roll_back(play: &Play, id: &RotationId) -> Report {
    let clock = play.desk.swarm.clock();
    play.desk.executor(&clock).with_passwords(play.passwords()).rollback(id, "the operator says so").await.unwrap()
}

/// Create, set, two updates, end: stopped before the mutation of this number.
pub(super) async fn stopped_before(mutation: usize) -> (Play, RotationId) {
    let play = Play::new(Way::HoldsTwo, Program::runs());
    play.desk.trail.stop_after(mutation);
    let id = play.apply(Strategy::Overlap).await.unwrap().rotation.unwrap();
    play.desk.trail.go_on();
    (play, id)
}

/// Without the new value.
async fn resume(play: &Play, id: &RotationId) -> Report {
    let (mut random, clock) = (Counting(9), play.desk.swarm.clock());
    let mut supply = Supply { values: Values::none(), random: &mut random };
    play.desk.executor(&clock).with_passwords(play.passwords()).resume(id, &mut supply).await.unwrap()
}
