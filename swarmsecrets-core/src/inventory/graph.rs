//! The usage graph: logical secrets, their versions, the services that mount them, and the stacks these come from.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::git::Repository;
use crate::ids::{
    ClusterId, ControlId, EnvironmentId, NodeId, SecretId, SecretName, ServiceId, SpecDigest, SpecVersion, StackId,
    TaskId, TeamId, UserId,
};
use crate::model::{Labels, SecretReference, ServiceMode, UpdateConfig, spec_digest};
use crate::stack::{ComposeText, StackPath, StackReference, Variables};

/// Everything that one account can see of one Swarm's secrets.
///
/// It prints a summary: the specs of services hold environment variables, and these may hold credentials.
#[derive(Clone)]
pub struct Inventory {
    /// The Portainer environment.
    pub environment: EnvironmentId,
    /// The Swarm behind it.
    pub cluster: ClusterId,
    /// Who looked.
    pub account: Account,
    /// When it was read.
    pub taken_at: Timestamp,
    /// Whether a simulation was read.
    pub simulated: bool,
    /// Whether the account sees everything.
    pub visibility: Visibility,
    /// The logical secrets, by name.
    pub secrets: Vec<LogicalSecret>,
    /// The services, by name.
    pub services: Vec<Arc<ServiceNode>>,
    /// The stacks, by name.
    pub stacks: Vec<StackNode>,
    /// Names that may mean more than one logical secret.
    pub ambiguous: Vec<Ambiguity>,
    /// Findings that belong to no logical secret: references to secrets that nobody knows.
    pub findings: Vec<InventoryFinding>,
    /// The ids of secrets that living tasks mount whose services were not listed: of services that were removed a moment ago.
    pub strays: HashSet<String>,
    /// The services as they were read; [`Inventory::spec_text`] points into it.
    pub(crate) raw: Bytes,
    /// The networks as they were read, where there are stacks.
    pub(crate) networks: Option<Bytes>,
}

/// The account behind the credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: UserId,
    /// Its name.
    pub name: String,
    /// Whether it is a Portainer administrator.
    pub administrator: bool,
    /// The teams that it is in. None for an administrator, to whom Portainer shows all, and where they may not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<TeamId>>,
}

/// Whether "nobody uses it" can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The account sees all secrets, services, tasks and stacks.
    Full,
    /// Lists were filtered or could not be read, for this reason.
    Partial {
        /// Why, in words.
        reason: String,
    },
}

/// What people mean by "the database password", and its versions.
#[derive(Clone, Debug, PartialEq)]
pub struct LogicalSecret {
    /// Its name.
    pub name: String,
    /// How its versions were found to belong together.
    pub grouped_by: Grouping,
    /// Its versions, oldest first.
    pub versions: Vec<SecretVersion>,
    /// The place of the current version in `versions`: the one with the highest number.
    pub current: usize,
    /// The services that mount any of its versions, by name, then target.
    pub consumers: Vec<Consumer>,
    /// What is worth saying about it.
    pub findings: Vec<InventoryFinding>,
}

/// How the versions of a logical secret were found to belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// The label `io.swarmsecrets.secret` says so.
    Label,
    /// Their names follow a scheme, such as `_v2` or a date.
    Name,
}

/// One immutable Swarm secret.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretVersion {
    /// The Engine's id.
    pub id: SecretId,
    /// Its name in Swarm.
    pub name: SecretName,
    /// Its number: 1 for the bare name, N for `_vN` or label `io.swarmsecrets.version`; dates count in order of time.
    pub version: u64,
    /// How a name for the next version is made from it.
    pub scheme: NameScheme,
    /// When it was created.
    pub created: Timestamp,
    /// Its labels.
    pub labels: Labels,
    /// Who may see it; `None` if Portainer has no resource control for it (administrators only).
    pub owner: Option<Owner>,
    /// The driver that holds its data, if any. Such a secret cannot be rotated.
    pub driver: Option<String>,
    /// The template engine that expands it, if any. Such a secret cannot be rotated.
    pub templating: Option<String>,
}

