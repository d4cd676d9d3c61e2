//! Building worlds.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::api;
use super::clock::default_base;
use super::engine::SimEngine;
use super::node::NodeBuilder;
use super::program::Program;
use super::world::World;

/// A secret to be put into a world. It is never printed: it holds the value.
pub struct SecretBuilder {
    name: String,
    value: Vec<u8>,
    spec: Map<String, Value>,
    labels: Map<String, Value>,
    age: Duration,
}

impl SecretBuilder {
    /// A secret without labels, made at the moment when the world begins.
    #[must_use]
    pub fn new(name: &str, value: &[u8]) -> Self {
        Self { name: name.into(), value: value.to_vec(), spec: Map::new(), labels: Map::new(), age: Duration::ZERO }
    }

    /// The same secret with one more label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.into(), json!(value));
        self
    }

    /// The same secret, made this long before the world begins.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// The same secret, whose value comes from a driver.
    #[must_use]
    pub fn driver(mut self, name: &str) -> Self {
        self.spec.insert("Driver".into(), json!({"Name": name}));
        self
    }

    /// The same secret, whose value is a template.
    #[must_use]
    pub fn templating(mut self, name: &str) -> Self {
        self.spec.insert("Templating".into(), json!({"Name": name}));
        self
    }
}

/// A service to be put into a world.
#[derive(Clone, Debug)]
pub struct ServiceBuilder {
    spec: Value,
    secrets: Vec<(String, Value)>,
    configs: Vec<(String, Value)>,
}

impl ServiceBuilder {
    /// A service of one task.
    #[must_use]
    pub fn new(name: &str, image: &str) -> Self {
        let spec = json!({
            "Name": name,
            "Labels": {},
            "TaskTemplate": {"ContainerSpec": {"Image": image}},
            "Mode": {"Replicated": {"Replicas": 1}},
            "EndpointSpec": {"Mode": "dnsrr"},
        });
        Self { spec, secrets: Vec::new(), configs: Vec::new() }
    }

    /// The same service with this many tasks.
    #[must_use]
    pub fn replicas(self, count: u64) -> Self {
        self.with("/Mode", json!({"Replicated": {"Replicas": count}}))
    }

    /// The same service with one task on each node.
    #[must_use]
    pub fn global(self) -> Self {
        self.with("/Mode", json!({"Global": {}}))
    }

    /// The same service as a job that runs `total` times, `concurrent` at once.
    #[must_use]
    pub fn job(self, concurrent: u64, total: u64) -> Self {
        self.with("/Mode", json!({"ReplicatedJob": {"MaxConcurrent": concurrent, "TotalCompletions": total}}))
    }

    /// The same service with a secret under `/run/secrets/<name>`.
    #[must_use]
    pub fn secret(self, name: &str) -> Self {
        self.secret_at(name, name)
    }

    /// The same service with a secret under another target.
    #[must_use]
    pub fn secret_at(self, name: &str, target: &str) -> Self {
        self.secret_as(name, target, "0", "0", 0o444)
    }

    /// The same service with a secret under another target, with owner, group and mode.
    #[must_use]
    pub fn secret_as(mut self, name: &str, target: &str, uid: &str, gid: &str, mode: u32) -> Self {
        self.secrets.push((name.into(), json!({"Name": target, "UID": uid, "GID": gid, "Mode": mode})));
        self
    }

    /// The same service with a config at a path.
    #[must_use]
    pub fn config(mut self, name: &str, path: &str) -> Self {
        self.configs.push((name.into(), json!({"Name": path, "UID": "0", "GID": "0", "Mode": 0o444})));
        self
    }

    /// The same service with an environment variable, as `KEY=value`.
    #[must_use]
    pub fn env(mut self, variable: &str) -> Self {
        push(&mut self.spec["TaskTemplate"]["ContainerSpec"]["Env"], json!(variable));
        self
    }

