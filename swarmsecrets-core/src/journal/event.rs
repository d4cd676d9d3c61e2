//! What can happen in a rotation. A rotation's state is the fold of its events, so these are all that a crash leaves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::Actor;
use crate::health::Baseline;
use crate::ids::{ControlId, RotationId, SecretId, SecretName, ServiceId, StackId};
use crate::inventory::Owner;
use crate::plan::Plan;
use crate::policy::Direction;

/// The version of the entry format.
pub const FORMAT: u32 = 1;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of the format.
    pub v: u32,
    /// Its place in the journal, from 0.
    pub n: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What was seen in the world of a rotation whose journal is lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The new versions, in the order of the plan's secrets.
    pub versions: Vec<MadeVersion>,
    /// The services that mount a new version.
    pub touched: Vec<ServiceId>,
    /// Whether it had gone on to the new versions; if not, it is undone.
    pub begun: bool,
    /// Whether it is done but for the old versions, which are to go: nothing is judged or moved any more.
    #[serde(default)]
    pub moved: bool,
}

/// A version that a rotation had made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeVersion {
    /// Its id.
    pub id: SecretId,
    /// Whose it is.
    pub owner: Option<Owner>,
}

/// What happened. No event holds a value, nor a service's spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Event {
    /// The rotation was begun. Always the first.
    Begun {
        /// Its id.
        rotation: RotationId,
        /// Who began it.
        actor: Actor,
        /// The plan.
        plan: Box<Plan>,
        /// What it had done already, if its first journal is lost: all in one entry, as half of it would not be true.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<Found>,
    },
    /// A mutation is about to be sent.
    Intent {
        /// Its number in this rotation, from 1.
        step: u32,
        /// What it is.
        change: ChangeRecord,
    },
    /// What is known of a mutation after it was sent.
    Outcome {
        /// The number of its intent.
        step: u32,
        /// How it went.
        result: ChangeResult,
    },
    /// A new version is there.
    Created {
        /// The place of its secret in the plan.
        secret: usize,
        /// Its id.
        id: SecretId,
        /// The resource control that Portainer made for it.
        control: Option<ControlId>,
        /// Who may see it as it was made.
        owner: Option<Owner>,
    },
    /// A new version has the owner that the plan says, or none was asked for, or it may do without.
    Owned {
        /// The place of its secret in the plan.
        secret: usize,
        /// Why it does without, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// What the probes of a consumer saw before anything was changed.
    Baseline {
        /// The service.
        service: ServiceId,
        /// What each of them saw; nothing if no task was meant to run.
        seen: Vec<Measured>,
    },
    /// A consumer is about to be looked at and updated.
    ConsumerBegun {
        /// The service.
        service: ServiceId,
    },
    /// All tasks of a consumer run on the new version and have done so long enough.
    ConsumerConverged {
        /// The service.
        service: ServiceId,
        /// What is worth saying.
        note: Option<String>,
    },
    /// A consumer does not work with the new version.
    ConsumerFailed {
        /// The service.
        service: ServiceId,
        /// Why, for a person.
        reason: String,
    },
    /// A consumer runs on the new version, and its probes cannot tell whether it works: a person must look.
    ConsumerUnsure {
        /// The service.
        service: ServiceId,
        /// Why, for a person.
        reason: String,
    },
    /// A consumer is gone, or somebody else changed its reference: it is left as it is.
    ConsumerLeft {
        /// The service.
        service: ServiceId,
        /// Why.
        reason: String,
    },
    /// The rotation is being undone.
    UndoBegun {
        /// Why.
        reason: String,
    },
    /// A consumer runs on the old version again.
    ConsumerRestored {
        /// The service.
        service: ServiceId,
    },
    /// A consumer could not be put back.
    RestoreFailed {
        /// The service.
        service: ServiceId,
        /// Why.
        reason: String,
    },
    /// How far the password behind a secret is.
    Credential {
        /// The place of its secret in the plan.
        secret: usize,
        /// How far.
        access: Access,
        /// What is worth saying.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A new version is gone again, or never was there.
    Withdrawn {
        /// The place of its secret in the plan.
        secret: usize,
    },
    /// Every consumer is on the new version; stacks were looked at.
    Settled {
        /// The stacks whose files still name the old version, and the patches for them.
        stacks: Vec<StackPatch>,
        /// What is worth saying.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
    },
    /// The old version is kept until this time.
    GraceBegun {
        /// When it may go.
        until: Timestamp,
    },
    /// An old version is gone.
    Retired {
        /// The place of its secret in the plan.
        secret: usize,
        /// Its name.
        name: SecretName,
        /// What is worth saying.
        notes: Vec<String>,
    },
    /// An old version was not removed.
    RetireRefused {
        /// The place of its secret in the plan.
        secret: usize,
        /// Why.
        reason: String,
    },
    /// Someone asked to stop: no further consumer is begun.
    Interrupted,
    /// The rotation has ended as it is, until somebody resumes it or undoes it.
    Stopped {
        /// How.
        end: End,
        /// Why.
        reason: String,
    },
    /// A process has taken the rotation up again.
    Resumed {
        /// Who.
        actor: Actor,
    },
}

/// What a probe saw of a service before anything was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The probe's name.
    pub probe: String,
    /// What it saw.
    pub baseline: Baseline,
}

