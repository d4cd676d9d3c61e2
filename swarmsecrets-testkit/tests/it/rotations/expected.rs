//! How long a plan says that it takes.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::plan::{
    Canary, Plan, Rollout, RotationRequest, Strategy, Timing, ValueRecipe, WarningKind, plan_rotation,
};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Desk, NEW};

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Six tasks, two at a time, ten seconds between batches, watched for five: three restarts of three seconds, two delays.
fn service(name: &str) -> ServiceBuilder {
    let update = json!({ "Parallelism": 2, "Delay": 10_000_000_000_u64, "Monitor": 5_000_000_000_u64 });
    ServiceBuilder::new(name, "local/app:1").secret("db").replicas(6).update_config(update)
}

const ONE: Duration = seconds(3 * 3 + 2 * 10 + 5 + 7);

fn request(concurrency: u32, canary: Canary) -> RotationRequest {
    RotationRequest {
        timing: Timing { grace: Duration::ZERO, stability: seconds(7), ..Timing::default() },
        rollout: Rollout { concurrency, failures: 0 },
        canary,
        ..RotationRequest::new("db", ValueRecipe::Supplied)
    }
}

async fn plan(services: usize, request: &RotationRequest) -> (Desk, Plan) {
    let desk = Desk::with((0..services).map(|n| (service(&format!("s{n}")), Program::runs())).collect());
    let plan = plan_rotation(&desk.inventory().await, request).unwrap();
    (desk, plan)
}

#[tokio::test]
async fn services_in_hand_together_take_the_time_of_one() {
    for (services, request, times) in [
        (1, request(1, Canary::Skipped), 1),
        (3, request(1, Canary::Skipped), 3),
        (3, request(2, Canary::Skipped), 2),
        (5, request(u32::MAX, Canary::Skipped), 1),
        (5, request(u32::MAX, Canary::Service("s3".into())), 2),
    ] {
        let (_, plan) = plan(services, &request).await;
        assert_eq!(plan.expected, ONE * times, "{services} services, {:?}", request.rollout);
    }
}

#[tokio::test]
async fn the_simulation_takes_about_as_long() {
    let (desk, plan) = plan(2, &request(1, Canary::Skipped)).await;
    let before = desk.swarm.clock().now().mono;
    assert_eq!(desk.apply(&plan, NEW).await.unwrap().outcome, Outcome::Applied);
    let took = desk.swarm.clock().now().mono - before;
    assert!(took > plan.expected / 2 && took < plan.expected * 2, "{took:?} for {:?}", plan.expected);
}

#[tokio::test]
async fn what_takes_longer_than_it_may_is_warned_of() {
    let short = Timing { deadline: seconds(30), ..request(1, Canary::Skipped).timing };
    let (_, late) = plan(1, &RotationRequest { timing: short, ..request(1, Canary::Skipped) }).await;
    let warned = |plan: &Plan| {
        let found = plan.warnings.iter().find(|w| w.kind == WarningKind::TooLong);
        found.map(|w| w.text.clone()).unwrap_or_default()
    };
    let expected =
        "`s0` is expected to take 41s, and 30s is all that it may take: allow more with --deadline, or it is put back";
    assert_eq!(warned(&late), expected);

    let revoke = |concurrency| RotationRequest { strategy: Strategy::Revoke, ..request(concurrency, Canary::Skipped) };
    let (_, slow) = plan(8, &revoke(1)).await;
    assert!(
        warned(&slow).starts_with("the revocation is expected to take 5m28s, and should be done within 5m"),
        "{slow:?}"
    );
    assert_eq!(warned(&plan(8, &revoke(u32::MAX)).await.1), "");
}
