//! What the machine asks for, and what it is told.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::git::short;
use crate::health::Health;
use crate::ids::{ControlId, SecretId, SecretName, ServiceId, SpecVersion, StackId};
use crate::inventory::{Inventory, Labels, Owner};
use crate::journal::{ChangeRecord, CredentialStep, Measured};
use crate::model::{ServiceState, SpecText, TaskState};
use crate::policy::Direction;
use crate::stack::{ComposeText, Variables};

/// Tells the answers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub u32);

/// What is to be done next.
#[derive(Clone, Debug)]
pub enum Action {
    /// Look at something. Changes nothing and may be done again.
    Look(Look),
    /// Change something: needs a permit, and a durable journal and audit trail first.
    Change(Change),
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The secret of this name.
    Version(SecretName),
    /// A service.
    Service(ServiceId),
    /// A service and its tasks.
    Rollout(ServiceId),
    /// A service through its probes, before anything is changed.
    Baseline(ServiceId),
    /// A service through its probes, after its rollout.
    Health(ServiceId),
    /// Whether a password logs in.
    Login {
        /// The place of its secret in the plan.
        secret: usize,
        /// The old one or the new one.
        which: Which,
    },
    /// Everything: a fresh inventory.
    World,
    /// Everything, and where the repositories stand of the git stacks that could be written in this direction.
    Stacks(Direction),
}

/// Which of two passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one before.
    Old,
    /// The one that is set.
    New,
}

/// What came of logging in.
#[derive(Debug)]
pub enum Login {
    /// The system let us in.
    Works,
    /// The system said no.
    Refused,
    /// Neither can be said now.
    Unclear(Error),
    /// It cannot be tried, for this reason: the value is not at hand any more.
    Untestable(String),
}

/// What is to be changed. Each may be sent twice without harm: names, spec versions and ids fence it.
#[derive(Clone, Debug)]
pub enum Change {
    /// Make a new version.
    Create {
        /// The place of its secret in the plan.
        secret: usize,
        /// Its name.
        name: SecretName,
        /// Its labels.
        labels: Labels,
    },
    /// Set the accesses of the new version's resource control.
    Own {
        /// The control that the create returned.
        control: ControlId,
        /// The accesses.
        owner: Owner,
        /// The new version's name.
        name: SecretName,
    },
    /// Change a password in the system that a secret opens. Safe to send twice: the rotation's id tells.
    Credential {
        /// The place of its secret in the plan.
        secret: usize,
        /// What is done.
        step: CredentialStep,
        /// Whose, for people.
        account: String,
    },
    /// Write a stack's stored file, if Portainer keeps that, and all its variables. Portainer redeploys it at once.
    Stack {
        /// Portainer's number.
        id: StackId,
        /// Its name.
        name: String,
        /// What is redeployed.
        source: StackSource,
        /// All its variables, edited.
        variables: Variables,
        /// Whether services that the file does not name are removed, as the stack is set up.
        prune: bool,
        /// Forward to the new versions, or back to the old ones.
        direction: Direction,
    },
    /// Write a service's spec, its references exchanged.
    Update {
        /// The service.
        service: ServiceId,
        /// Its name.
        name: String,
        /// The version that was read.
        version: SpecVersion,
        /// The spec that was read, edited.
        spec: SpecText,
        /// Forward to the new version, or back to the old one.
        direction: Direction,
        /// For people: `db -> db_v2`.
        swap: String,
    },
    /// Remove a version.
    Remove {
        /// Its id.
        id: SecretId,
        /// Its name.
        name: SecretName,
        /// Forward removes the old version, restoring the new one.
        direction: Direction,
    },
}

/// What Portainer redeploys a stack from.
#[derive(Clone, Debug)]
pub enum StackSource {
    /// The file that it keeps, edited.
    File(ComposeText),
    /// The repository that it pulls the file from, which is not written.
    Repository {
        /// The branch or tag.
        reference: String,
        /// The commit that was deployed, and that it stands at.
        commit: String,
    },
}

