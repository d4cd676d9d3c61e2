//! Who may see the new version.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::plan::{Allowances, RotationRequest, Timing, ValueRecipe, WarningKind, plan_rotation};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Desk, NEW};

/// The secret belongs to the account's team and to `alice`, which a scoped account may see and not grant.
fn scene() -> Desk {
    Desk::with(vec![(ServiceBuilder::new("s0", "local/app:1").secret("db"), Program::runs())]).scoped(&["alice"])
}

fn request(owner: bool) -> RotationRequest {
    RotationRequest {
        timing: Timing { grace: Duration::ZERO, ..Timing::default() },
        allow: Allowances { owner, ..Allowances::default() },
        ..RotationRequest::new("db", ValueRecipe::Supplied)
    }
}

#[tokio::test]
async fn an_owner_that_may_not_be_given_is_said_before_and_undone_after() {
    let desk = scene();
    let plan = plan_rotation(&desk.inventory().await, &request(false)).unwrap();
    let warned = plan.warnings.iter().find(|w| w.kind == WarningKind::Ownership).unwrap();
    let expected = "Portainer does not let `svc-agent` give `db_v2` the owner of the old version (team payments, user 3): the rotation will be undone: let an administrator rotate it, or allow it with --allow-owner, and `db_v2` belongs to `svc-agent` alone";
    assert_eq!(warned.text, expected);
    let report = desk.apply(&plan, NEW).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(report.warnings[0].starts_with("`db_v2` could not be given its owner"), "{:?}", report.warnings);
    assert!(desk.mounts("s0") == ["db"] && !desk.has_secret("db_v2"));
}

#[tokio::test]
async fn the_account_keeps_the_new_version_where_that_is_allowed_and_says_so() {
    let desk = scene();
    let plan = plan_rotation(&desk.inventory().await, &request(true)).unwrap();
    let warned = plan.warnings.iter().find(|w| w.kind == WarningKind::Ownership).unwrap();
    assert!(warned.text.ends_with("`db_v2` will belong to `svc-agent` alone"), "{}", warned.text);
    let report = desk.apply(&plan, NEW).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(report.warnings.iter().any(|w| w.ends_with("it belongs to svc-agent alone, as was allowed")), "{report:?}");
    let control = desk.get("/api/endpoints/1/docker/secrets/db_v2")["Portainer"]["ResourceControl"].clone();
    assert_eq!(control["UserAccesses"][0]["UserId"], desk.agent().user);
    assert_eq!(control["TeamAccesses"], json!([]));
}
