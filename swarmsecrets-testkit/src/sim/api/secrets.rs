//! `/secrets`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::secret::MAX_VALUE_BYTES;

use super::answer::{Answer, Refused, body, empty, json_with, ok, parameter};
use super::stored::{self, check_name, decode, find};
use crate::engine::EngineRequest;
use crate::sim::event::Event;
use crate::sim::service::Stored;
use crate::sim::spec;
use crate::sim::world::World;

/// A secret's spec as it is sent. It is never printed: it holds the value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    labels: Value,
    data: Option<String>,
    driver: Option<Value>,
    templating: Option<Value>,
}

pub(crate) fn list(world: &World, request: &EngineRequest) -> Answer {
    stored::list(&world.secrets, request)
}

pub(crate) fn inspect(world: &World, id: &str) -> Answer {
    ok(&find(&world.secrets, "secret", id)?.to_json())
}

pub(crate) fn create(world: &mut World, request: &EngineRequest) -> Answer {
    let sent: Sent = body(request)?;
    let data = decode(sent.data.as_deref().unwrap_or_default())?;
    let id = store(world, sent, data)?;
    Ok(json_with(201, &json!({"ID": id})))
}

/// Makes a secret. The answer is its id. `extra` holds `Driver` and `Templating`, if there are any.
pub(crate) fn make(
    world: &mut World,
    name: &str,
    labels: Value,
    data: Vec<u8>,
    extra: &Map<String, Value>,
) -> Result<String, Refused> {
    let (driver, templating) = (extra.get("Driver").cloned(), extra.get("Templating").cloned());
    store(world, Sent { name: name.into(), labels, data: None, driver, templating }, data)
}

fn store(world: &mut World, sent: Sent, data: Vec<u8>) -> Result<String, Refused> {
    check_name(&sent.name)?;
    let driven = sent.driver.as_ref().is_some_and(|driver| !driver.is_null());
    if driven && spec::text(&sent.driver.as_ref().unwrap_or(&Value::Null)["Name"]).is_empty() {
        return Err(Refused::invalid("secret driver must have a name"));
    }
    if !driven && (data.is_empty() || data.len() > MAX_VALUE_BYTES) {
        return Err(Refused::invalid("secret data must be larger than 0 and less than 512000 bytes"));
    }
    if world.secrets.values().any(|secret| secret.name() == sent.name) {
        return Err(Refused::rpc("AlreadyExists", format!("secret {} already exists", sent.name)));
    }
    let id = world.dice.swarm_id();
    let mut spec = json!({"Name": sent.name, "Labels": sent.labels});
    for (key, value) in [("Driver", sent.driver), ("Templating", sent.templating)] {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            spec[key] = value;
        }
    }
    let version = world.next_version();
    let (created, updated) = (world.now, world.now);
    world.record(Event::new(created, "secret", "create", &id, &sent.name));
    world.secrets.insert(id.clone(), Stored { id: id.clone(), version, created, updated, spec });
    world.vault.put(&id, SecretValue::credential(data));
    Ok(id)
}

pub(crate) fn update(world: &mut World, id: &str, request: &EngineRequest) -> Answer {
    let sent: Sent = body(request)?;
    let data = sent.data.as_deref().map(decode).transpose()?;
    let version: u64 = parameter(request, "version")
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Refused::new(400, "invalid secret version"))?;
    let Some(secret) = world.secrets.get(id) else {
        return Err(Refused::rpc("NotFound", format!("secret {id} not found")));
    };
    let same_data = data.is_none_or(|data| data.is_empty() || world.vault.reads(id, &world.vault.fingerprint(&data)));
    if secret.name() != sent.name || !same_data {
        return Err(Refused::invalid("only updates to Labels are allowed"));
    }
    if secret.version != version {
        return Err(Refused::out_of_sequence());
    }
    let (version, now) = (world.next_version(), world.now);
    if let Some(secret) = world.secrets.get_mut(id) {
        secret.spec["Labels"] = sent.labels;
        secret.version = version;
        secret.updated = now;
    }
    world.record(Event::new(now, "secret", "update", id, &sent.name));
    empty(200)
}

pub(crate) fn remove(world: &mut World, id: &str) -> Answer {
    let secret = find(&world.secrets, "secret", id)?.clone();
    stored::refuse_if_used(world, "secret", &secret, spec::secrets)?;
    world.secrets.remove(&secret.id);
    world.vault.forget(&secret.id);
    world.record(Event::new(world.now, "secret", "remove", &secret.id, secret.name()));
    empty(204)
}
