//! Rotations that did nothing, and those that somebody else has.

use serde_json::json;
use swarmsecrets_core::rotation::Outcome::{Conflict, NotStarted};
use swarmsecrets_testkit::portainer::WireFault;
use swarmsecrets_testkit::sim::Program;

use super::super::desk::{Desk, NEW};
use super::super::{overtaken, probed};
use super::page::{OTHER, Page};
use super::scenes::{DAY, HOUR, make_secret, one, refuse, remove, roll_back, stopped_before, two};

pub(super) async fn write(page: &mut Page) {
    let desk = one();
    refuse(&desk, "POST", "/secrets/create", 0, 1);
    page.end("Portainer refuses the new version", &desk, NotStarted, &desk.rotate("db", HOUR, NEW).await).await;
    let desk = one();
    let id = stopped_before(&desk, 0).await;
    page.end("the value is gone", &desk, NotStarted, &desk.resume(&id).await.unwrap()).await;
    let desk = one();
    desk.cancellation.cancel();
    page.end("interrupted before anything", &desk, NotStarted, &desk.rotate("db", HOUR, NEW).await).await;
    let play = probed::Play::new(probed::Fake::broken());
    page.end("a probe that does not work before", &play.desk, NotStarted, &play.rotate().await).await;
    conflicts(page).await;
}

async fn conflicts(page: &mut Page) {
    for (name, labels) in [
        ("the name is another rotation's", json!({"io.swarmsecrets.rotation": OTHER})),
        ("the name was taken by hand", json!({})),
    ] {
        let desk = one();
        let id = stopped_before(&desk, 0).await;
        make_secret(&desk, "db_v2", &labels);
        page.end(name, &desk, Conflict, &desk.resume(&id).await.unwrap()).await;
    }
    let desk = one();
    let id = stopped_before(&desk, 0).await;
    make_secret(&desk, "db_v3", &json!({"io.swarmsecrets.rotation": OTHER}));
    page.end("another rotation came after it", &desk, Conflict, &desk.resume(&id).await.unwrap()).await;
    let desk = Desk::with_secrets(&["db"], vec![]);
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    ["db", "db_v2"].iter().for_each(|name| remove(&desk, "secrets", name));
    page.end("both versions are gone", &desk, Conflict, &roll_back(&desk, &id).await).await;
    let desk = one();
    desk.client.on_request(|view| {
        let body = r#"{"message":"rpc error: code = AlreadyExists desc = secret db_v2 already exists"}"#;
        view.path.ends_with("/secrets/create").then(|| WireFault::Answer(409, body.into()))
    });
    page.end("the name is what cannot be seen", &desk, Conflict, &desk.rotate("db", HOUR, NEW).await).await;
    let mut desk = two(Program::runs());
    let (lost, _) = overtaken::overtaken(&mut desk, 1).await.unwrap();
    page.end("another process has taken over", &desk, Conflict, &lost).await;
}
