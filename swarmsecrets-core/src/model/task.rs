//! Tasks, as listed.

use serde::Deserialize;

use super::service_spec::TaskTemplate;
use super::text::{Text, or_default};

/// One task.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task<'a> {
    /// The Engine's id.
    #[serde(borrow, rename = "ID")]
    pub id: Text<'a>,
    /// When it was created.
    #[serde(borrow, default)]
    pub created_at: Text<'a>,
    /// The service that it is a task of; empty for a network attachment.
    #[serde(borrow, rename = "ServiceID", default)]
    pub service: Text<'a>,
    /// Its slot, in a replicated service.
    #[serde(default)]
    pub slot: Option<u64>,
    /// The node that it is on, once it has one.
    #[serde(borrow, rename = "NodeID", default)]
    pub node: Text<'a>,
    /// What Swarm wants of it.
    #[serde(borrow, default)]
    pub desired_state: Text<'a>,
    /// What it does.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: TaskStatus<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    spec: TaskTemplate<'a>,
}

/// What a task does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskStatus<'a> {
    /// The state.
    #[serde(borrow, default)]
    pub state: Text<'a>,
    /// The Engine's words.
    #[serde(borrow, default)]
    pub message: Text<'a>,
    /// Why it failed.
    #[serde(borrow, default)]
    pub err: Text<'a>,
    #[serde(default)]
    container_status: Option<ContainerStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerStatus {
    exit_code: Option<i64>,
}

impl Task<'_> {
    /// The ids and names of the secrets that it mounts.
    pub fn secrets(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.spec.container_spec.secrets.iter().map(|reference| (reference.id.as_str(), reference.name.as_str()))
    }

    /// What its container exited with, as far as Swarm says.
    #[must_use]
    pub fn exit_code(&self) -> Option<i64> {
        self.status.container_status.as_ref().and_then(|status| status.exit_code)
    }

    /// Whether Swarm wants it to run, now or as soon as the task before it in the slot has stopped.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        matches!(self.desired_state.as_str(), "running" | "ready")
    }

    /// Whether it has ended, in one way or another.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        is_terminal(&self.status.state)
    }
}

/// Whether a task in this state never runs again. A state that is not known is taken for one that still runs.
#[must_use]
pub fn is_terminal(state: &str) -> bool {
    matches!(state, "complete" | "shutdown" | "failed" | "rejected" | "remove" | "orphaned")
}