/// What a mutation is, without what it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum ChangeRecord {
    /// Make a new version.
    Create {
        /// The place of its secret in the plan.
        secret: usize,
        /// Its name.
        name: SecretName,
    },
    /// Give it its owner.
    Own {
        /// The resource control that is written.
        control: ControlId,
    },
    /// Change a password in the system that a secret opens.
    Credential {
        /// The place of its secret in the plan.
        secret: usize,
        /// What is done.
        step: CredentialStep,
    },
    /// Write a stack's stored file and variables, which redeploys it.
    Stack {
        /// Portainer's number.
        id: StackId,
        /// Its name.
        name: String,
        /// Forward to the new versions, or back.
        direction: Direction,
        /// The commit that its repository stood at, for one that comes from git.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
    },
    /// Move a service to the new version.
    Update {
        /// The service.
        service: ServiceId,
    },
    /// Move a service back.
    Restore {
        /// The service.
        service: ServiceId,
    },
    /// Remove the new version: the rotation is undone.
    Withdraw {
        /// Its id.
        id: SecretId,
    },
    /// Remove the old version: the rotation is complete.
    Retire {
        /// Its id.
        id: SecretId,
    },
}

/// How far the password behind a secret is in the system that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It is the old one.
    #[default]
    Old,
    /// The new one may have been set.
    Setting,
    /// The new one was set.
    Set,
    /// The new one logs in.
    NewWorks,
    /// Both do, or the system holds one.
    Proved,
    /// The old one may have been ended.
    Revoking,
    /// The old one was ended.
    Revoked,
    /// The old one does not log in any more.
    Closed,
    /// The old one is the only one again.
    Restored,
}

/// What is done to a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialStep {
    /// Make the new one valid.
    Set,
    /// End the old one.
    Revoke,
    /// Make the old one the only one again.
    Undo,
}

/// How a mutation went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum ChangeResult {
    /// It was done.
    Done,
    /// It was refused: nothing changed.
    Refused {
        /// The server's words.
        message: String,
    },
    /// It may or may not have been done.
    Unknown {
        /// What is known.
        message: String,
    },
}

/// How a rotation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The new version was never made.
    NotStarted,
    /// Somebody else has the next name.
    Conflict,
    /// Every consumer is on the old version and the new one is gone.
    RolledBack,
    /// A person must look.
    NeedsHuman,
    /// A person has seen to what it left, and it is over.
    Closed,
}

/// A stack whose file still names the old version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackPatch {
    /// The stack.
    pub name: String,
    /// Where its file lives: `file`, `git` or `cli`.
    pub kind: String,
    /// The change as a unified diff, if one could be made.
    pub patch: Option<String>,
    /// Why it was not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl StackPatch {
    /// Whether variables of the stack are to be set, and its file stays as it is.
    #[must_use]
    pub fn is_of_variables(&self) -> bool {
        self.patch
            .as_ref()
            .is_some_and(|patch| !patch.is_empty() && patch.lines().all(|line| line.starts_with("# stack variable ")))
    }
}
