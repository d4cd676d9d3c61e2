//! Values that have leaked.

use std::time::Duration;

use swarmsecrets_core::plan::{Rollout, RotationRequest, Strategy};
use swarmsecrets_core::rotation::Outcome::{Applied, AwaitingPatch, NeedsHuman, RolledBack};
use swarmsecrets_testkit::sim::Program;

use super::super::desk::Desk;
use super::done::stubborn;
use super::page::Page;
use super::patched::changed_by_hand;
use super::scenes::{make_service, picky, request, service, two};

fn revocation() -> RotationRequest {
    RotationRequest {
        strategy: Strategy::Revoke,
        rollout: Rollout { concurrency: u32::MAX, failures: 0 },
        ..request(Duration::ZERO)
    }
}

pub(super) async fn write(page: &mut Page) {
    let revoke = async |desk: &Desk| desk.carry_out(&revocation()).await.unwrap();
    let desk = two(Program::runs());
    page.end("revoked", &desk, Applied, &revoke(&desk).await).await;
    let desk = Desk::with(vec![(service("s0"), picky()), (service("s1").replicas(2), Program::runs())]);
    page.end("a canary that refuses the new value", &desk, RolledBack, &revoke(&desk).await).await;
    let desk = Desk::with(vec![(service("s0"), Program::runs()), (service("s1").replicas(2), picky())]);
    page.end("a consumer behind the canary fails", &desk, NeedsHuman, &revoke(&desk).await).await;
    let desk = Desk::with(vec![(stubborn("s0"), Program::runs().ignores_sigterm())]);
    page.end("a task that was not seen to stop", &desk, Applied, &revoke(&desk).await).await;
    let desk = changed_by_hand();
    page.end("revoked, and a patch is wanted", &desk, AwaitingPatch, &revoke(&desk).await).await;

    let desk = two(Program::runs());
    desk.trail.stop_after(3);
    let id = revoke(&desk).await.rotation.unwrap();
    desk.trail.go_on();
    make_service(&desk, "late", "db");
    page.end("the leaked version is used", &desk, NeedsHuman, &desk.resume(&id).await.unwrap()).await;
}
