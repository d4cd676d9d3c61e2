//! Rotations that were undone: every consumer is on the old version again.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::credential::Way;
use swarmsecrets_core::health::Health;
use swarmsecrets_core::plan::{RotationRequest, Strategy, Timing, ValueRecipe};
use swarmsecrets_core::rotation::Outcome::RolledBack;
use swarmsecrets_testkit::credential::{Fault, Step};
use swarmsecrets_testkit::sim::Program;

use super::super::desk::{Desk, NEW};
use super::super::{overlapped, probed};
use super::done::not_ours_to_give;
use super::page::Page;
use super::scenes::{DAY, HOUR, make_secret, picky, refuse, roll_back, service, two};

pub(super) async fn write(page: &mut Page) {
    bad_values(page).await;
    let play = probed::Play::new(probed::Fake::saying([Health::Healthy, Health::unhealthy("HTTP 503")]));
    page.end("a probe says no", &play.desk, RolledBack, &play.rotate().await).await;

    let desk = not_ours_to_give();
    page.end("an owner that may not be given", &desk, RolledBack, &desk.rotate("db", HOUR, NEW).await).await;
    let desk = two(Program::runs());
    refuse(&desk, "POST", "/services/", 1, 1);
    page.end("Portainer refuses an update", &desk, RolledBack, &desk.rotate("db", HOUR, NEW).await).await;

    let desk = two(Program::runs());
    let cancel = desk.cancellation.clone();
    desk.client.on_request(move |view| {
        if view.path.ends_with("/secrets/create") {
            cancel.cancel();
        }
        None
    });
    let report = desk.rotate("db", HOUR, NEW).await;
    page.end("interrupted before any consumer", &desk, RolledBack, &report).await;

    let desk = two(Program::runs());
    let id = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    page.end("an operator undoes it", &desk, RolledBack, &roll_back(&desk, &id).await).await;
    second_name(page).await;
    one_of_two(page).await;
    passwords(page).await;
}

async fn bad_values(page: &mut Page) {
    for action in ["pause", "continue", "rollback"] {
        let config = json!({"Parallelism": 1, "FailureAction": action, "Monitor": 5_000_000_000_u64});
        let bad = picky().log("FATAL: password authentication failed");
        let s1 = service("s1").replicas(2).update_config(config);
        let desk = Desk::with(vec![(service("s0"), Program::runs()), (s1, bad)]);
        let report = desk.rotate("db", HOUR, NEW).await;
        page.end(&format!("a bad value, with FailureAction {action}"), &desk, RolledBack, &report).await;
    }
    let sick = service("s0").health(Duration::from_secs(1), 2);
    let desk = Desk::with(vec![(sick, picky().unhealthy())]);
    page.end("an unhealthy container", &desk, RolledBack, &desk.rotate("db", HOUR, NEW).await).await;

    let desk = two(Program::runs());
    desk.swarm.engine().program("s1", Program::runs().slow(HOUR));
    let timing = Timing { deadline: Duration::from_secs(60), ..Timing::default() };
    let request = RotationRequest { timing, ..RotationRequest::new("db", ValueRecipe::Supplied) };
    // Until it is put back: the third update is that of `s1` again.
    let (engine, mut updates) = (desk.swarm.engine().clone(), 0);
    desk.client.on_request(move |view| {
        updates += u32::from(view.path.ends_with("/update"));
        if updates == 3 {
            engine.program("s1", Program::runs());
        }
        None
    });
    let report = desk.carry_out(&request).await.unwrap();
    page.end("not healthy in time", &desk, RolledBack, &report).await;
}

/// Two secrets together, and the second one's name is taken when it is made.
async fn second_name(page: &mut Page) {
    let both = service("s0").secret("key");
    let desk = Desk::with_secrets(&["db", "key"], vec![(both, Program::runs())]);
    desk.trail.stop_after(1);
    let named = ["db", "key"].map(|name| (name.to_owned(), ValueRecipe::Supplied));
    let id = desk.carry_out(&RotationRequest::of(named)).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    make_secret(&desk, "key_v2", &json!({}));
    page.end("the second of two names is taken", &desk, RolledBack, &desk.resume(&id).await.unwrap()).await;
}

/// Two secrets of one service, and another rotation has taken one on.
async fn one_of_two(page: &mut Page) {
    let desk = Desk::with_secrets(&["db", "key"], vec![(service("s0").secret("key"), Program::runs())]);
    let named = ["db", "key"].map(|name| (name.to_owned(), ValueRecipe::Supplied));
    let id = desk.carry_out(&RotationRequest::of(named)).await.unwrap().rotation.unwrap();
    desk.rotate("db", Duration::ZERO, b"made-up-third-value").await;
    page.end("one of two was rotated again", &desk, RolledBack, &roll_back(&desk, &id).await).await;
}

async fn passwords(page: &mut Page) {
    let mut undone = async |name: &str, way: Way, second: Program, fault: Option<Fault>| {
        let play = overlapped::Play::new(way, second);
        if let Some(fault) = fault {
            play.fake.fail(Step::Set, fault);
        }
        let report = play.apply(Strategy::Overlap).await.unwrap();
        page.end(name, &play.desk, RolledBack, &report).await;
    };
    let refused = Some(Fault::Refuse(ErrorKind::Forbidden));
    undone("a password that cannot be set", Way::HoldsTwo, Program::runs(), refused).await;
    undone("a password that does not log in", Way::HoldsTwo, Program::runs(), Some(Fault::DoNothing)).await;
    undone("a consumer that refuses the new password", Way::Replaces, picky(), None).await;
}
