//! Facts of a service that the usage graph, the plans and the verdicts share.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A reference to a secret in a service's spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretReference {
    /// `SecretID`.
    pub id: String,
    /// `SecretName`.
    pub name: String,
    /// `File.Name`.
    pub target: String,
    /// `File.UID`.
    pub uid: String,
    /// `File.GID`.
    pub gid: String,
    /// `File.Mode`.
    pub mode: u32,
}

impl SecretReference {
    /// Where the version before is mounted beside the one at a target, while commands in the container need both.
    #[must_use]
    pub fn beside(target: &str) -> String {
        format!("{target}.previous")
    }
}

/// How many tasks a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceMode {
    /// So many.
    Replicated(u64),
    /// One on each node that fits.
    Global,
    /// A job: every update runs it again.
    ReplicatedJob,
    /// A job on each node.
    GlobalJob,
}

/// A service's `UpdateConfig`, with the Engine's defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateConfig {
    /// Tasks at a time; 0 is all at once.
    pub parallelism: u64,
    /// Between batches, in nanoseconds.
    pub delay: u64,
    /// How long a new task is watched, in nanoseconds.
    pub monitor: u64,
    /// What Swarm does when new tasks fail.
    pub failure_action: FailureAction,
    /// Whether a new task starts before the old one stops.
    pub start_first: bool,
}

/// What Swarm does when an update fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureAction {
    /// Stops and waits.
    Pause,
    /// Goes on.
    Continue,
    /// Goes back to the previous spec.
    Rollback,
}

/// A service's `UpdateStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateStatus {
    /// `updating`, `paused`, `completed`, `rollback_started`, `rollback_paused`, `rollback_completed`, or newer ones.
    pub state: String,
    /// When that update began; tells one update from another.
    pub started_at: Option<Timestamp>,
    /// The Engine's words.
    pub message: String,
}

impl Default for UpdateConfig {
    /// What the Engine does for a service that says nothing.
    fn default() -> Self {
        Self {
            parallelism: 1,
            delay: 0,
            monitor: 5_000_000_000,
            failure_action: FailureAction::Pause,
            start_first: false,
        }
    }
}
