//! The Engine's API: paths to answers.

mod answer;
mod configs;
mod containers;
mod events;
mod filters;
mod logs;
mod secrets;
mod services;
mod stored;
mod system;
mod tasks;

pub(crate) use answer::Refused;
pub(crate) use configs::make as create_config;
pub(crate) use containers::Exec;
pub(crate) use secrets::make as create_secret;
pub(crate) use services::{create as create_service, remove as remove_service, replace as replace_service};

use self::answer::{Answer, not_found_page};
use crate::engine::{EngineRequest, EngineResponse};
use crate::sim::world::World;

/// Answers a request.
pub(crate) fn answer(world: &mut World, request: &EngineRequest) -> EngineResponse {
    route(world, request).unwrap_or_else(Refused::into_response)
}

fn route(world: &mut World, request: &EngineRequest) -> Answer {
    let path = unversioned(&request.path);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["version"]) => system::version(),
        ("GET" | "HEAD", ["_ping"]) => system::ping(),
        ("GET", ["info"]) => system::info(world),
        ("GET", ["swarm"]) => system::swarm(world),
        ("POST", ["swarm", "update"]) => system::update_swarm(world, request),
        ("GET", ["nodes"]) => system::nodes(world),
        ("GET", ["nodes", id]) => system::node(world, id),
        ("GET", ["networks"]) => system::networks(world),
        ("GET", ["events"]) => events::list(world, request),
        ("GET", ["secrets"]) => secrets::list(world, request),
        ("POST", ["secrets", "create"]) => secrets::create(world, request),
        ("GET", ["secrets", id]) => secrets::inspect(world, id),
        ("DELETE", ["secrets", id]) => secrets::remove(world, id),
        ("POST", ["secrets", id, "update"]) => secrets::update(world, id, request),
        ("GET", ["configs"]) => configs::list(world, request),
        ("POST", ["configs", "create"]) => configs::create(world, request),
        ("GET", ["configs", id]) => configs::inspect(world, id),
        ("DELETE", ["configs", id]) => configs::remove(world, id),
        ("GET", ["services"]) => services::list(world, request),
        ("POST", ["services", "create"]) => services::create_from(world, request),
        ("GET", ["services", id]) => services::inspect(world, id),
        ("DELETE", ["services", id]) => services::delete(world, id),
        ("POST", ["services", id, "update"]) => services::update(world, id, request),
        ("GET", ["services", id, "logs"]) => logs::of_service(world, id, request),
        ("GET", ["tasks"]) => tasks::list(world, request),
        ("GET", ["tasks", id]) => tasks::inspect(world, id),
        ("GET", ["tasks", id, "logs"]) => logs::of_task(world, id, request),
        ("GET", ["containers", "json"]) => containers::list(world, request),
        ("POST", ["containers", id, "exec"]) => containers::create_exec(world, id, request),
        ("POST", ["exec", id, "start"]) => containers::start_exec(world, id),
        ("GET", ["exec", id, "json"]) => containers::inspect_exec(world, id),
        _ => Err(not_found_page()),
    }
}

/// The path without a leading `/v1.NN`.
fn unversioned(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/v1.") else { return path };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.starts_with('/') { rest } else { path }
}

#[cfg(test)]
mod tests {
    use super::unversioned;

    #[test]
    fn a_version_in_the_path_changes_nothing() {
        assert_eq!(unversioned("/v1.41/secrets"), "/secrets");
        assert_eq!(unversioned("/secrets/v1.41"), "/secrets/v1.41");
        assert_eq!(unversioned("/v1.x/secrets"), "/v1.x/secrets");
    }
}
