//! Values that have leaked.

use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::plan::{Canary, Rollout, RotationRequest, Strategy, Timing, ValueRecipe};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::portainer::WireFault;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Desk, OLD};

fn revocation() -> RotationRequest {
    RotationRequest {
        strategy: Strategy::Revoke,
        timing: Timing { grace: Duration::ZERO, ..Timing::default() },
        rollout: Rollout { concurrency: u32::MAX, failures: 0 },
        ..RotationRequest::new("db", ValueRecipe::Supplied)
    }
}

fn service(name: &str) -> ServiceBuilder {
    ServiceBuilder::new(name, "local/app:1").secret("db").restart_delay(Duration::from_secs(1))
}

#[tokio::test]
async fn every_service_is_moved_at_once_and_the_old_version_goes() {
    let desk = Desk::with((0..5).map(|n| (service(&format!("s{n}")), Program::runs())).collect());
    let report = desk.carry_out(&revocation()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!((0..5).all(|n| desk.mounts(&format!("s{n}")) == ["db_v2"]));
    assert!(!desk.has_secret("db"));
}

#[tokio::test]
async fn a_value_that_the_canary_refuses_goes_no_further() {
    let desk = Desk::with(vec![
        (service("s0"), Program::needs("db", OLD).exit(3)),
        (service("s1").replicas(2), Program::runs()),
    ]);
    let report = desk.carry_out(&revocation()).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db".to_owned()], vec!["db".to_owned()]));
    assert!(desk.has_secret("db") && !desk.has_secret("db_v2"));
}

#[tokio::test]
async fn what_fails_behind_the_canary_stays_off_the_leaked_value_and_is_listed() {
    for canary in [Canary::Labelled, Canary::Skipped] {
        let desk = Desk::with(vec![
            (service("s0"), Program::runs()),
            (service("s1").replicas(2), Program::needs("db", OLD).exit(3)),
            (service("s2").replicas(2), Program::runs()),
        ]);
        let report = desk.carry_out(&RotationRequest { canary, ..revocation() }).await.unwrap();
        assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
        assert!((0..3).all(|n| desk.mounts(&format!("s{n}")) == ["db_v2"]), "nothing goes back to a leaked value");
        let outcomes: Vec<_> = report.consumers.iter().map(|c| (c.service.as_str(), c.outcome.as_str())).collect();
        assert_eq!(outcomes, [("s0", "applied"), ("s1", "failed"), ("s2", "applied")]);
        assert!(!desk.has_secret("db"), "the leaked version is gone all the same");
    }
}

#[tokio::test]
async fn a_failure_in_one_wave_does_not_hold_back_the_next() {
    let desk = Desk::with(vec![
        (service("s0"), Program::runs()),
        (service("s1").replicas(2), Program::needs("db", OLD).exit(3)),
        (service("s2").replicas(2), Program::runs()),
    ]);
    let after = vec![("s2".to_owned(), "s1".to_owned())];
    let report = desk.carry_out(&RotationRequest { after, ..revocation() }).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    let outcomes: Vec<_> = report.consumers.iter().map(|c| (c.service.as_str(), c.outcome.as_str())).collect();
    assert_eq!(outcomes, [("s0", "applied"), ("s1", "failed"), ("s2", "applied")]);
}

#[tokio::test]
async fn what_could_not_be_moved_is_tried_again_by_who_resumes() {
    let desk = Desk::with((0..3).map(|n| (service(&format!("s{n}")), Program::runs())).collect());
    let mut updates = 0;
    desk.client.on_request(move |view| {
        updates += i32::from(view.path.ends_with("/update"));
        let refused = view.path.ends_with("/update") && updates == 2;
        refused.then(|| WireFault::Answer(401, r#"{"message":"made-up refusal"}"#.into()))
    });
    let report = desk.carry_out(&revocation()).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(desk.has_secret("db"), "a service still uses the leaked version");
    let before: Vec<_> = (0..3).map(|n| desk.mounts(&format!("s{n}"))).collect();
    let retired = desk.executor(&desk.swarm.clock()).retire().await.unwrap();
    let sent_to = format!("swarmsecrets resume {}", report.rotation.as_ref().unwrap());
    assert!(retired[0].warnings[0].contains(&sent_to), "{retired:?}");
    assert_eq!((0..3).map(|n| desk.mounts(&format!("s{n}"))).collect::<Vec<_>>(), before, "to retire is not to update");
    let report = desk.resume(&report.rotation.unwrap()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!((0..3).all(|n| desk.mounts(&format!("s{n}")) == ["db_v2"]) && !desk.has_secret("db"));
}

/// Swarm's rollback goes to the spec before, whether or not its secret is still there.
#[tokio::test]
async fn the_leaked_version_stays_as_long_as_swarm_may_roll_back_to_it() {
    let rollback =
        json!({"Parallelism": 1, "FailureAction": "rollback", "Monitor": 400_000_000, "Order": "stop-first"});
    let desk = Desk::with(vec![
        (service("s0"), Program::runs()),
        (service("s1").replicas(3).update_config(rollback), Program::needs("db", OLD).exit(3)),
    ]);
    let report = desk.carry_out(&revocation()).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    for _ in 0..3 {
        let report = desk.resume(report.rotation.as_ref().unwrap()).await.unwrap();
        assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
        desk.swarm.engine().run_for(Duration::from_secs(600));
        assert!(desk.mounts("s1").iter().all(|name| desk.has_secret(name)), "{:?}", desk.mounts("s1"));
    }
}
