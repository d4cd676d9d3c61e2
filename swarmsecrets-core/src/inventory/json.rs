//! The usage graph as one JSON document, as `inventory --json` prints it.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Ambiguity, Consumer, Grouping, Inventory, InventoryFinding, Labels, LogicalSecret, NameScheme, Owner,
    SecretVersion, ServiceMode, ServiceNode, StackKind, StackNode, StackStatus, Visibility,
};
use crate::ids::{EnvironmentId, NodeId, StackId};

const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    simulated: bool,
    environment: EnvironmentId,
    cluster: &'a str,
    taken_at: Timestamp,
    visibility: &'static str,
    visibility_reason: Option<&'a str>,
    secrets: Vec<Secret<'a>>,
    services: Vec<Service<'a>>,
    stacks: Vec<Stack<'a>>,
    ambiguous: &'a [Ambiguity],
    findings: &'a [InventoryFinding],
}

#[derive(Serialize)]
struct Secret<'a> {
    name: &'a str,
    current: &'a str,
    grouped_by: Grouping,
    versions: Vec<Version<'a>>,
    consumers: Vec<User<'a>>,
    findings: &'a [InventoryFinding],
}

#[derive(Serialize)]
struct Version<'a> {
    id: &'a str,
    name: &'a str,
    version: u64,
    scheme: &'a NameScheme,
    created: Timestamp,
    labels: &'a Labels,
    owner: Option<&'a Owner>,
    driver: Option<&'a str>,
    templating: Option<&'a str>,
}

#[derive(Serialize)]
struct User<'a> {
    service: &'a str,
    id: &'a str,
    version: &'a str,
    target: &'a str,
    uid: &'a str,
    gid: &'a str,
    mode: u32,
    stack: Option<&'a str>,
}

#[derive(Serialize)]
struct Service<'a> {
    id: &'a str,
    name: &'a str,
    mode: &'static str,
    replicas: Option<u64>,
    stack: Option<&'a str>,
    secrets: Vec<&'a str>,
    nodes: &'a [NodeId],
    running: u64,
    desired: u64,
    trouble: Option<&'a str>,
}

#[derive(Serialize)]
struct Stack<'a> {
    id: Option<StackId>,
    name: &'a str,
    kind: &'static str,
    auto_update: bool,
    status: StackStatus,
    secrets: Vec<&'a str>,
    unreadable: Option<&'a str>,
}

impl Inventory {
    /// The usage graph as one JSON document.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps with string keys have no way to fail when they are written to memory.
        serde_json::to_string_pretty(&self.document()).unwrap_or_default()
    }

    fn document(&self) -> Document<'_> {
        let (visibility, visibility_reason) = match &self.visibility {
            Visibility::Full => ("full", None),
            Visibility::Partial { reason } => ("partial", Some(reason.as_str())),
        };
        Document {
            schema: SCHEMA,
            simulated: self.simulated,
            environment: self.environment,
            cluster: self.cluster.as_str(),
            taken_at: self.taken_at,
            visibility,
            visibility_reason,
            secrets: self.secrets.iter().map(Secret::from).collect(),
            services: self.services.iter().map(|service| Service::from(&**service)).collect(),
            stacks: self.stacks.iter().map(Stack::from).collect(),
            ambiguous: &self.ambiguous,
            findings: &self.findings,
        }
    }
}

impl<'a> From<&'a LogicalSecret> for Secret<'a> {
    fn from(secret: &'a LogicalSecret) -> Self {
        Self {
            name: &secret.name,
            current: secret.current().name.as_str(),
            grouped_by: secret.grouped_by,
            versions: secret.versions.iter().map(Version::from).collect(),
            consumers: secret.consumers.iter().map(User::from).collect(),
            findings: &secret.findings,
        }
    }
}

impl<'a> From<&'a SecretVersion> for Version<'a> {
    fn from(version: &'a SecretVersion) -> Self {
        Self {
            id: version.id.as_str(),
            name: version.name.as_str(),
            version: version.version,
            scheme: &version.scheme,
            created: version.created,
            labels: &version.labels,
            owner: version.owner.as_ref(),
            driver: version.driver.as_deref(),
            templating: version.templating.as_deref(),
        }
    }
}

impl<'a> From<&'a Consumer> for User<'a> {
    fn from(consumer: &'a Consumer) -> Self {
        let (service, reference) = (consumer.service(), consumer.reference());
        Self {
            service: &service.name,
            id: service.id.as_str(),
            version: &reference.name,
            target: &reference.target,
            uid: &reference.uid,
            gid: &reference.gid,
            mode: reference.mode,
            stack: service.stack.as_deref(),
        }
    }
}

impl<'a> From<&'a ServiceNode> for Service<'a> {
    fn from(service: &'a ServiceNode) -> Self {
        let (mode, replicas) = match service.mode {
            ServiceMode::Replicated(replicas) => ("replicated", Some(replicas)),
            ServiceMode::Global => ("global", None),
            ServiceMode::ReplicatedJob => ("replicated-job", None),
            ServiceMode::GlobalJob => ("global-job", None),
        };
        Self {
            id: service.id.as_str(),
            name: &service.name,
            mode,
            replicas,
            stack: service.stack.as_deref(),
            secrets: service.references.iter().map(|r| r.name.as_str()).collect(),
            nodes: &service.tasks.nodes,
            running: service.tasks.running,
            desired: service.tasks.desired,
            trouble: service.tasks.trouble.as_deref(),
        }
    }
}

impl<'a> From<&'a StackNode> for Stack<'a> {
    fn from(stack: &'a StackNode) -> Self {
        Self {
            id: stack.id,
            name: &stack.name,
            kind: stack.kind.word(),
            auto_update: matches!(stack.kind, StackKind::Git { auto_update: true }),
            status: stack.status,
            secrets: stack.references.iter().map(|r| r.secret.as_str()).collect(),
            unreadable: stack.unreadable.as_deref(),
        }
    }
}
