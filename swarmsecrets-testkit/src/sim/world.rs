//! Everything that a simulated Swarm is, at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::agenda::{Agenda, Due};
use super::clock::after;
use super::command::Command;
use super::dice::Dice;
use super::event::Event;
use super::node::{Node, NodeBuilder};
use super::orchestrator::Rollout;
use super::program::{Program, Stored as StoredProgram};
use super::service::{Service, Stored};
use super::swarm_spec::SwarmSpec;
use super::task::Task;
use super::vault::Vault;

/// A world. It is plain data: all that it will do by itself stands on its agenda.
#[derive(Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) base: Timestamp,
    pub(crate) now: Timestamp,
    /// The version that the last write gave.
    pub(crate) index: u64,
    pub(crate) cluster: String,
    /// What the Swarm was told to be.
    #[serde(default)]
    pub(crate) swarm: SwarmSpec,
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) secrets: BTreeMap<String, Stored>,
    pub(crate) configs: BTreeMap<String, Stored>,
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) tasks: BTreeMap<String, Task>,
    /// Ids of networks by name.
    pub(crate) networks: BTreeMap<String, String>,
    pub(crate) events: Vec<Event>,
    pub(crate) agenda: Agenda,
    pub(crate) rollouts: BTreeMap<String, Rollout>,
    /// Tasks that are ready and wait for their start, by id.
    pub(crate) starts: BTreeMap<String, DelayedStart>,
    /// What containers do, by service name or by image.
    pub(crate) programs: BTreeMap<String, StoredProgram>,
    pub(crate) vault: Vault,
    /// The commands that were run in containers, by id; what they are asked for is not saved.
    #[serde(skip)]
    pub(crate) execs: BTreeMap<String, super::api::Exec>,
    /// What programs do that are run in containers, by their names.
    #[serde(skip)]
    pub(crate) commands: BTreeMap<String, Command>,
    /// The programs that could not log in, since somebody last took these away.
    #[serde(skip)]
    pub(crate) lockouts: Vec<Lockout>,
}

/// A program that ended as it could not log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lockout {
    /// The id of its service.
    pub(crate) service: String,
    /// Where it mounts what it tried.
    pub(crate) target: String,
    /// The id of the version with which it tried; empty if it had none.
    pub(crate) version: String,
}

/// What a task waits for before it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DelayedStart {
    pub(crate) not_before: Timestamp,
    /// A task that has to stop first.
    pub(crate) after: Option<String>,
}

impl World {
    /// A Swarm of one manager, with nothing in it.
    pub(crate) fn new(seed: u64, base: Timestamp) -> Self {
        let mut dice = Dice::new(seed);
        let cluster = dice.swarm_id();
        let mut world = Self {
            dice,
            base,
            now: base,
            index: 10,
            cluster,
            swarm: SwarmSpec::default(),
            nodes: BTreeMap::new(),
            secrets: BTreeMap::new(),
            configs: BTreeMap::new(),
            services: BTreeMap::new(),
            tasks: BTreeMap::new(),
            networks: BTreeMap::new(),
            events: Vec::new(),
            agenda: Agenda::default(),
            rollouts: BTreeMap::new(),
            starts: BTreeMap::new(),
            programs: BTreeMap::new(),
            vault: Vault::new(),
            execs: BTreeMap::new(),
            commands: BTreeMap::new(),
            lockouts: Vec::new(),
        };
        world.add_node(NodeBuilder::manager("node-1"));
        world
    }

    /// The version for one more write.
    pub(crate) fn next_version(&mut self) -> u64 {
        self.index += 1;
        self.index
    }

    /// Puts something on the agenda.
    pub(crate) fn later(&mut self, delay: Duration, due: Due) {
        self.agenda.put(after(self.now, delay), due);
    }

    /// Lets everything happen that is due until `now`.
    pub(crate) fn run_until(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.agenda.take(now) {
            self.now = self.now.max(at);
            self.happen(due);
        }
        self.now = self.now.max(now);
    }

    pub(crate) fn add_node(&mut self, node: NodeBuilder) {
        let id = self.dice.swarm_id();
        let version = self.next_version();
        let number = self.nodes.len() + 1;
        let leader = node.manager && !self.nodes.values().any(|node| node.leader);
        let node = Node {
            id: id.clone(),
            version,
            created: self.now,
            hostname: node.hostname,
            manager: node.manager,
            leader,
            os: node.os,
            labels: node.labels,
            address: format!("10.0.0.{number}"),
        };
        self.nodes.insert(id, node);
    }

    pub(crate) fn set_program(&mut self, whose: &str, program: Program) {
        let program = program.stored(&self.vault);
        self.programs.insert(whose.to_owned(), program);
    }

    pub(crate) fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Writes to a task: its version and its time move.
    pub(crate) fn write_task(&mut self, id: &str, change: impl FnOnce(&mut Task)) {
        let now = self.now;
        if self.tasks.contains_key(id) {
            let version = self.next_version();
            if let Some(task) = self.tasks.get_mut(id) {
                change(task);
                task.version = version;
                task.updated = now;
            }
        }
    }

    /// Writes to a service: its version and its time move, and the event stream tells of it.
    pub(crate) fn write_service(&mut self, id: &str, change: impl FnOnce(&mut Service)) {
        let now = self.now;
        let Some(before) = self.services.get(id).cloned() else { return };
        let version = self.next_version();
        let Some(service) = self.services.get_mut(id) else { return };
        change(service);
        service.version = version;
        service.updated = now;
        let event = service_update_event(&before, service);
        self.record(event);
    }
}

fn service_update_event(before: &Service, now: &Service) -> Event {
    let mut event = Event::new(now.updated, "service", "update", &now.id, now.name());
    let replicas = |service: &Service| service.current.spec["Mode"]["Replicated"]["Replicas"].as_u64();
    if let (Some(old), Some(new)) = (replicas(before), replicas(now))
        && old != new
    {
        event = event.with("replicas.old", old.to_string()).with("replicas.new", new.to_string());
    }
    let image = |service: &Service| service.current.spec["TaskTemplate"]["ContainerSpec"]["Image"].clone();
    if image(before) != image(now) {
        event = event.with("image.old", image(before)).with("image.new", image(now));
    }
    let state = |service: &Service| service.update.as_ref().map(|update| update.state);
    if let Some(new) = state(now)
        && state(before) != Some(new)
    {
        event = event.with("updatestate.new", new.name());
        if let Some(old) = state(before) {
            event = event.with("updatestate.old", old.name());
        }
    }
    event
}