/// How the versions of a secret are named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "separator")]
pub enum NameScheme {
    /// No version in the name; the next one gets `_v2`.
    Plain,
    /// A separator (`_`, `-` or `.`), `v` and a number.
    V(String),
    /// A separator and a date such as `2026-11-21`, `20261121` or with a time; the next one gets the date of the rotation.
    Date(String),
}

/// Who may see an object in Portainer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The resource control that says so. A secret of a stack inherits the stack's control.
    pub control: Option<ControlId>,
    /// Users.
    pub users: Vec<UserId>,
    /// Teams.
    pub teams: Vec<TeamId>,
    /// Everybody.
    pub public: bool,
    /// Administrators alone.
    pub administrators_only: bool,
    /// Names for `teams` and `users`, for people; numbers stand for those that the account may not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Owner {
    /// The same, with what it means said: a control that lets nobody in leaves administrators alone, and Portainer takes
    /// no control that says nothing.
    #[must_use]
    pub fn or_administrators(mut self) -> Self {
        self.administrators_only |= self.users.is_empty() && self.teams.is_empty() && !self.public;
        self
    }

    /// Whether both let the same accounts in, whatever control says so.
    #[must_use]
    pub fn same_access(&self, other: &Self) -> bool {
        let set = |o: &Self| {
            let (mut users, mut teams) = (o.users.clone(), o.teams.clone());
            users.sort_unstable();
            teams.sort_unstable();
            (users, teams, o.public, o.administrators_only)
        };
        set(self) == set(other)
    }
}

/// One reference from a service to a version.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    service: Arc<ServiceNode>,
    /// The place of the reference in the service's.
    reference: usize,
}

impl Consumer {
    pub(super) fn new(service: Arc<ServiceNode>, reference: usize) -> Self {
        Self { service, reference }
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &ServiceNode {
        &self.service
    }

    /// What the service's spec says of the version and of its file.
    #[must_use]
    pub fn reference(&self) -> &SecretReference {
        &self.service.references[self.reference]
    }
}

/// One service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceNode {
    /// The Engine's id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Its labels (not those of its containers).
    pub labels: Labels,
    /// The version that was read.
    pub version: SpecVersion,
    /// How many tasks it runs, and where.
    pub mode: ServiceMode,
    /// The stack it belongs to, by the label `com.docker.stack.namespace`.
    pub stack: Option<String>,
    /// Its image as the spec names it.
    pub image: String,
    /// The secrets it mounts.
    pub references: Vec<SecretReference>,
    /// How it is updated.
    pub update: UpdateConfig,
    /// How long its health check takes to say "unhealthy", in nanoseconds; `None` without a health check.
    pub health_check: Option<u64>,
    /// Whether it publishes a port in host mode.
    pub host_port: bool,
    /// What its tasks do.
    pub tasks: TaskSummary,
    /// The first integer of 2^53 or more in its spec, by its path. Portainer rounds such numbers, so the service must not be
    /// written.
    pub oversized: Option<String>,
    /// Where its spec stands in the bytes that were read.
    pub(crate) spec: std::ops::Range<usize>,
}

/// What the tasks of a service do, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskSummary {
    /// Tasks that should run.
    pub desired: u64,
    /// Tasks that should run and do.
    pub running: u64,
    /// The secrets that its tasks mount, by id.
    pub mounted: Vec<MountedSecret>,
    /// The nodes that its running tasks are on.
    pub nodes: Vec<NodeId>,
    /// Tasks that should stop, or have been replaced, and have not been seen to end.
    pub leaving: Vec<LeavingTask>,
    /// Why the service is not converged on its spec, if it is not: "1 of 2 tasks run", "its update is paused".
    pub trouble: Option<String>,
}

/// A task that should stop and has not been seen to end. On a node that cannot be reached it may run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeavingTask {
    /// Its id.
    pub id: TaskId,
    /// The node that it is on, if it has one.
    pub node: Option<NodeId>,
    /// The secrets that it mounts, by id.
    pub secrets: Vec<SecretId>,
}

/// A secret that tasks of a service mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountedSecret {
    /// Its id.
    pub id: SecretId,
    /// How many tasks mount it.
    pub by: Mounts,
}

