//! What `docker stack deploy` and `docker stack rm` do.

mod compose;
mod convert;
mod variables;

use serde_json::Value;

use self::compose::Compose;
use super::api;
use super::world::World;
use crate::engine::StackDeployment;

const NAMESPACE: &str = "com.docker.stack.namespace";

/// Creates or updates the services of a stack. Nothing is deployed if one of them cannot be.
pub(crate) fn deploy(world: &mut World, stack: &StackDeployment) -> Result<(), String> {
    let compose = Compose::read(&stack.file, &stack.variables).map_err(line)?;
    compose.refuse_files(&stack.name).map_err(line)?;
    let network = format!("{}_default", stack.name);
    if !world.networks.contains_key(&network) {
        let id = world.dice.swarm_id();
        world.networks.insert(network, id);
    }
    let mut specs = Vec::new();
    for (name, service) in &compose.services {
        let spec = convert::spec(world, &stack.name, name, service, &compose);
        specs.push(spec.map_err(|why| line(format!("service {name}: {why}")))?);
    }
    if stack.prune {
        prune(world, &stack.name, &specs);
    }
    specs.into_iter().try_for_each(|spec| apply(world, spec).map_err(line))
}

fn apply(world: &mut World, mut spec: Value) -> Result<(), String> {
    let name = super::spec::text(&spec["Name"]).to_owned();
    let there = world.services.values().find(|service| service.name() == name).cloned();
    let (what, done) = match there {
        Some(service) => {
            let force = &service.current.spec["TaskTemplate"]["ForceUpdate"];
            spec["TaskTemplate"]["ForceUpdate"] = force.clone();
            ("update", api::replace_service(world, &service.id, service.version, spec))
        }
        None => ("create", api::create_service(world, spec).map(drop)),
    };
    done.map_err(|refused| format!("failed to {what} service {name}: Error response from daemon: {}", refused.message))
}

fn prune(world: &mut World, stack: &str, specs: &[Value]) {
    for (id, name) in services_of(world, stack) {
        if !specs.iter().any(|spec| spec["Name"] == name) {
            api::remove_service(world, &id);
        }
    }
}

/// Removes all services of a stack, and its network.
pub(crate) fn undeploy(world: &mut World, stack: &str) {
    for (id, _) in services_of(world, stack) {
        api::remove_service(world, &id);
    }
    world.networks.remove(&format!("{stack}_default"));
}

fn services_of(world: &World, stack: &str) -> Vec<(String, String)> {
    let services = world.services.values();
    let of_stack = services.filter(|service| service.current.spec["Labels"][NAMESPACE] == stack);
    of_stack.map(|service| (service.id.clone(), service.name().to_owned())).collect()
}

/// The command prints its error with a line break.
fn line(text: impl Into<String>) -> String {
    let mut text = text.into();
    text.push('\n');
    text
}
