//! Several secrets in one rotation, and several services at a time.

use serde_json::json;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::plan::{Canary, Rollout, RotationRequest, ValueRecipe, plan_rotation};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::portainer::{PortainerRequest, WireFault};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Desk, OLD};

fn of(secrets: &[&str]) -> RotationRequest {
    RotationRequest::of(secrets.iter().map(|name| ((*name).to_owned(), ValueRecipe::Supplied)))
}

fn service(name: &str, secrets: &[&str]) -> ServiceBuilder {
    secrets.iter().fold(ServiceBuilder::new(name, "local/app:1"), |service, secret| service.secret(secret))
}

/// How many tasks a service has had.
fn tasks(desk: &Desk, service: &str) -> usize {
    let id = desk.service(service)["ID"].clone();
    let all = desk.get("/api/endpoints/1/docker/tasks");
    all.as_array().unwrap().iter().filter(|task| task["ServiceID"] == id).count()
}

#[tokio::test]
async fn a_service_with_two_of_the_secrets_restarts_once() {
    let desk = Desk::with_secrets(
        &["db", "key"],
        vec![
            (service("s0", &["db", "key"]), Program::runs()),
            (service("s1", &["db"]), Program::runs()),
            (service("s2", &["key"]), Program::runs()),
        ],
    );
    let report = desk.carry_out(&of(&["db", "key"])).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(desk.mounts("s0"), ["db_v2", "key_v2"]);
    assert_eq!((desk.mounts("s1"), desk.mounts("s2")), (vec!["db_v2".to_owned()], vec!["key_v2".to_owned()]));
    assert_eq!([tasks(&desk, "s0"), tasks(&desk, "s1"), tasks(&desk, "s2")], [2, 2, 2], "one task before, one after");
    let current: Vec<_> = report.secrets.iter().map(|s| s.current.as_ref().unwrap().name.to_string()).collect();
    assert_eq!(current, ["db_v2", "key_v2"]);
    assert_eq!(desk.intents()[2], "update service s0: db -> db_v2, key -> key_v2");
}

/// Of two secrets of a service another rotation has taken one on: an undo puts back the other, and leaves that.
#[tokio::test]
async fn what_another_rotation_has_not_taken_over_is_put_back() {
    let desk = Desk::with_secrets(&["db", "key"], vec![(service("s0", &["db", "key"]), Program::runs())]);
    let first = desk.carry_out(&of(&["db", "key"])).await.unwrap();
    assert_eq!(first.outcome, Outcome::Applied, "{first:?}");
    let second = desk.rotate("db", std::time::Duration::ZERO, OLD).await;
    assert_eq!(second.outcome, Outcome::Applied, "{second:?}");
    assert_eq!(desk.mounts("s0"), ["db_v3", "key_v2"]);
    let clock = desk.swarm.clock();
    let report = desk.executor(&clock).rollback(&first.rotation.unwrap(), "a test").await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!(desk.mounts("s0"), ["db_v3", "key"]);
    assert!(!desk.has_secret("key_v2") && desk.has_secret("db"));
    assert_eq!(report.consumers[0].outcome, "left");
    assert!(report.consumers[0].reason.as_deref().unwrap().ends_with("and the others are put back"));
    assert!(desk.intents().contains(&"put back service s0: key_v2 -> key".to_owned()), "{:?}", desk.intents());
}

#[tokio::test]
async fn one_bad_value_takes_all_of_them_back() {
    let desk = Desk::with_secrets(
        &["db", "key"],
        vec![
            (service("s0", &["db", "key"]), Program::runs()),
            (service("s1", &["key"]), Program::needs("key", OLD).exit(3)),
        ],
    );
    let report = desk.carry_out(&of(&["db", "key"])).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!(desk.mounts("s0"), ["db", "key"]);
    assert!(!desk.has_secret("db_v2") && !desk.has_secret("key_v2"));
}

#[tokio::test]
async fn a_name_that_is_taken_takes_back_what_was_made_before_it() {
    let desk = Desk::with_secrets(&["db", "key"], vec![(service("s0", &["db", "key"]), Program::runs())]);
    let plan = plan_rotation(&desk.inventory().await, &of(&["db", "key"])).unwrap();
    let taken = PortainerRequest::new("POST", "/api/endpoints/1/docker/secrets/create")
        .json(&json!({"Name": "key_v2", "Labels": {}, "Data": "bWFkZS11cA=="}));
    desk.swarm.ask("admin", taken).unwrap();
    let error = desk.apply(&plan, b"made-up").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "one value does not say which secret it is for: {error}");
    let error = desk.carry_out(&of(&["db", "key"])).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Refused), "{error}");
    assert!(!desk.has_secret("db_v2"));
}

