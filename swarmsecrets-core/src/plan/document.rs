//! What a plan says: what will be done, on what, in which order, and what must be true for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::{Allowances, Rollout, Strategy, Timing, ValueRecipe, milliseconds};
use crate::credential::{Account, Provider};
use crate::ids::{ClusterId, EnvironmentId, SecretId, SecretName, ServiceId, SpecDigest, SpecVersion, StackId, listed};
use crate::inventory::{Inventory, Labels, Owner, SecretReference, ServiceMode, StackKind, StackStatus, Visibility};
use crate::policy::{Decision, Direction};

/// The version of the document's format.
pub const SCHEMA: u32 = 1;

/// What a plan says. Reached through [`Plan`](super::Plan), which dereferences to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The version of the format.
    pub schema: u32,
    /// Create or rotate.
    pub kind: PlanKind,
    /// The environment.
    pub environment: EnvironmentId,
    /// The Swarm: a plan is never applied to another.
    pub cluster: ClusterId,
    /// Whether it was made on a simulation.
    pub simulated: bool,
    /// The account that saw what the plan was made from.
    pub account: String,
    /// Why the account's view is partial, if it is.
    pub partial: Option<String>,
    /// How.
    pub strategy: Strategy,
    /// The secrets that get a new version. A service that mounts several of them restarts once.
    pub secrets: Vec<PlannedSecret>,
    /// The services, in the order of their update.
    pub consumers: Vec<PlannedConsumer>,
    /// How many of them are in hand at a time, and how many may fail.
    pub rollout: Rollout,
    /// What the request allows that is refused otherwise.
    pub allow: Allowances,
    /// The stacks whose files name the old version.
    pub stacks: Vec<PlannedStack>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// How many tasks will restart.
    pub restarts: u64,
    /// How long moving the consumers is expected to take, without what images and health checks need.
    #[serde(rename = "expected_ms", with = "milliseconds")]
    pub expected: Duration,
    /// What a person should know before saying yes.
    pub warnings: Vec<Warning>,
    /// What the guardrails say to it.
    pub decision: Decision,
    /// The time limits.
    pub timing: Timing,
    /// Why.
    pub reason: Option<String>,
    /// The AI agent that asked, if one did.
    pub agent: Option<String>,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// A first version.
    Create,
    /// The next version, its consumers moved to it.
    Rotate,
}

/// A secret that gets a new version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedSecret {
    /// The logical secret.
    pub secret: String,
    /// Where the value comes from.
    pub recipe: ValueRecipe,
    /// The version that is replaced; none for a first version.
    pub previous: Option<VersionRef>,
    /// The version that is made.
    pub next: NextVersion,
    /// Whose the new version will be: the accesses of the old one.
    pub owner: Option<Owner>,
    /// Whose password is changed in step with it, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Account>,
}

impl PlannedSecret {
    /// Which version's name takes the place of which in this direction; none for a first version.
    pub(crate) fn renaming(&self, direction: Direction) -> Option<(SecretName, SecretName)> {
        let (old, new) = (self.previous.as_ref()?.name.clone(), self.next.name.clone());
        Some(match direction {
            Direction::Forward => (old, new),
            Direction::Restore => (new, old),
        })
    }

    /// The service in whose container commands change the password, if they do.
    #[must_use]
    pub fn provider(&self) -> Option<&Provider> {
        self.credential.as_ref()?.provider.as_ref()
    }

    /// Where a consumer has the old version beside the new one while commands in its container change the password; none if
    /// it is not that service.
    #[must_use]
    pub fn beside(&self, consumer: &PlannedConsumer, mount: &PlannedMount) -> Option<String> {
        (self.provider()?.service == consumer.service).then(|| SecretReference::beside(&mount.target))
    }
}

/// A version that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRef {
    /// The Engine's id.
    pub id: SecretId,
    /// Its name.
    pub name: SecretName,
}

/// A version that will be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextVersion {
    /// Its name.
    pub name: SecretName,
    /// Its number.
    pub version: u64,
    /// Its labels, but for `io.swarmsecrets.rotation` and `io.swarmsecrets.fingerprint`, which are known when the plan is carried
    /// out.
    pub labels: Labels,
}

/// A service that is moved to the new versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedConsumer {
    /// The service's id.
    pub id: ServiceId,
    /// The service's name.
    pub service: String,
    /// Where it mounts the old versions.
    pub mounts: Vec<PlannedMount>,
    /// The wave in which it is updated, from 0. A wave begins when the one before it is healthy.
    pub wave: u32,
    /// How many tasks it runs.
    pub mode: ServiceMode,
    /// How many of its tasks will restart.
    pub restarts: u64,
    /// Its stack.
    pub stack: Option<String>,
    /// The probes that are asked whether it works, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<String>,
}

/// A place where a service mounts a version that is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMount {
    /// The target: the file name in the container, or a path.
    pub target: String,
    /// The place of the secret in [`Content::secrets`].
    pub secret: usize,
}