impl StackSource {
    /// The commit that a repository stands at.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Repository { commit, .. } => Some(commit),
        }
    }
}

impl Change {
    /// Which way it goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        match self {
            Self::Create { .. } | Self::Own { .. } => Direction::Forward,
            Self::Credential { step: CredentialStep::Undo, .. } => Direction::Restore,
            Self::Credential { .. } => Direction::Forward,
            Self::Update { direction, .. } | Self::Remove { direction, .. } | Self::Stack { direction, .. } => {
                *direction
            }
        }
    }

    /// What the journal keeps of it.
    #[must_use]
    pub fn record(&self) -> ChangeRecord {
        match self {
            Self::Create { secret, name, .. } => ChangeRecord::Create { secret: *secret, name: name.clone() },
            Self::Credential { secret, step, .. } => ChangeRecord::Credential { secret: *secret, step: *step },
            Self::Stack { id, name, source, direction, .. } => ChangeRecord::Stack {
                id: *id,
                name: name.clone(),
                direction: *direction,
                commit: source.commit().map(str::to_owned),
            },
            Self::Own { control, .. } => ChangeRecord::Own { control: *control },
            Self::Update { service, direction: Direction::Forward, .. } => {
                ChangeRecord::Update { service: service.clone() }
            }
            Self::Update { service, .. } => ChangeRecord::Restore { service: service.clone() },
            Self::Remove { id, direction: Direction::Forward, .. } => ChangeRecord::Retire { id: id.clone() },
            Self::Remove { id, .. } => ChangeRecord::Withdraw { id: id.clone() },
        }
    }

    /// What it does, for people and the audit trail.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Create { name, .. } => format!("create secret {name}"),
            Self::Own { name, control, .. } => format!("set the owner of secret {name} (resource control {control})"),
            Self::Credential { step: CredentialStep::Set, account, .. } => format!("set the new password of {account}"),
            Self::Credential { step: CredentialStep::Revoke, account, .. } => {
                format!("end the old password of {account}")
            }
            Self::Credential { account, .. } => format!("restore the old password of {account}"),
            Self::Stack { name, id, source: StackSource::File(_), .. } => {
                format!("write the file of stack {name} (number {id}) and redeploy it")
            }
            Self::Stack { name, id, source: StackSource::Repository { commit, .. }, .. } => {
                format!(
                    "set the variables of stack {name} (number {id}) and redeploy it from commit {} of its repository",
                    short(commit)
                )
            }
            Self::Update { name, swap, direction: Direction::Forward, .. } => format!("update service {name}: {swap}"),
            Self::Update { name, swap, .. } => format!("put back service {name}: {swap}"),
            Self::Remove { name, .. } => format!("delete secret {name}"),
        }
    }
}

/// How an action went.
#[derive(Debug)]
pub enum Reply {
    /// It was done, and this is what was seen.
    Done(Answer),
    /// It was refused, or could not be sent: nothing changed.
    Refused(Error),
    /// It may or may not have been done: look before sending anything again.
    Unknown(Error),
}

/// What was seen.
#[derive(Debug)]
pub enum Answer {
    /// The new version was made.
    Created(FoundVersion),
    /// A change was taken.
    Taken,
    /// The secret of the name that was looked for, if there is one.
    Version(Option<FoundVersion>),
    /// A service.
    Service(Box<ServiceState>),
    /// A service and its tasks.
    Rollout(Box<ServiceState>, Vec<TaskState>),
    /// What the probes of a service saw; nothing if none of its tasks is meant to run.
    Baseline(Vec<Measured>),
    /// What the probes of a service say together; nothing if none of its tasks is meant to run.
    Health(Option<Health>),
    /// What came of logging in.
    Login(Login),
    /// Everything.
    World(Box<Inventory>),
}

/// A secret that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundVersion {
    /// Its id.
    pub id: SecretId,
    /// The rotation that made it, by its label.
    pub rotation: Option<String>,
    /// Who may see it, and the control that says so.
    pub owner: Option<Owner>,
}