    /// The same service with one more label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.spec["Labels"][key] = json!(value);
        self
    }

    /// The same service, placed by a constraint such as `node.role == manager`.
    #[must_use]
    pub fn constraint(mut self, constraint: &str) -> Self {
        push(&mut self.spec["TaskTemplate"]["Placement"]["Constraints"], json!(constraint));
        self
    }

    /// The same service with an `UpdateConfig`.
    #[must_use]
    pub fn update_config(self, config: Value) -> Self {
        self.with("/UpdateConfig", config)
    }

    /// The same service with a health check that runs every `interval` and may fail `retries` times.
    #[must_use]
    pub fn health(self, interval: Duration, retries: u32) -> Self {
        let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let check = json!({"Test": ["CMD-SHELL", "true"], "Interval": nanos, "Retries": retries});
        self.with("/TaskTemplate/ContainerSpec/Healthcheck", check)
    }

    /// The same service, whose tasks are replaced this long after they ended.
    #[must_use]
    pub fn restart_delay(self, delay: Duration) -> Self {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        self.with("/TaskTemplate/RestartPolicy", json!({"Condition": "any", "Delay": nanos}))
    }

    /// The same service with something else at a place of its spec (a JSON pointer such as `/TaskTemplate/Networks`).
    /// Objects on the way are made.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        let mut place = &mut self.spec;
        for key in pointer.split('/').filter(|key| !key.is_empty()) {
            place = &mut place[key];
        }
        *place = value;
        self
    }
}

fn push(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(items) => items.push(item),
        None => *list = json!([item]),
    }
}

/// A world in the making. What contradicts itself, such as a service with a secret that is not there, makes it panic:
/// that is a mistake in the test.
pub struct WorldBuilder {
    world: World,
}

impl WorldBuilder {
    pub(crate) fn new(seed: u64) -> Self {
        Self { world: World::new(seed, default_base()) }
    }

    /// The same world, beginning at another moment. Say this first.
    #[must_use]
    pub fn starting_at(mut self, base: Timestamp) -> Self {
        self.world.base = base;
        self.world.now = base;
        for node in self.world.nodes.values_mut() {
            node.created = base;
        }
        self
    }

    /// The same world with one more node, besides the manager that is always there.
    #[must_use]
    pub fn node(mut self, node: NodeBuilder) -> Self {
        self.world.add_node(node);
        self
    }

    /// The same world with a secret without labels.
    #[must_use]
    pub fn secret(self, name: &str, value: &[u8]) -> Self {
        self.secret_with(SecretBuilder::new(name, value))
    }

    /// The same world with a secret.
    #[must_use]
    pub fn secret_with(mut self, secret: SecretBuilder) -> Self {
        let SecretBuilder { name, value, spec, labels, age } = secret;
        let made = api::create_secret(&mut self.world, &name, Value::Object(labels), value, &spec);
        let id = must(&format!("secret {name}"), made);
        let created = self.world.now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        if let Some(secret) = self.world.secrets.get_mut(&id) {
            secret.created = created;
            secret.updated = created;
        }
        self
    }

    /// The same world with a config; `templating` is `golang` or nothing.
    #[must_use]
    pub fn config(mut self, name: &str, data: &[u8], templating: Option<&str>) -> Self {
        let made = api::create_config(&mut self.world, name, data, templating);
        must(&format!("config {name}"), made);
        self
    }

    /// The same world, in which the containers of a service or an image do this.
    #[must_use]
    pub fn program(mut self, service_or_image: &str, program: Program) -> Self {
        self.world.set_program(service_or_image, program);
        self
    }

    /// The same world with a service. Its secrets and configs must be there.
    #[must_use]
    pub fn service(mut self, service: ServiceBuilder) -> Self {
        let ServiceBuilder { mut spec, secrets, configs } = service;
        for (name, file) in secrets {
            let id = self.world.secrets.values().find(|one| one.name() == name).map(|one| one.id.clone());
            let reference = json!({"SecretID": id.unwrap_or_default(), "SecretName": name, "File": file});
            push(&mut spec["TaskTemplate"]["ContainerSpec"]["Secrets"], reference);
        }
        for (name, file) in configs {
            let id = self.world.configs.values().find(|one| one.name() == name).map(|one| one.id.clone());
            let reference = json!({"ConfigID": id.unwrap_or_default(), "ConfigName": name, "File": file});
            push(&mut spec["TaskTemplate"]["ContainerSpec"]["Configs"], reference);
        }
        let what = format!("service {}", spec["Name"]);
        must(&what, api::create_service(&mut self.world, spec));
        self
    }

    /// The world.
    #[must_use]
    pub fn build(self) -> SimEngine {
        SimEngine::of(self.world)
    }
}

#[allow(clippy::panic)] // a world that contradicts itself is a mistake in the test that builds it
fn must(what: &str, made: Result<String, api::Refused>) -> String {
    match made {
        Ok(id) => id,
        Err(refused) => panic!("{what} cannot be put into the world: {}", refused.message),
    }
}
