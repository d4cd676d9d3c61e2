//! What cannot be resumed or undone.

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::credential::Way;
use swarmsecrets_core::executor::Probes;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{JournalStore as _, MemoryJournal};
use swarmsecrets_core::plan::{RotationRequest, Strategy};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::credential::{Fault, Step};
use swarmsecrets_testkit::portainer::State;
use swarmsecrets_testkit::sim::{Program, SecretBuilder, SimEngine};

use super::super::desk::{Desk, NEW, OLD};
use super::super::{overlapped, probed};
use super::page::Page;
use super::scenes::{DAY, HOUR, one, picky, request, stopped_before, two};

pub(super) async fn write(page: &mut Page) {
    rollbacks(page).await;
    resumes(page).await;
    let play = probed::Play::new(probed::Fake::saying(probed::unsure(3)));
    let id = play.rotate().await.rotation.unwrap();
    page.refusal("a resume without the probes", &play.resume(&id, Probes::none()).await.unwrap_err());
    let play = overlapped::Play::new(Way::HoldsTwo, Program::runs());
    play.fake.fail(Step::Revoke, Fault::Refuse(ErrorKind::Forbidden));
    let id = play.apply(Strategy::Overlap).await.unwrap().rotation.unwrap();
    page.refusal("a resume without the setter", &play.desk.resume(&id).await.unwrap_err());
}

async fn rollbacks(page: &mut Page) {
    let mut refused = async |name: &str, desk: &Desk, id: &RotationId| {
        let clock = desk.swarm.clock();
        page.refusal(name, &desk.executor(&clock).rollback(id, "a test").await.unwrap_err());
    };
    let desk = one();
    let id = desk.rotate("db", std::time::Duration::ZERO, NEW).await.rotation.unwrap();
    refused("a rollback to a version that is gone", &desk, &id).await;
    let desk = two(picky());
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    refused("a rollback of what is undone", &desk, &id).await;
    let play = overlapped::Play::new(Way::HoldsTwo, Program::runs());
    let mut kept = play.request(Strategy::Overlap);
    kept.timing.grace = HOUR;
    let id = play.carry_out(&kept).await.unwrap().rotation.unwrap();
    refused("a rollback to a password that was ended", &play.desk, &id).await;
}

async fn resumes(page: &mut Page) {
    let desk = one();
    let unknown = "r-0123456789abcdef0123".parse().unwrap();
    page.refusal("a rotation that nothing tells of", &desk.resume(&unknown).await.unwrap_err());
    let desk = two(Program::runs());
    let id = stopped_before(&desk, 2).await;
    let lease = desk.journal.lock(&id).await.unwrap();
    page.refusal("a rotation that another process carries", &desk.resume(&id).await.unwrap_err());
    drop(lease);
    let engine = SimEngine::builder(8).secret_with(SecretBuilder::new("db", OLD)).build();
    let other = Desk { journal: desk.journal.clone(), ..Desk::at(SimSwarm::of(engine, State::default())) };
    page.refusal("a rotation of another Swarm", &other.resume(&id).await.unwrap_err());
    let mut desk = two(Program::runs());
    desk.trail.stop_after(2);
    let revoke = RotationRequest { strategy: Strategy::Revoke, ..request(std::time::Duration::ZERO) };
    let id = desk.carry_out(&revoke).await.unwrap().rotation.unwrap();
    desk.journal = MemoryJournal::default();
    page.refusal("a revocation whose journal is lost", &desk.resume(&id).await.unwrap_err());
}
