//! The probe that runs a command, in the containers of a simulated Swarm.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::exec::{ContainerExec, Exec, NoExec};
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::model::{ServiceState, parse_tasks};
use swarmsecrets_core::testing::FreeLeave;
use swarmsecrets_core::transport::{Read, TaskFilter, Transport};
use swarmsecrets_health::CommandProbe;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::conformance::health_probe::{self, Condition, Stage};
use swarmsecrets_testkit::portainer::{PortainerClient, State, WireFault};
use swarmsecrets_testkit::sim::{ServiceBuilder, SimClock, SimEngine};

const HERE: EnvironmentId = EnvironmentId(1);
const VALUE: &str = "made-up-value-of-the-secret";

/// Two services: one has the secret that the command reads, the other has not.
struct Scene {
    swarm: SimSwarm,
    client: PortainerClient,
    clock: SimClock,
    targets: [Target; 2],
}

impl Scene {
    async fn new() -> Self {
        swarmsecrets_testkit::values::record(VALUE.as_bytes());
        let engine = SimEngine::builder(3)
            .secret("db", VALUE.as_bytes())
            .service(ServiceBuilder::new("with", "pay:1").secret("db"))
            .service(ServiceBuilder::new("without", "pay:1"))
            .build();
        engine.run_for(Duration::from_secs(60));
        let mut state = State::default();
        state.add_user("admin", true);
        state.add_user("svc-agent", false);
        let swarm = SimSwarm::of(engine, state);
        let (client, clock) = (swarm.client(), swarm.clock());
        let targets = [target(&client, "with").await, target(&client, "without").await];
        Self { swarm, client, clock, targets }
    }

    fn exec<'a>(&'a self, client: &'a PortainerClient) -> ContainerExec<'a> {
        ContainerExec { transport: client, environment: HERE, clock: &self.clock, leave: &FreeLeave }
    }
}

async fn target(client: &PortainerClient, name: &str) -> Target {
    let tasks = client.read(&Read::tasks(HERE, &TaskFilter::All)).await.unwrap().body;
    let tasks = parse_tasks(&tasks).unwrap();
    for task in &tasks {
        let service = client.read(&Read::service(HERE, &task.service)).await.unwrap().body;
        let service = ServiceState::parse(&service).unwrap();
        if service.name == name {
            return Target::of(&service, &tasks).unwrap();
        }
    }
    panic!("there is no service {name}");
}

fn cat() -> CommandProbe {
    CommandProbe::new(&["cat", "/run/secrets/db"]).unwrap()
}

struct Staged<'a> {
    scene: &'a Scene,
    exec: ContainerExec<'a>,
    probe: CommandProbe,
    now: Mutex<Condition>,
}

#[async_trait]
impl Stage for Staged<'_> {
    async fn set(&self, condition: Condition) {
        *self.now.lock().unwrap() = condition;
        self.scene.client.on_request(move |_| match condition {
            Condition::Working | Condition::Broken => None,
            Condition::Unreachable => Some(WireFault::Answer(403, r#"{"message":"Access denied"}"#.into())),
            Condition::Silent => Some(WireFault::LoseAnswer),
        });
    }
    fn probe(&self) -> &dyn HealthProbe {
        &self.probe
    }
    fn target(&self) -> Target {
        let broken = *self.now.lock().unwrap() == Condition::Broken;
        self.scene.targets[usize::from(broken)].clone()
    }
    fn exec(&self) -> &dyn Exec {
        &self.exec
    }
    fn value(&self) -> &str {
        VALUE
    }
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
    fn silence_is_unhealthy(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn a_command_keeps_its_promises() {
    let scene = Scene::new().await;
    let exec = scene.exec(&scene.client);
    let staged = Staged { scene: &scene, exec, probe: cat(), now: Mutex::new(Condition::Working) };
    health_probe::check(&staged).await;
}

#[tokio::test]
async fn what_cannot_be_run_is_inconclusive() {
    let scene = Scene::new().await;
    let exec = scene.exec(&scene.client);
    let missing = CommandProbe::new(&["pg_isready"]).unwrap();
    let reason = inconclusive(missing.check(&scene.targets[0], &Baseline::none(), &exec).await);
    assert_eq!(reason, "command `pg_isready` could not be run there (exit code 126)");

    let mut elsewhere = scene.targets[0].clone();
    elsewhere.tasks[0].id = "ataskonanothernode".parse().unwrap();
    let reason = inconclusive(cat().check(&elsewhere, &Baseline::none(), &exec).await);
    assert!(reason.contains("this environment reaches those that the account may see, on its own node"), "{reason}");

    elsewhere.tasks.clear();
    let reason = inconclusive(cat().check(&elsewhere, &Baseline::none(), &exec).await);
    assert_eq!(reason, "command `cat`: `with` runs no task");
}

#[tokio::test]
async fn nothing_runs_without_leave_or_without_access() {
    let scene = Scene::new().await;
    let reason = inconclusive(cat().check(&scene.targets[0], &Baseline::none(), &NoExec).await);
    assert!(reason.contains("no command may be run in containers here"), "{reason}");

    let scoped = scene.swarm.client_as("svc-agent").unwrap();
    let error = cat().baseline(&scene.targets[0], &scene.exec(&scoped)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
}

fn inconclusive(health: Health) -> String {
    match health {
        Health::Inconclusive { reason } => reason,
        other => panic!("it cannot be known: {other:?}"),
    }
}
