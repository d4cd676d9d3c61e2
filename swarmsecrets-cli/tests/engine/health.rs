//! The probes that go through Portainer: on a real log, and in a real container.

use std::time::Duration;

use swarmsecrets_core::exec::{ContainerExec, NoExec};
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, LogProbe, Target};
use swarmsecrets_core::ids::{EnvironmentId, ServiceId};
use swarmsecrets_core::model::{ServiceState, parse_tasks};
use swarmsecrets_core::testing::FreeLeave;
use swarmsecrets_core::transport::{Read, TaskFilter, Transport};
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_health::CommandProbe;
use swarmsecrets_host::SystemClock;
use swarmsecrets_portainer::PortainerTransport;

use crate::scene::{Scene, Service};
use crate::{docker, place};

fn here() -> EnvironmentId {
    EnvironmentId(place::endpoint().parse().unwrap())
}

fn portainer(key: String) -> PortainerTransport {
    let key = SecretValue::credential(key.into_bytes());
    PortainerTransport::builder(&place::url()).api_key(key).no_proxy().build().unwrap()
}

async fn target(portainer: &PortainerTransport, service: &str) -> Target {
    let id: ServiceId = docker::service(service)["ID"].as_str().unwrap().parse().unwrap();
    let tasks = portainer.read(&Read::tasks(here(), &TaskFilter::Of(vec![id.clone()]))).await.unwrap().body;
    let service = ServiceState::parse(&portainer.read(&Read::service(here(), &id)).await.unwrap().body).unwrap();
    let target = Target::of(&service, &parse_tasks(&tasks).unwrap()).unwrap();
    assert_eq!(target.tasks.len(), 1);
    target
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_refused_password_is_found_in_a_real_log() {
    let scene = Scene::new("healthlog");
    let value = scene.value("tried");
    docker::create_secret(&scene.own("pw"), &value);
    let calm = scene.plain_service("calm", &scene.own("pw"));
    let first =
        "echo \"FATAL: password authentication failed for user app with $(cat /run/secrets/pw)\" >&2; echo said";
    let secret = &scene.own("pw");
    let refused = scene.serve(&Service { name: "refused", secret, target: "pw", replicas: 1, flags: &[], first });
    docker::wait_until("the log has its line", || docker::docker(&["service", "logs", &refused]).contains("said"));
    run(async {
        let (admin, clock) = (portainer(place::admin_key()), SystemClock::default());
        let (calm, refused) = (target(&admin, &calm).await, target(&admin, &refused).await);
        let probe = LogProbe::new(&admin, here(), &clock).unwrap();
        let baseline = probe.baseline(&calm, &NoExec).await.unwrap();
        assert_eq!(probe.check(&calm, &baseline, &NoExec).await, Health::Healthy);
        let health = probe.check(&refused, &baseline, &NoExec).await;
        let found = matches!(&health, Health::Unhealthy { reason } if reason.contains("1 line, as PostgreSQL says"));
        assert!(found && !format!("{health:?}").contains(&value), "it is found, and the value is not shown");

        let agent = portainer(place::agent_key());
        let probe = LogProbe::new(&agent, here(), &clock).unwrap();
        assert_eq!(probe.baseline(&calm, &NoExec).await.unwrap_err().kind(), ErrorKind::Forbidden);
        assert!(matches!(probe.check(&refused, &baseline, &NoExec).await, Health::Inconclusive { .. }));
    });
}

#[test]
fn a_command_is_run_in_a_real_container() {
    let scene = Scene::new("healthexec");
    docker::create_secret(&scene.own("pw"), &scene.value("mounted"));
    let service = scene.plain_service("pay", &scene.own("pw"));
    run(async {
        let (admin, clock) = (portainer(place::admin_key()), SystemClock::default());
        let target = target(&admin, &service).await;
        let exec = ContainerExec { transport: &admin, environment: here(), clock: &clock, leave: &FreeLeave };
        let ask = async |words: &[&str], deadline: u64| {
            let probe = CommandProbe::new(words).unwrap().deadline(Duration::from_secs(deadline));
            probe.check(&target, &Baseline::none(), &exec).await
        };
        assert_eq!(ask(&["sh", "-c", "sleep 0.3; test -s /run/secrets/pw"], 30).await, Health::Healthy);
        assert_eq!(ask(&["sh", "-c", "exit 3"], 30).await, Health::unhealthy("command `sh` exits with 3"));
        for (words, deadline) in [(&["no-such-program"][..], 30), (&["sleep", "5"], 1)] {
            let health = ask(words, deadline).await;
            assert!(matches!(health, Health::Inconclusive { .. }), "{words:?}: {health:?}");
        }

        let agent = portainer(place::agent_key());
        let exec = ContainerExec { transport: &agent, environment: here(), clock: &clock, leave: &FreeLeave };
        let health = CommandProbe::new(&["true"]).unwrap().check(&target, &Baseline::none(), &exec).await;
        assert!(matches!(health, Health::Inconclusive { .. }), "{health:?}");
    });
}
