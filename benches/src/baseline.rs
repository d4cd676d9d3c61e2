//! serde_json reading the same bytes into borrowed typed structs, as one would write them by hand: the yardstick.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use swarmsecrets_core::inventory::Snapshot;

/// The lists, read.
pub struct Lists<'a> {
    /// The secrets.
    pub secrets: Vec<Secret<'a>>,
    /// The tasks.
    pub tasks: Vec<Task<'a>>,
    /// The services.
    pub services: Vec<Service<'a>>,
}

/// Reads the lists of a snapshot.
///
/// # Errors
/// What serde_json says.
pub fn read(snapshot: &Snapshot) -> serde_json::Result<Lists<'_>> {
    Ok(Lists {
        secrets: serde_json::from_slice(&snapshot.secrets)?,
        tasks: serde_json::from_slice(&snapshot.tasks)?,
        services: serde_json::from_slice(&snapshot.services)?,
    })
}

/// A string that may hold escapes.
#[derive(Deserialize)]
pub struct Words<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// One secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Secret<'a> {
    /// The id.
    #[serde(rename = "ID")]
    pub id: &'a str,
    /// When it was created.
    pub created_at: &'a str,
    /// Its name and labels.
    #[serde(borrow)]
    pub spec: SecretSpec<'a>,
    /// Its owner.
    #[serde(borrow)]
    pub portainer: Portainer<'a>,
}

/// What was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecretSpec<'a> {
    /// The name.
    pub name: &'a str,
    /// The labels.
    #[serde(borrow)]
    pub labels: BTreeMap<&'a str, Words<'a>>,
}

/// What Portainer adds.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Portainer<'a> {
    /// The owner.
    #[serde(borrow)]
    pub resource_control: Option<ResourceControl<'a>>,
}

/// A resource control.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceControl<'a> {
    /// The number.
    pub id: u64,
    /// What it is for.
    pub resource_id: &'a str,
    /// Teams that are let in.
    pub team_accesses: Vec<TeamAccess>,
    /// Everybody.
    pub public: bool,
}

/// A team that is let in.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TeamAccess {
    /// Its number.
    pub team_id: u64,
}

/// One task.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Task<'a> {
    /// The id.
    #[serde(rename = "ID")]
    pub id: &'a str,
    /// The service.
    #[serde(rename = "ServiceID")]
    pub service: &'a str,
    /// The node.
    #[serde(rename = "NodeID")]
    pub node: &'a str,
    /// What is wanted.
    pub desired_state: &'a str,
    /// What it mounts.
    #[serde(borrow)]
    pub spec: TaskTemplate<'a>,
    /// What it does.
    #[serde(borrow)]
    pub status: Status<'a>,
}

/// What a task does.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Status<'a> {
    /// The state.
    pub state: &'a str,
    /// The Engine's words.
    #[serde(borrow)]
    pub message: Words<'a>,
}

/// What a task is made from.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskTemplate<'a> {
    /// Its container.
    #[serde(borrow)]
    pub container_spec: ContainerSpec<'a>,
}

/// A container.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerSpec<'a> {
    /// The image.
    pub image: &'a str,
    /// The secrets.
    #[serde(borrow)]
    pub secrets: Vec<Reference<'a>>,
    /// The health check.
    #[serde(borrow, default)]
    pub healthcheck: Option<HealthCheck<'a>>,
}

/// A health check.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthCheck<'a> {
    /// The command.
    #[serde(borrow)]
    pub test: Vec<Words<'a>>,
    /// How often.
    pub interval: i64,
    /// How many times.
    pub retries: i64,
}

/// A reference to a secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Reference<'a> {
    /// The id.
    #[serde(rename = "SecretID")]
    pub id: &'a str,
    /// The name.
    pub secret_name: &'a str,
    /// The file.
    #[serde(borrow)]
    pub file: File<'a>,
}

/// A file in the container.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct File<'a> {
    /// The name.
    pub name: &'a str,
    /// The owner.
    #[serde(rename = "UID")]
    pub uid: &'a str,
    /// The group.
    #[serde(rename = "GID")]
    pub gid: &'a str,
    /// The mode.
    pub mode: u32,
}

/// One service.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service<'a> {
    /// The id.
    #[serde(rename = "ID")]
    pub id: &'a str,
    /// When it was written.
    pub updated_at: &'a str,
    /// The version.
    pub version: Version,
    /// The spec.
    #[serde(borrow)]
    pub spec: Spec<'a>,
    /// The last update.
    #[serde(borrow)]
    pub update_status: Option<UpdateStatus<'a>>,
    /// The owner.
    #[serde(borrow)]
    pub portainer: Portainer<'a>,
}

/// A version.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// The number.
    pub index: u64,
}

/// The last update.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateStatus<'a> {
    /// The state.
    pub state: &'a str,
    /// When it began.
    pub started_at: &'a str,
    /// The Engine's words.
    #[serde(borrow)]
    pub message: Words<'a>,
}

/// A service's spec.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Spec<'a> {
    /// The name.
    pub name: &'a str,
    /// The labels.
    #[serde(borrow)]
    pub labels: BTreeMap<&'a str, Words<'a>>,
    /// The tasks.
    #[serde(borrow)]
    pub task_template: TaskTemplate<'a>,
    /// How many.
    pub mode: Mode,
    /// How it is updated.
    #[serde(borrow)]
    pub update_config: Option<UpdateConfig<'a>>,
    /// Its ports.
    #[serde(borrow)]
    pub endpoint_spec: EndpointSpec<'a>,
}

/// How many tasks.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mode {
    /// So many.
    pub replicated: Option<Replicated>,
}

/// So many tasks.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Replicated {
    /// The number.
    pub replicas: u64,
}

/// How a service is updated.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateConfig<'a> {
    /// At a time.
    pub parallelism: u64,
    /// How long a task is watched.
    pub monitor: u64,
    /// What happens when it fails.
    pub failure_action: &'a str,
    /// What comes first.
    pub order: &'a str,
}

/// Ports.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EndpointSpec<'a> {
    /// The ports.
    #[serde(borrow)]
    pub ports: Vec<Port<'a>>,
}

/// A port.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Port<'a> {
    /// How it is published.
    pub publish_mode: &'a str,
}