#[tokio::test]
async fn mistakes_in_what_is_asked_for_are_named() {
    let desk = Desk::with_secrets(&["db", "key"], vec![(service("s0", &["db"]), Program::runs())]);
    let world = desk.inventory().await;
    let refused = |request: RotationRequest| plan_rotation(&world, &request).unwrap_err().message().to_owned();
    assert!(refused(of(&[])).contains("no secret is named"));
    assert!(refused(of(&["db", "db"])).contains("`db` is named twice"));
    let after = vec![("s0".to_owned(), "s9".to_owned())];
    assert!(refused(RotationRequest { after, ..of(&["db"]) }).contains("`s9` is not a consumer"));
    let canary = Canary::Service("s9".into());
    assert!(refused(RotationRequest { canary, ..of(&["db"]) }).contains("`s9` is not a consumer"));
    let after = vec![("s0".to_owned(), "s0".to_owned())];
    assert!(refused(RotationRequest { after, ..of(&["db"]) }).contains("`s0` after `s0`"));
}

#[tokio::test]
async fn waves_begin_with_a_canary_and_wait_for_what_they_depend_on() {
    let services = vec![
        (service("s0", &["db"]).label("io.swarmsecrets.after", "s2"), Program::runs()),
        (service("s1", &["db"]).replicas(3), Program::runs()),
        (service("s2", &["db"]).replicas(2), Program::runs()),
        (service("s3", &["db"]).replicas(1), Program::runs()),
    ];
    let desk = Desk::with(services);
    let rollout = Rollout { concurrency: 8, failures: 0 };
    let request = RotationRequest { rollout, after: vec![("s1".into(), "s0".into())], ..of(&["db"]) };
    let plan = plan_rotation(&desk.inventory().await, &request).unwrap();
    let waves: Vec<_> = plan.consumers.iter().map(|c| (c.wave, c.service.as_str())).collect();
    assert_eq!(waves, [(0, "s3"), (1, "s2"), (2, "s0"), (3, "s1")], "the smallest that may begin is the canary");
    assert_eq!(desk.carry_out(&request).await.unwrap().outcome, Outcome::Applied);
    let updates: Vec<String> =
        desk.intents().iter().filter_map(|i| i.strip_prefix("update service ")).map(|i| i[..2].to_owned()).collect();
    assert_eq!(updates, ["s3", "s2", "s0", "s1"]);
}

#[tokio::test]
async fn several_services_are_in_hand_at_a_time_and_it_takes_as_long_as_one() {
    let services = || (0..6).map(|n| (service(&format!("s{n}"), &["db"]), Program::runs())).collect::<Vec<_>>();
    let mut times = Vec::new();
    for concurrency in [1, 6] {
        let desk = Desk::with(services());
        let began = desk.swarm.clock().now().mono;
        let rollout = Rollout { concurrency, failures: 0 };
        let request = RotationRequest { rollout, canary: Canary::Skipped, ..of(&["db"]) };
        assert_eq!(desk.carry_out(&request).await.unwrap().outcome, Outcome::Applied);
        times.push(desk.swarm.clock().now().mono - began);
    }
    assert!(times[0] > 4 * times[1], "one after the other {:?}, together {:?}", times[0], times[1]);
}

#[tokio::test]
async fn a_service_that_fails_once_is_tried_again_within_the_budget() {
    for (failures, outcome) in [(0, Outcome::RolledBack), (1, Outcome::Applied)] {
        let desk =
            Desk::with(vec![(service("s0", &["db"]), Program::runs()), (service("s1", &["db"]), Program::runs())]);
        let mut updates = 0;
        desk.client.on_request(move |view| {
            updates += i32::from(view.path.ends_with("/update"));
            let refused = view.path.ends_with("/update") && updates == 2;
            refused.then(|| WireFault::Answer(400, r#"{"message":"made-up refusal"}"#.into()))
        });
        let request = RotationRequest { rollout: Rollout { concurrency: 1, failures }, ..of(&["db"]) };
        let report = desk.carry_out(&request).await.unwrap();
        assert_eq!(report.outcome, outcome, "{failures}: {report:?}");
    }
}

/// Two services fail at the same time, and the budget is for one.
#[tokio::test]
async fn the_budget_counts_those_that_are_just_put_back() {
    let refuses = || Program::needs("db", OLD).exit(3);
    let desk = Desk::with(vec![
        (service("s0", &["db"]), Program::runs()),
        (service("s1", &["db"]).replicas(2), refuses()),
        (service("s2", &["db"]).replicas(2), refuses()),
    ]);
    let request = RotationRequest { rollout: Rollout { concurrency: 8, failures: 1 }, ..of(&["db"]) };
    assert_eq!(desk.carry_out(&request).await.unwrap().outcome, Outcome::RolledBack);
    let updates = desk.intents().iter().filter(|i| i.starts_with("update service s")).count();
    assert!(updates <= 4, "each once, and one of them again: {:?}", desk.intents());
}
