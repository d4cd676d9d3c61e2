//! Worlds in which something is wrong, and the people who make it so.

use std::time::Duration;

use serde_json::{Value, json};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::{RotationRequest, Timing, ValueRecipe};
use swarmsecrets_core::rotation::Report;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::{PortainerRequest, State, WireFault};
use swarmsecrets_testkit::sim::{Program, SecretBuilder, ServiceBuilder, SimEngine};

use super::super::desk::{Desk, NEW, OLD};

pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);
const DOCKER: &str = "/api/endpoints/1/docker";

pub(super) fn service(name: &str) -> ServiceBuilder {
    ServiceBuilder::new(name, "local/app:1").secret("db").restart_delay(Duration::from_secs(1))
}

pub(super) fn one() -> Desk {
    Desk::with(vec![(service("s0"), Program::runs())])
}

pub(super) fn two(second: Program) -> Desk {
    Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), second)])
}

/// What ends as soon as it reads another value than the old one.
pub(super) fn picky() -> Program {
    Program::needs("db", OLD).exit(3)
}

/// Secrets without services.
pub(super) fn secrets(secrets: impl IntoIterator<Item = SecretBuilder>) -> Desk {
    let world = secrets.into_iter().fold(SimEngine::builder(7), |world, secret| world.secret_with(secret));
    Desk::at(SimSwarm::of(world.build(), State::default()))
}

/// `db` and `s0` belong to the account's team, `hidden` to nobody.
pub(super) fn hidden_service() -> Desk {
    Desk::with(vec![(service("s0"), Program::runs()), (service("hidden"), Program::runs())]).scoped(&[])
}

pub(super) fn request(grace: Duration) -> RotationRequest {
    RotationRequest {
        timing: Timing { grace, ..Timing::default() },
        ..RotationRequest::new("db", ValueRecipe::Supplied)
    }
}

pub(super) async fn roll_back(desk: &Desk, id: &RotationId) -> Report {
    desk.executor(&desk.swarm.clock()).rollback(id, "the operator says so").await.unwrap()
}

/// The report on the only rotation that is not over.
pub(super) async fn retire(desk: &Desk) -> Report {
    let mut reports = desk.executor(&desk.swarm.clock()).retire().await.unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

/// A rotation that a full audit trail has stopped before its mutation of this number. There is room again then.
pub(super) async fn stopped_before(desk: &Desk, mutation: usize) -> RotationId {
    desk.trail.stop_after(mutation);
    let report = desk.rotate("db", DAY, NEW).await;
    desk.trail.go_on();
    report.rotation.unwrap()
}

pub(super) fn make_secret(desk: &Desk, name: &str, labels: &Value) {
    let body = json!({"Name": name, "Labels": labels, "Data": "bWFkZS11cA=="});
    admin(desk, "POST", "/secrets/create", &body);
}

pub(super) fn remove(desk: &Desk, what: &str, name: &str) {
    admin(desk, "DELETE", &format!("/{what}/{name}"), &Value::Null);
}

/// A service like `s0` that mounts this version.
pub(super) fn make_service(desk: &Desk, name: &str, version: &str) {
    let mut spec = desk.service("s0")["Spec"].clone();
    spec["Name"] = json!(name);
    refer(desk, &mut spec, version);
    admin(desk, "POST", "/services/create", &spec);
    desk.swarm.engine().run_for(Duration::from_secs(60));
}

/// A person moves a service to another version.
pub(super) fn move_service(desk: &Desk, name: &str, version: &str) {
    desk.edit(name, |spec| refer(desk, spec, version));
    desk.swarm.engine().run_for(Duration::from_secs(60));
}

fn refer(desk: &Desk, spec: &mut Value, version: &str) {
    let secret = &mut spec["TaskTemplate"]["ContainerSpec"]["Secrets"][0];
    secret["SecretID"] = json!(desk.swarm.engine().secret_id(version).unwrap());
    secret["SecretName"] = json!(version);
}

fn admin(desk: &Desk, method: &str, path: &str, body: &Value) {
    let request = PortainerRequest::new(method, &format!("{DOCKER}{path}")).json(body);
    desk.swarm.ask("admin", request).unwrap();
}

/// Portainer says no to requests like these from now on, or to so many of them.
pub(super) fn refuse(desk: &Desk, method: &'static str, path: &'static str, mut skip: u32, mut times: u32) {
    desk.client.on_request(move |view| {
        if view.method.as_str() != method || !view.path.contains(path) || times == 0 {
            return None;
        }
        if skip > 0 {
            skip -= 1;
            return None;
        }
        times -= 1;
        Some(WireFault::Answer(403, r#"{"message":"access denied to resource"}"#.into()))
    });
}
