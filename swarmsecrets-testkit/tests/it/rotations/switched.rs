//! Rotations under a kill switch that is a label of the Swarm itself.

use std::time::Duration;

use jiff::tz::TimeZoneDatabase;
use serde_json::{Value, json};
use swarmsecrets_core::executor::{Supply, Values};
use swarmsecrets_core::policy::{Guard, Policy};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::engine::EngineRequest;
use swarmsecrets_testkit::portainer::{PortainerRequest, WireFault};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, NEW};

const DAY: Duration = Duration::from_secs(86_400);
const SWARM: &str = "/api/endpoints/1/docker/swarm";

/// Two services, the second behind the first.
fn desk() -> Desk {
    let service = |name: &str| {
        ServiceBuilder::new(name, "local/app:1").replicas(2).secret("db").restart_delay(Duration::from_secs(1))
    };
    Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), Program::runs())])
}

fn guards(on_kill: &str) -> [Guard; 1] {
    let text = format!("schema = 1\nphase = 'automated'\n[kill_switch]\nlabel = 'stop'\non_kill = '{on_kill}'");
    [Guard::new("p", Policy::parse(&text, &TimeZoneDatabase::bundled()).unwrap()).unwrap()]
}

/// A person puts these labels on the Swarm, as the Engine's API wants it: with the whole spec that is there.
fn label(swarm: &SimSwarm, labels: &Value) {
    let there = swarm.ask("admin", PortainerRequest::new("GET", SWARM)).unwrap();
    let mut spec = there["Spec"].clone();
    spec["Labels"] = labels.clone();
    let version = there["Version"]["Index"].to_string();
    let update = PortainerRequest::new("POST", &format!("{SWARM}/update")).param("version", &version);
    swarm.ask("admin", update.json(&spec)).unwrap();
}

async fn rotate(desk: &Desk, guards: &[Guard]) -> Result<Report> {
    let plan = desk.plan("db", DAY).await?;
    let mut supply = Supply { values: Values::one(SecretValue::new(NEW.to_vec())?), random: &mut Counting(5) };
    desk.executor(&desk.swarm.clock()).guarded(guards).apply(&plan, &mut supply).await
}

async fn resume(desk: &Desk, report: &Report, guards: &[Guard]) -> Report {
    let mut supply = Supply { values: Values::one(SecretValue::new(NEW.to_vec()).unwrap()), random: &mut Counting(9) };
    let clock = desk.swarm.clock();
    let id = report.rotation.as_ref().unwrap();
    desk.executor(&clock).guarded(guards).resume(id, &mut supply).await.unwrap()
}

/// Turns the label on as the first service is updated.
fn turned_on_the_way(desk: &Desk) {
    let (engine, mut turned) = (desk.swarm.engine().clone(), false);
    desk.client.on_request(move |view| {
        if !turned && view.path.ends_with("/update") {
            turned = true;
            let labelled = json!({"Labels": {"stop": ""}, "Raft": {"SnapshotInterval": 10000}});
            let update = EngineRequest {
                method: "POST".into(),
                path: "/swarm/update".into(),
                query: vec![("version".into(), "10".into())],
                body: labelled.to_string().into_bytes(),
            };
            assert_eq!(engine.answer(&update).status, 200);
        }
        None
    });
}

#[tokio::test]
async fn nothing_is_begun_while_the_swarm_carries_the_label_whatever_its_value() {
    let desk = desk();
    for value in ["", "true", "false", "off"] {
        label(&desk.swarm, &json!({ "stop": value, "other": "x" }));
        let error = rotate(&desk, &guards("stop")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains("the kill switch `stop` among the labels of the swarm is on"), "{error}");
    }
    assert!(desk.intents().is_empty());
    label(&desk.swarm, &json!({"stopped": "true"}));
    assert_eq!(rotate(&desk, &guards("stop")).await.unwrap().outcome, Outcome::Applied);
}

#[tokio::test]
async fn turned_on_the_way_it_stops_before_the_next_change_and_what_is_left_can_be_resumed() {
    let desk = desk();
    turned_on_the_way(&desk);
    let report = rotate(&desk, &guards("stop")).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    assert!(report.warnings[0].contains("the kill switch `stop` among the labels"), "{:?}", report.warnings);
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db_v2".to_owned()], vec!["db".to_owned()]));
    assert_eq!(resume(&desk, &report, &guards("stop")).await.outcome, Outcome::NeedsHuman, "it is still on");
    label(&desk.swarm, &json!({}));
    assert_eq!(resume(&desk, &report, &guards("stop")).await.outcome, Outcome::Applied);
}

#[tokio::test]
async fn one_that_restores_puts_back_what_was_begun() {
    let desk = desk();
    turned_on_the_way(&desk);
    let report = rotate(&desk, &guards("restore")).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db".to_owned()], vec!["db".to_owned()]));
    assert!(!desk.has_secret("db_v2"));
}

#[tokio::test]
async fn labels_that_cannot_be_read_count_as_on() {
    for (fault, seen) in [
        (WireFault::Answer(403, r#"{"message":"made up"}"#.into()), 2),
        (WireFault::Answer(200, r#"{"ID":"made-up"}"#.into()), 2),
        (WireFault::Answer(200, r#"{"ID":"made-up","Spec":5}"#.into()), 3),
    ] {
        let (desk, mut looks) = (desk(), 0);
        desk.client.on_request(move |view| {
            looks += u32::from(view.path.ends_with("/docker/swarm"));
            // The plan and the beginning read what Swarm it is.
            (looks > seen && view.path.ends_with("/docker/swarm")).then(|| fault.clone())
        });
        let said = match rotate(&desk, &guards("stop")).await {
            Ok(report) => report.warnings[0].clone(),
            Err(error) => error.to_string(),
        };
        assert!(
            said.contains("`stop` among the labels of the swarm is on cannot be told, so it counts as on"),
            "{said}"
        );
        assert!(desk.intents().is_empty());
        assert!(!desk.has_secret("db_v2"));
    }
}

/// Whoever may not change it may still read it, as recorded of the Engine behind Portainer.
#[tokio::test]
async fn a_scoped_account_reads_the_label_and_may_not_take_it_away() {
    let desk = desk().scoped(&[]);
    label(&desk.swarm, &json!({"stop": "true"}));
    let error = rotate(&desk, &guards("stop")).await.unwrap_err();
    assert!(error.to_string().contains("the kill switch `stop` among the labels"), "{error}");
    let update = PortainerRequest::new("POST", &format!("{SWARM}/update")).param("version", "11").json(&json!({}));
    assert!(desk.swarm.ask("svc-agent", update).is_err());
}
