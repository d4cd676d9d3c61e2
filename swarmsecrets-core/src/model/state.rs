//! One service and its tasks as own values: what the rotation machine judges by.

use jiff::Timestamp;

use super::service::{Service, UpdateStatusText};
use super::spec::SpecText;
use super::task::{Task, is_terminal};
use super::unreadable::read_list;
use super::{SecretReference, UpdateStatus};
use crate::error::{Error, Result};
use crate::ids::{NodeId, ServiceId, SpecVersion, TaskId};

/// A service at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// The Engine's id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// The version that a write must name.
    pub version: SpecVersion,
    /// Its spec, as the text that was sent.
    pub spec: SpecText,
    /// The secrets that the spec mounts.
    pub references: Vec<SecretReference>,
    /// Its last update, if Swarm says.
    pub update_status: Option<UpdateStatus>,
    /// When it was written last, also by Swarm itself.
    pub updated_at: Timestamp,
    /// Whether there is a spec to roll back to.
    pub has_previous: bool,
}

impl ServiceState {
    /// Reads the answer to `services/{id}`.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol), quoting nothing of the answer.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let service = Service::parse(body)?;
        Ok(Self {
            id: id(&service.id, "a service")?,
            name: service.spec.name.to_string(),
            version: SpecVersion(service.version),
            spec: SpecText::new(service.spec_text.to_owned())?,
            references: service.spec.references().collect(),
            update_status: match &service.update_status {
                Some(status) if !status.state.is_empty() => Some(update_status(status)?),
                _ => None,
            },
            updated_at: time(&service.updated_at, "a service")?,
            has_previous: service.has_previous,
        })
    }
}

fn update_status(status: &UpdateStatusText<'_>) -> Result<UpdateStatus> {
    Ok(UpdateStatus {
        state: status.state.to_string(),
        started_at: status.started_at.as_ref().map(|text| time(text, "an update")).transpose()?,
        message: status.message.to_string(),
    })
}

/// A task at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskState {
    /// The Engine's id.
    pub id: TaskId,
    /// The service that it is a task of.
    pub service: ServiceId,
    /// Its slot; none in a global service.
    pub slot: Option<u64>,
    /// The node that it is on, once it has one.
    pub node: Option<NodeId>,
    /// What Swarm wants of it: `running`, `ready`, `shutdown`, `complete`, …
    pub desired: String,
    /// What it does: `running`, `failed`, `starting`, …
    pub state: String,
    /// Why it failed, in the Engine's words.
    pub error: Option<String>,
    /// What its container exited with. The Engine says 0 for a container that runs.
    pub exit_code: Option<i64>,
    /// When it was created.
    pub created: Timestamp,
    /// The ids and names of the secrets that it mounts.
    pub secrets: Vec<(String, String)>,
    /// The Engine's words on its state.
    pub message: String,
}

impl TaskState {
    /// Whether it never runs again.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        is_terminal(&self.state)
    }

    /// Whether it mounts the secret with this id.
    #[must_use]
    pub fn mounts(&self, secret: &str) -> bool {
        self.secrets.iter().any(|(id, _)| id == secret)
    }

    fn from_task(task: &Task<'_>) -> Result<Self> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Self {
            id: id(&task.id, "a task")?,
            service: id(&task.service, "a task's service")?,
            slot: task.slot,
            node: if task.node.is_empty() { None } else { Some(id(&task.node, "a task's node")?) },
            desired: task.desired_state.to_string(),
            state: task.status.state.to_string(),
            error: text(&task.status.err),
            exit_code: task.exit_code(),
            created: time(&task.created_at, "a task")?,
            secrets: task.secrets().map(|(id, name)| (id.to_owned(), name.to_owned())).collect(),
            message: task.status.message.to_string(),
        })
    }
}

/// Reads the answer to `tasks`. Tasks without a service (network attachments) are left out.
///
/// # Errors
/// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol), quoting nothing of the answer.
pub fn parse_tasks(body: &[u8]) -> Result<Vec<TaskState>> {
    let tasks: Vec<Task<'_>> = read_list("the list of tasks", body)?;
    tasks.iter().filter(|task| !task.service.is_empty()).map(TaskState::from_task).collect()
}

/// A time that the server sent; where it sent none, the oldest there is.
fn time(text: &str, of: &str) -> Result<Timestamp> {
    if text.is_empty() {
        return Ok(Timestamp::default());
    }
    let unreadable = |_| Error::new(crate::ErrorKind::Protocol, format!("cannot read a time of {of}"));
    text.parse().map_err(unreadable)
}

/// An id that the server sent; a bad one is the server's fault, not the user's.
pub(crate) fn id<T: std::str::FromStr<Err = Error>>(text: &str, of: &str) -> Result<T> {
    text.parse().map_err(|error: Error| {
        Error::new(crate::ErrorKind::Protocol, format!("cannot read the id of {of}: {}", error.message()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_and_its_tasks_are_read() {
        let service = ServiceState::parse(
            br#"{"ID":"abc","Spec":{"Name":"web","TaskTemplate":{"ContainerSpec":{"Secrets":[{"SecretID":"s1","SecretName":"k","File":{"Name":"t","UID":"1","GID":"2","Mode":292}}]}}},
            "PreviousSpec":{},"UpdateStatus":{"State":"paused","StartedAt":"2026-11-21T12:25:16.5Z","Message":"m"},"Version":{"Index":9}}"#,
        )
        .unwrap();
        assert_eq!((service.name.as_str(), service.version, service.has_previous), ("web", SpecVersion(9), true));
        assert_eq!(service.references[0].target, "t");
        assert_eq!(service.update_status.unwrap().state, "paused");
        let tasks = parse_tasks(
            br#"[{"ID":"t1","ServiceID":"abc","DesiredState":"shutdown","Spec":{"ContainerSpec":{"Secrets":[{"SecretID":"s1","SecretName":"k"}]}},
            "Status":{"State":"failed","Err":"task: non-zero exit (3)","ContainerStatus":{"ExitCode":3}}},{"ID":"net1","Spec":{}}]"#,
        )
        .unwrap();
        assert_eq!(tasks.len(), 1);
        assert_eq!((tasks[0].slot, tasks[0].exit_code, tasks[0].is_ended()), (None, Some(3), true));
        assert!(tasks[0].mounts("s1"));
    }

    #[test]
    fn a_bad_id_is_the_servers_fault() {
        let error = ServiceState::parse(br#"{"ID":"../x","Spec":{}}"#).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Protocol);
    }
}
