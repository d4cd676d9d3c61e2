//! The services, secrets and configs of a simulated Swarm.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::spec::{self, Mode};
use super::task::iteration_json;

/// What a rollout has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UpdateState {
    Updating,
    Paused,
    Completed,
    RollbackStarted,
    RollbackPaused,
    RollbackCompleted,
}

impl UpdateState {
    /// The name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Updating => "updating",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::RollbackStarted => "rollback_started",
            Self::RollbackPaused => "rollback_paused",
            Self::RollbackCompleted => "rollback_completed",
        }
    }

    /// Whether the rollout stands still until somebody updates the service.
    pub(crate) fn is_paused(self) -> bool {
        matches!(self, Self::Paused | Self::RollbackPaused)
    }

    /// Whether the rollout goes on.
    pub(crate) fn is_moving(self) -> bool {
        matches!(self, Self::Updating | Self::RollbackStarted)
    }
}

/// The state of a service's last rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UpdateStatus {
    pub(crate) state: UpdateState,
    pub(crate) started: Timestamp,
    pub(crate) completed: Option<Timestamp>,
    pub(crate) message: String,
}

impl UpdateStatus {
    fn to_json(&self) -> Value {
        let mut status =
            json!({"State": self.state.name(), "StartedAt": self.started.to_string(), "Message": self.message});
        if let Some(completed) = self.completed {
            status["CompletedAt"] = json!(completed.to_string());
        }
        status
    }
}

/// The runs of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobStatus {
    pub(crate) iteration: u64,
    pub(crate) last_execution: Timestamp,
}

/// A spec and the number by which tasks remember it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Specified {
    pub(crate) spec: Value,
    pub(crate) version: u64,
}

/// How often a slot was restarted with one spec.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Restarts {
    pub(crate) spec_version: u64,
    pub(crate) count: u64,
}

/// One service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) current: Specified,
    pub(crate) previous: Option<Specified>,
    pub(crate) update: Option<UpdateStatus>,
    pub(crate) job: Option<JobStatus>,
    /// By slot, as text.
    pub(crate) restarts: BTreeMap<String, Restarts>,
}

impl Service {
    pub(crate) fn name(&self) -> &str {
        spec::text(&self.current.spec["Name"])
    }

    pub(crate) fn mode(&self) -> Mode {
        Mode::of(&self.current.spec)
    }

    /// The spec of its tasks.
    pub(crate) fn task_spec(&self) -> Value {
        spec::task_spec(&self.current.spec)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut service = json!({
            "ID": self.id,
            "Version": {"Index": self.version},
            "CreatedAt": self.created.to_string(),
            "UpdatedAt": self.updated.to_string(),
            "Spec": self.current.spec,
            "Endpoint": {"Spec": {}},
        });
        if let Some(previous) = &self.previous {
            service["PreviousSpec"] = previous.spec.clone();
        }
        if let Some(update) = &self.update {
            service["UpdateStatus"] = update.to_json();
        }
        if let Some(job) = &self.job {
            service["JobStatus"] = json!({
                "JobIteration": iteration_json(job.iteration),
                "LastExecution": job.last_execution.to_string(),
            });
        }
        service
    }
}

/// A secret or a config: a spec with a name and labels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// As it is shown: a secret's holds no data.
    pub(crate) spec: Value,
}

impl Stored {
    pub(crate) fn name(&self) -> &str {
        spec::text(&self.spec["Name"])
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "ID": self.id,
            "Version": {"Index": self.version},
            "CreatedAt": self.created.to_string(),
            "UpdatedAt": self.updated.to_string(),
            "Spec": self.spec,
        })
    }
}
