//! Rotations whose journal is lost.

use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_core::rotation::Outcome::{Applied, RolledBack};
use swarmsecrets_testkit::sim::Program;

use super::page::Page;
use super::scenes::{DAY, picky, retire, stopped_before, two};

pub(super) async fn write(page: &mut Page) {
    for (name, second, mutation, outcome) in [
        ("no consumer had been moved, and the journal is lost", Program::runs(), 1, RolledBack),
        ("half of the consumers had been moved, and the journal is lost", Program::runs(), 2, Applied),
        ("the value is bad, and the journal is lost", picky(), 2, RolledBack),
    ] {
        let mut desk = two(second);
        let id = stopped_before(&desk, mutation).await;
        desk.journal = MemoryJournal::default();
        page.end(name, &desk, outcome, &desk.resume(&id).await.unwrap()).await;
    }
    let mut desk = two(Program::runs());
    desk.rotate("db", DAY, super::super::desk::NEW).await;
    desk.journal = MemoryJournal::default();
    desk.swarm.engine().run_for(2 * DAY);
    page.end("all had been moved, and the journal is lost", &desk, Applied, &retire(&desk).await).await;
}
