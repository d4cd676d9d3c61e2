//! The probe of log anomalies on simulated logs, and the suite of its trait on probes that break it.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::exec::{Exec, NoExec};
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, LogProbe, Target};
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::model::{ServiceState, parse_tasks, read_list};
use swarmsecrets_core::transport::{Read, TaskFilter, Transport};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::conformance::health_probe::{self, Condition, Stage};
use swarmsecrets_testkit::portainer::{PortainerClient, State, WireFault};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder, SimClock, SimEngine};

const HERE: EnvironmentId = EnvironmentId(1);
const VALUE: &str = "made-up-value-of-the-log";

/// Two services, one that works and one whose database refuses it.
struct Logs {
    client: PortainerClient,
    clock: SimClock,
    targets: [Target; 2],
    now: Mutex<Condition>,
}

impl Logs {
    async fn new() -> Self {
        swarmsecrets_testkit::values::record(VALUE.as_bytes());
        let refused = format!("psql: FATAL: password authentication failed for user \"app\" ({VALUE})");
        let engine = SimEngine::builder(3)
            .program("calm", Program::runs().says("ready"))
            .program("refused", Program::runs().says(&refused))
            .service(ServiceBuilder::new("calm", "pay:1"))
            .service(ServiceBuilder::new("refused", "pay:1"))
            .build();
        engine.run_for(Duration::from_secs(60));
        let swarm = SimSwarm::of(engine, State::default());
        let client = swarm.client();
        let targets = [target(&client, "calm").await, target(&client, "refused").await];
        Self { client, clock: swarm.clock(), targets, now: Mutex::new(Condition::Working) }
    }
}

async fn target(client: &PortainerClient, name: &str) -> Target {
    let list = client.read(&Read::services(HERE)).await.unwrap().body;
    let services: Vec<serde_json::Value> = read_list("services", &list).unwrap();
    let service = services.iter().find(|s| s["Spec"]["Name"] == name).unwrap();
    let id = service["ID"].as_str().unwrap().parse().unwrap();
    let service = ServiceState::parse(&client.read(&Read::service(HERE, &id)).await.unwrap().body).unwrap();
    let tasks = client.read(&Read::tasks(HERE, &TaskFilter::Of(vec![id]))).await.unwrap().body;
    let target = Target::of(&service, &parse_tasks(&tasks).unwrap()).unwrap();
    assert_eq!(target.tasks.len(), 1, "the scene is set");
    target
}

struct Staged<'a>(&'a Logs, Box<dyn HealthProbe + 'a>);

#[async_trait]
impl Stage for Staged<'_> {
    async fn set(&self, condition: Condition) {
        *self.0.now.lock().unwrap() = condition;
        let denied = || WireFault::Answer(403, r#"{"message":"Access denied to resource"}"#.into());
        self.0.client.on_request(move |_| match condition {
            Condition::Working | Condition::Broken => None,
            Condition::Unreachable => Some(denied()),
            Condition::Silent => Some(WireFault::LoseAnswer),
        });
    }
    fn probe(&self) -> &dyn HealthProbe {
        &*self.1
    }
    fn target(&self) -> Target {
        let broken = *self.0.now.lock().unwrap() == Condition::Broken;
        self.0.targets[usize::from(broken)].clone()
    }
    fn exec(&self) -> &dyn Exec {
        &NoExec
    }
    fn value(&self) -> &str {
        VALUE
    }
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
    fn silence_is_unhealthy(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn the_log_probe_keeps_its_promises() {
    let logs = Logs::new().await;
    let probe = LogProbe::new(&logs.client, HERE, &logs.clock).unwrap();
    health_probe::check(&Staged(&logs, Box::new(probe))).await;
}

#[tokio::test]
async fn a_log_is_judged_through_portainer() {
    let logs = Logs::new().await;
    let probe = LogProbe::new(&logs.client, HERE, &logs.clock).unwrap();
    let baseline = probe.baseline(&logs.targets[0], &NoExec).await.unwrap();
    logs.clock.sleep(Duration::from_secs(5)).await;
    let Health::Unhealthy { reason } = probe.check(&logs.targets[1], &baseline, &NoExec).await else {
        panic!("a refused password is unhealthy")
    };
    assert!(reason.contains("1 line, as PostgreSQL says"), "{reason}");
}

/// Says what it likes, whatever is asked.
struct Liar(Health);

#[async_trait]
impl HealthProbe for Liar {
    fn name(&self) -> &str {
        "liar"
    }
    async fn baseline(&self, _: &Target, _: &dyn Exec) -> swarmsecrets_core::Result<Baseline> {
        Ok(Baseline::none())
    }
    async fn check(&self, _: &Target, _: &Baseline, _: &dyn Exec) -> Health {
        self.0.clone()
    }
}

#[tokio::test]
#[should_panic(expected = "a service that says it is broken is unhealthy")]
async fn a_probe_that_is_always_content_is_found_out() {
    health_probe::check(&Staged(&Logs::new().await, Box::new(Liar(Health::Healthy)))).await;
}

#[tokio::test]
#[should_panic(expected = "no value is shown")]
async fn a_probe_that_shows_a_value_is_found_out() {
    let shows = Liar(Health::unhealthy(["the log says made-up-value", "-of-the-log"].concat()));
    health_probe::check(&Staged(&Logs::new().await, Box::new(shows))).await;
}