/// A stack whose file names an old version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStack {
    /// Portainer's number.
    pub id: Option<StackId>,
    /// Its name.
    pub name: String,
    /// Where its file lives.
    pub kind: StackKind,
    /// Whether it runs.
    pub status: StackStatus,
    /// Why a person has to patch it, if Portainer may not write its file.
    pub by_hand: Option<String>,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 1.
    pub n: u32,
    /// What kind of thing.
    pub kind: StepKind,
    /// On what.
    pub target: String,
    /// In words.
    pub text: String,
    /// What must be true before it.
    pub requires: Vec<Precondition>,
    /// How it is undone.
    pub undo: Undo,
}

/// The kinds of [`Step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepKind {
    /// Make the new version.
    CreateVersion,
    /// Give it the old version's owner.
    SetOwner,
    /// Change the password in the system that the secret opens.
    SetCredential,
    /// End the old password there.
    RevokeCredential,
    /// Take the old version from the service that has it beside the new one for commands.
    UnmountPrevious,
    /// Exchange a service's references and judge its rollout.
    UpdateService,
    /// Write a stack's stored file, which redeploys it and changes nothing else.
    WriteStack,
    /// Bring a stack's file in line, by a patch that a person applies.
    PatchStack,
    /// Keep the old version for a while.
    KeepPrevious,
    /// Remove the old version.
    RetirePrevious,
}

/// How a step is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// The new version is removed.
    RemoveVersion,
    /// What was there before is put back: a service's references, a stack's file and variables.
    PutBack,
    /// Nothing is to be undone: removing the new version takes it along, or nothing was changed.
    Nothing,
    /// It cannot be undone.
    Impossible,
}

/// Something that was seen and must still be so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Precondition {
    /// The version is there under this id.
    VersionExists {
        /// Its id.
        id: SecretId,
        /// Its name.
        name: SecretName,
    },
    /// No secret has the name.
    NameFree {
        /// The name.
        name: SecretName,
    },
    /// Exactly these services mount the version.
    Consumers {
        /// The version's name.
        of: SecretName,
        /// The services.
        services: Vec<String>,
    },
    /// The service's spec is the one that was seen, and its tasks run on it.
    Service {
        /// Its id.
        id: ServiceId,
        /// Its name.
        service: String,
        /// The version that was seen.
        version: SpecVersion,
        /// The digest of the spec that was seen.
        spec: SpecDigest,
    },
}

/// Something that a person should know before saying yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What kind it is.
    pub kind: WarningKind,
    /// The service or stack that it is about.
    pub about: Option<String>,
    /// In words.
    pub text: String,
}

/// The kinds of [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// One task that is stopped before its successor starts: an outage.
    StopFirstSingleReplica,
    /// The service restarts more than once: commands in it change a password.
    RestartsAgain,
    /// `FailureAction: continue`: Swarm will not stop a bad rollout.
    FailureActionContinue,
    /// No health check: "running" is all that can be seen.
    NoHealthCheck,
    /// The image is a tag: a restart may pull another one.
    ImageNotPinned,
    /// Swarm stops watching before the health check can fail.
    MonitorTooShort,
    /// Old and new task want the same host port.
    StartFirstHostPort,
    /// A redeploy of the stack from its file would put the old version back.
    StackManaged,
    /// The update runs the job again.
    JobMode,
    /// A service, or a revocation, is expected to take longer than it may.
    TooLong,
    /// The account does not see everything.
    PartialView,
    /// No task runs: nothing proves that the new value works.
    NoTasks,
    /// No service mounts the secret.
    NoConsumers,
    /// The owner cannot be carried over as it is.
    Ownership,
    /// What the rotation had done was read from the world, because its journal is lost.
    JournalLost,
}

impl PlannedConsumer {
    /// The old versions that it has beside new ones while commands in its container change their passwords, with the targets.
    pub(super) fn besides<'p>(&self, secrets: &'p [PlannedSecret]) -> Vec<(&'p VersionRef, String)> {
        let beside = |mount: &PlannedMount| {
            let secret = secrets.get(mount.secret)?;
            Some((secret.previous.as_ref()?, secret.beside(self, mount)?))
        };
        self.mounts.iter().filter_map(beside).collect()
    }
}

impl Content {
    /// A plan for what this inventory shows, in which nothing is done.
    pub(super) fn of(inventory: &Inventory, kind: PlanKind) -> Self {
        let partial = match &inventory.visibility {
            Visibility::Full => None,
            Visibility::Partial { reason } => Some(reason.clone()),
        };
        Self {
            schema: SCHEMA,
            kind,
            environment: inventory.environment,
            cluster: inventory.cluster.clone(),
            simulated: inventory.simulated,
            account: inventory.account.name.clone(),
            partial,
            strategy: Strategy::default(),
            secrets: Vec::new(),
            consumers: Vec::new(),
            rollout: Rollout::default(),
            allow: Allowances::default(),
            stacks: Vec::new(),
            steps: Vec::new(),
            restarts: 0,
            expected: Duration::ZERO,
            warnings: Vec::new(),
            decision: Decision::Allow,
            timing: Timing::default(),
            reason: None,
            agent: None,
        }
    }

    /// The logical secrets, for people: `db_password and api_key`.
    #[must_use]
    pub fn names(&self) -> String {
        listed(self.secrets.iter().map(|s| s.secret.as_str()))
    }

    /// The versions that are replaced.
    pub fn replaced(&self) -> impl Iterator<Item = &VersionRef> {
        self.secrets.iter().filter_map(|s| s.previous.as_ref())
    }
}
