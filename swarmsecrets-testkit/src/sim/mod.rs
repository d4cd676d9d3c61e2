//! A simulated Docker Engine 20.10 in swarm mode: in memory, deterministic by seed, in virtual time.
//!
//! [`SimEngine`] answers the Engine's API as the recordings in `fixtures/portainer` do, without Portainer's rules. Its
//! world is a list of what is due and when; before each answer it is run up to the present moment of the [`SimClock`].
//! What a container does is told by the test as a [`Program`]. [`FaultyEngine`] stands before any Engine and loses,
//! delays or replaces answers.
//!
//! What is absent: nodes that fail, networks (a stack's default network has an id, a name and nothing else), volumes, images,
//! and the timeout after which Swarm stops waiting for an old task.

mod agenda;
mod api;
mod builder;
mod clock;
mod command;
mod dice;
mod engine;
mod event;
mod fault;
mod node;
mod orchestrator;
mod program;
mod saved;
mod service;
mod spec;
mod stack;
mod swarm_spec;
mod task;
mod vault;
mod world;

pub(crate) use dice::Dice;
pub(crate) use spec::Mode;
pub(crate) use task::{State as TaskState, Task};
pub(crate) use world::{Lockout, World};

// The public interface is:
pub use builder::{SecretBuilder, ServiceBuilder, WorldBuilder};
pub use clock::SimClock;
pub use command::Called;
pub use engine::SimEngine;
pub use fault::{Fault, FaultyEngine, NO_ANSWER};
pub use node::NodeBuilder;
pub use program::Program;

/// The references of a service's spec to secrets: target and id.
pub(crate) fn secret_references(service_spec: &serde_json::Value) -> Vec<(String, String)> {
    task_references(&service_spec["TaskTemplate"])
}

/// The references of a task's spec to secrets: target and id.
pub(crate) fn task_references(task_spec: &serde_json::Value) -> Vec<(String, String)> {
    spec::secrets(task_spec).into_iter().map(|one| (one.target.unwrap_or_default(), one.id)).collect()
}

/// The ids of the secrets that a task's spec mounts.
pub(crate) fn task_secrets(task_spec: &serde_json::Value) -> Vec<String> {
    spec::secrets(task_spec).into_iter().map(|one| one.id).collect()
}
