//! Rotations that a person must look at.

use std::time::Duration;

use swarmsecrets_core::rotation::Outcome::NeedsHuman;
use swarmsecrets_core::rotation::Report;
use swarmsecrets_testkit::portainer::WireFault;
use swarmsecrets_testkit::sim::Program;

use super::super::desk::{Desk, NEW};
use super::super::{probed, stacks};
use super::page::Page;
use super::scenes::{
    DAY, HOUR, make_service, move_service, one, picky, refuse, remove, roll_back, stopped_before, two,
};

pub(super) async fn write(page: &mut Page) {
    interruption(page).await;
    let play = probed::Play::new(probed::Fake::saying(probed::unsure(3)));
    page.end("probes that cannot tell", &play.desk, NeedsHuman, &play.rotate().await).await;
    for (name, intents) in [("the audit trail is full from the start", 0), ("the audit trail is full half-way", 2)] {
        let desk = two(Program::runs());
        desk.trail.stop_after(intents);
        page.end(name, &desk, NeedsHuman, &desk.rotate("db", HOUR, NEW).await).await;
    }
    portainer(page).await;
    undone(page).await;
}

async fn interruption(page: &mut Page) {
    let desk = two(Program::runs());
    let cancel = desk.cancellation.clone();
    desk.client.on_request(move |view| {
        if view.path.ends_with("/update") {
            cancel.cancel();
        }
        None
    });
    page.end("interrupted half-way", &desk, NeedsHuman, &desk.rotate("db", HOUR, NEW).await).await;
}

/// After the first update, every request of Portainer's ends so.
async fn answered(status: u16, message: &str) -> (Desk, Report) {
    let desk = two(Program::runs());
    let (mut updated, body) = (false, format!(r#"{{"message":"{message}"}}"#));
    desk.client.on_request(move |view| {
        let fault = updated.then(|| WireFault::Answer(status, body.clone()));
        updated |= view.path.ends_with("/update");
        fault
    });
    let report = desk.rotate("db", HOUR, NEW).await;
    (desk, report)
}

async fn portainer(page: &mut Page) {
    let (desk, report) = answered(401, "A valid authorisation token is missing").await;
    page.end("the key is not valid any more", &desk, NeedsHuman, &report).await;
    let (desk, report) = answered(503, "service unavailable").await;
    page.end("Portainer is away", &desk, NeedsHuman, &report).await;
}

async fn undone(page: &mut Page) {
    let desk = two(picky());
    refuse(&desk, "POST", "/services/", 3, u32::MAX);
    let report = desk.rotate("db", HOUR, NEW).await;
    page.end("a consumer cannot be put back", &desk, NeedsHuman, &report).await;
    let id = report.rotation.unwrap();
    let closed = desk.executor(&desk.swarm.clock()).close(&id, "s1 is not needed any more").await.unwrap();
    page.end("a person has closed that", &desk, NeedsHuman, &closed).await;

    let desk = one();
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    make_service(&desk, "late", "db_v2");
    page.end("somebody else uses the new version", &desk, NeedsHuman, &roll_back(&desk, &id).await).await;

    let desk = one();
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    make_service(&desk, "late", "db_v2");
    desk.edit("late", |spec| spec["Mode"]["Replicated"]["Replicas"] = 0.into());
    desk.swarm.engine().run_for(Duration::from_secs(60));
    page.end("somebody else's service names the new version", &desk, NeedsHuman, &roll_back(&desk, &id).await).await;

    let desk = one();
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    desk.rotate("db", DAY, b"made-up-third-value").await;
    page.end("a later rotation", &desk, NeedsHuman, &roll_back(&desk, &id).await).await;

    let desk = two(Program::runs());
    let id = stopped_before(&desk, 2).await;
    move_service(&desk, "s1", "db_v2");
    desk.swarm.engine().run_for(Duration::from_secs(60));
    remove(&desk, "secrets", "db");
    page.end("the old version is gone", &desk, NeedsHuman, &roll_back(&desk, &id).await).await;

    let (desk, _) = stacks::desk();
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    refuse(&desk, "PUT", "/api/stacks/", 0, u32::MAX);
    page.end("a stack's file keeps the new name", &desk, NeedsHuman, &roll_back(&desk, &id).await).await;
}