/// How many tasks of a service mount a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mounts {
    /// Tasks that should run.
    pub wanted: u64,
    /// Tasks in no terminal state, whatever they should do.
    pub alive: u64,
}

impl TaskSummary {
    /// How many of the tasks mount a secret.
    #[must_use]
    pub fn mounts(&self, id: &SecretId) -> Mounts {
        let place = self.mounted.binary_search_by(|m| m.id.cmp(id));
        place.map(|n| self.mounted[n].by).unwrap_or_default()
    }
}

/// A stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackNode {
    /// Portainer's number; none for a stack that Portainer does not keep.
    pub id: Option<StackId>,
    /// Its name.
    pub name: String,
    /// Where its compose file lives.
    pub kind: StackKind,
    /// Whether it runs.
    pub status: StackStatus,
    /// The secrets that its file names, with variables filled in.
    pub references: Vec<StackReference>,
    /// Why its file could not be read or understood, if so. Then nothing that it may name is called unused.
    pub unreadable: Option<String>,
    /// The compose file as it is stored.
    pub file: Option<ComposeText>,
    /// Where that file stands in the stack's folder or repository.
    pub path: StackPath,
    /// The variables of the stack, in order.
    pub variables: Variables,
    /// Whether a redeploy removes services that its file does not name.
    pub prune: bool,
    /// The repository that it comes from, if it does.
    pub repository: Option<Repository>,
}

/// Where a stack's compose file lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackKind {
    /// In Portainer.
    File,
    /// In a git repository.
    Git {
        /// Whether Portainer redeploys it by itself when the repository changes.
        auto_update: bool,
    },
    /// On somebody's disk: deployed with `docker stack deploy`.
    Cli,
}

impl StackKind {
    /// The word that documents use for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Git { .. } => "git",
            Self::Cli => "cli",
        }
    }
}

/// Whether a stack runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackStatus {
    /// It is deployed.
    Active,
    /// It is stopped; its file still names secrets.
    Stopped,
}

/// A name that may mean more than one logical secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ambiguity {
    /// The name.
    pub name: String,
    /// The Swarm secrets that it may mean.
    pub candidates: Vec<String>,
    /// Why they cannot be told apart, and what label would tell.
    pub text: String,
}

/// Something worth saying about a logical secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryFinding {
    /// What kind it is.
    pub kind: InventoryFindingKind,
    /// In words.
    pub text: String,
}

/// The kinds of [`InventoryFinding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InventoryFindingKind {
    /// No service, no living task and no stack file uses any version. Never said on a partial view.
    Unused,
    /// An older version is still there and nothing uses it. Never said on a partial view.
    UnusedVersion,
    /// A service refers to a secret that does not exist, or under another name.
    Dangling,
    /// Services use different versions.
    SeveralVersions,
    /// It is older than its `rotation-policy`, or than a given age.
    Overdue,
    /// Its `rotation-policy` cannot be understood.
    BadPolicy,
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory")
            .field("environment", &self.environment)
            .field("cluster", &self.cluster)
            .field("visibility", &self.visibility)
            .field("secrets", &self.secrets.len())
            .field("services", &self.services.len())
            .field("stacks", &self.stacks.len())
            .finish_non_exhaustive()
    }
}

impl Inventory {
    /// All versions of all secrets.
    pub fn versions(&self) -> impl Iterator<Item = &SecretVersion> {
        self.secrets.iter().flat_map(|secret| &secret.versions)
    }

    /// The text of a service's spec, exactly as it was read.
    #[must_use]
    pub fn spec_text(&self, service: &ServiceNode) -> &str {
        std::str::from_utf8(self.spec_bytes(service)).unwrap_or_default()
    }

    /// The digest of a service's spec: what a plan pins.
    #[must_use]
    pub fn spec_digest(&self, service: &ServiceNode) -> SpecDigest {
        spec_digest(self.spec_bytes(service))
    }

    fn spec_bytes(&self, service: &ServiceNode) -> &[u8] {
        self.raw.get(service.spec.clone()).unwrap_or_default()
    }
}

impl LogicalSecret {
    /// The current version.
    #[must_use]
    pub fn current(&self) -> &SecretVersion {
        &self.versions[self.current]
    }
}
