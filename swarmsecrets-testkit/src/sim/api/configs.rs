//! `/configs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::{Answer, Refused, body, empty, json_with, ok};
use super::stored::{self, check_name, decode, find};
use crate::engine::EngineRequest;
use crate::sim::event::Event;
use crate::sim::service::Stored;
use crate::sim::spec;
use crate::sim::world::World;

/// Largest config that Swarm takes, in bytes.
const MAX_BYTES: usize = 1000 * 1024;

pub(crate) fn list(world: &World, request: &EngineRequest) -> Answer {
    stored::list(&world.configs, request)
}

pub(crate) fn inspect(world: &World, id: &str) -> Answer {
    ok(&find(&world.configs, "config", id)?.to_json())
}

pub(crate) fn create(world: &mut World, request: &EngineRequest) -> Answer {
    let id = store(world, body(request)?)?;
    Ok(json_with(201, &json!({"ID": id})))
}

/// Makes a config. The answer is its id.
pub(crate) fn make(world: &mut World, name: &str, data: &[u8], templating: Option<&str>) -> Result<String, Refused> {
    let mut spec = json!({"Name": name, "Labels": {}, "Data": STANDARD.encode(data)});
    if let Some(templating) = templating {
        spec["Templating"] = json!({"Name": templating});
    }
    store(world, spec)
}

fn store(world: &mut World, mut spec: Value) -> Result<String, Refused> {
    let data = decode(spec::text(&spec["Data"]))?;
    let name = spec::text(&spec["Name"]).to_owned();
    check_name(&name)?;
    if data.is_empty() || data.len() >= MAX_BYTES {
        let why = format!("config data must be larger than 0 and less than {MAX_BYTES} bytes");
        return Err(Refused::invalid(why));
    }
    if world.configs.values().any(|config| config.name() == name) {
        return Err(Refused::rpc("AlreadyExists", format!("config {name} already exists")));
    }
    if spec["Templating"].is_null()
        && let Some(spec) = spec.as_object_mut()
    {
        spec.remove("Templating");
    }
    let id = world.dice.swarm_id();
    let version = world.next_version();
    let (created, updated) = (world.now, world.now);
    world.record(Event::new(created, "config", "create", &id, &name));
    world.configs.insert(id.clone(), Stored { id: id.clone(), version, created, updated, spec });
    Ok(id)
}

pub(crate) fn remove(world: &mut World, id: &str) -> Answer {
    let config = find(&world.configs, "config", id)?.clone();
    stored::refuse_if_used(world, "config", &config, spec::configs)?;
    world.configs.remove(&config.id);
    world.record(Event::new(world.now, "config", "remove", &config.id, config.name()));
    empty(204)
}
