//! The tasks of a simulated Swarm.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Where a task is, or should be. The order is Swarm's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum State {
    New,
    Pending,
    Assigned,
    Accepted,
    Preparing,
    Ready,
    Starting,
    Running,
    Complete,
    Shutdown,
    Failed,
    Remove,
}

impl State {
    /// The name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Pending => "pending",
            Self::Assigned => "assigned",
            Self::Accepted => "accepted",
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Shutdown => "shutdown",
            Self::Failed => "failed",
            Self::Remove => "remove",
        }
    }

    /// The message that comes with it.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::New => "created",
            Self::Pending => "pending task scheduling",
            Self::Assigned => "scheduler assigned task to node",
            Self::Ready => "prepared",
            Self::Running => "started",
            Self::Complete => "finished",
            other => other.name(),
        }
    }

    /// Whether nothing runs any more and nothing will.
    pub(crate) fn is_terminal(self) -> bool {
        self > Self::Running
    }

    /// Whether a task that should be here is being ended.
    pub(crate) fn is_an_end(self) -> bool {
        self >= Self::Shutdown
    }

    /// The state after this one on the way to `Running`.
    pub(crate) fn next(self) -> Option<Self> {
        Some(match self {
            Self::New => Self::Pending,
            Self::Pending => Self::Assigned,
            Self::Assigned => Self::Accepted,
            Self::Accepted => Self::Preparing,
            Self::Preparing => Self::Ready,
            Self::Ready => Self::Starting,
            Self::Starting => Self::Running,
            _ => return None,
        })
    }
}

/// The container of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) exit_code: i64,
    pub(crate) pid: u64,
}

/// A line that a container wrote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

/// The place of a task among those of its service: its number, or its node where there is one task for each node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Slot {
    Number(u64),
    Node(String),
}

/// One task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) slot: Slot,
    pub(crate) node: Option<String>,
    pub(crate) spec: Value,
    /// The version of the service's spec that it was made from.
    pub(crate) spec_version: u64,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) state: State,
    pub(crate) desired: State,
    pub(crate) since: Timestamp,
    pub(crate) message: String,
    pub(crate) error: Option<String>,
    pub(crate) container: Option<Container>,
    /// For a job, which of its iterations it belongs to.
    pub(crate) iteration: Option<u64>,
    /// Whether its container was told to stop.
    pub(crate) stopping: bool,
    pub(crate) log: Vec<LogLine>,
}

impl Task {
    /// Whether it runs or is on the way there.
    pub(crate) fn is_wanted(&self) -> bool {
        self.desired <= State::Running
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut status = json!({
            "Timestamp": self.since.to_string(),
            "State": self.state.name(),
            "Message": self.message,
            "PortStatus": {},
        });
        if let Some(error) = &self.error {
            status["Err"] = json!(error);
        }
        if let Some(container) = &self.container {
            status["ContainerStatus"] =
                json!({"ContainerID": container.id, "PID": container.pid, "ExitCode": container.exit_code});
        }
        let mut task = json!({
            "ID": self.id,
            "Version": {"Index": self.version},
            "CreatedAt": self.created.to_string(),
            "UpdatedAt": self.updated.to_string(),
            "Labels": {},
            "Spec": self.spec,
            "ServiceID": self.service,
            "Status": status,
            "DesiredState": self.desired.name(),
        });
        match self.slot {
            Slot::Number(number) if number > 0 => task["Slot"] = json!(number),
            _ => {}
        }
        if let Some(node) = &self.node {
            task["NodeID"] = json!(node);
        }
        if let Some(iteration) = self.iteration {
            task["JobIteration"] = iteration_json(iteration);
        }
        task
    }
}

/// The number of a job's run: the first one has no number in JSON.
pub(crate) fn iteration_json(iteration: u64) -> Value {
    if iteration == 0 { json!({}) } else { json!({"Index": iteration}) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_goes_through_seven_states_to_run() {
        let mut state = State::New;
        let mut names = vec![state.name()];
        while let Some(next) = state.next() {
            assert!(next > state);
            state = next;
            names.push(state.name());
        }
        assert_eq!(names, ["new", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running"]);
        assert!(!State::Running.is_terminal() && State::Complete.is_terminal() && !State::Complete.is_an_end());
    }
}
