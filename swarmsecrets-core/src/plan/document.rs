//! The plan: what will be done, on what, in which order, and what must be true for it.

use std::mem::take;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::request::{Allowances, Rollout, Strategy, Timing, ValueRecipe};
use crate::credential::Account;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{
    ClusterId, EnvironmentId, PlanDigest, SecretId, SecretName, ServiceId, SpecDigest, SpecVersion, StackId,
};
use crate::inventory::{Labels, Owner, ServiceMode, StackKind, StackStatus};
use crate::parallel::parts;
use crate::policy::Decision;

/// The version of the document's format.
pub const SCHEMA: u32 = 1;

/// A plan that cannot be changed without its digest telling.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    digest: PlanDigest,
    content: Content,
}

/// What a plan says. Reached through [`Plan`], which dereferences to it.
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
    /// Its labels, but for `io.swarmsecrets.rotation`, which is known when the plan is carried out.
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

impl Content {
    /// The logical secrets, for people: `db_password and api_key`.
    #[must_use]
    pub fn names(&self) -> String {
        listed(self.secrets.iter().map(|s| s.secret.as_str()))
    }

    /// What becomes of the names of versions, for people: `db -> db_v2, key -> key_v2`.
    #[must_use]
    pub fn swaps(&self) -> String {
        let swap = |s: &PlannedSecret| Some(format!("{} -> {}", s.previous.as_ref()?.name, s.next.name));
        self.secrets.iter().filter_map(swap).collect::<Vec<_>>().join(", ")
    }

    /// The versions that are replaced.
    pub fn replaced(&self) -> impl Iterator<Item = &VersionRef> {
        self.secrets.iter().filter_map(|s| s.previous.as_ref())
    }
}

/// Names as people list them: `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

impl Plan {
    /// Seals a plan: computes its digest.
    pub(crate) fn seal(mut content: Content) -> Result<Self> {
        Ok(Self { digest: digest(&mut content)?, content })
    }

    /// Reads a plan from its JSON and checks that it is the plan that was made.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is not a plan, is of another format, or was changed since it was made.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let not = |e: serde_json::Error| Error::new(ErrorKind::Invalid, format!("not a plan: {e}"));
        let plan: Self = serde_json::from_slice(bytes).map_err(not)?;
        if plan.schema != SCHEMA {
            let text = format!("the plan has format {}, this version knows {SCHEMA}: make it again", plan.schema);
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        let read: serde_json::Value = serde_json::from_slice(bytes).map_err(not)?;
        let ours = serde_json::to_value(&plan).map_err(not)?;
        // The digest is checked as it is read, and covers what is known alone.
        if read != ours {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the plan was changed after it was made: it has fields that this version does not know; make it again",
            ));
        }
        Ok(plan)
    }

    /// The SHA-256 over the plan as lines: `swarmsecrets plan 1`; the content as compact JSON, its fields in the order in
    /// which they are declared, with the lists `consumers`, `steps` and `warnings` empty; then the members of each of these
    /// lists as compact JSON. An empty line ends the content and each list; every line ends with a line feed.
    #[must_use]
    pub fn digest(&self) -> &PlanDigest {
        &self.digest
    }
}

impl Deref for Plan {
    type Target = Content;
    fn deref(&self) -> &Content {
        &self.content
    }
}

impl Serialize for Plan {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            digest: &'a PlanDigest,
            #[serde(flatten)]
            content: &'a Content,
        }
        Document { digest: &self.digest, content: &self.content }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Plan {
    /// Use [`Plan::from_json`], which also checks the digest; this is for documents that hold a plan.
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Document {
            digest: PlanDigest,
            #[serde(flatten)]
            content: Content,
        }
        let Document { digest: claimed, mut content } = Document::deserialize(from)?;
        match digest(&mut content) {
            Ok(real) if real == claimed => Ok(Self { digest: claimed, content }),
            _ => Err(serde::de::Error::custom(
                "the plan was changed after it was made: its content does not fit its digest",
            )),
        }
    }
}

/// The lists of a long plan are encoded on all cores; they are out of the content meanwhile.
fn digest(content: &mut Content) -> Result<PlanDigest> {
    let (consumers, steps, warnings) =
        (take(&mut content.consumers), take(&mut content.steps), take(&mut content.warnings));
    let head = lines(std::slice::from_ref(content));
    let mut sha = Sha256::new_with_prefix(format!("swarmsecrets plan {SCHEMA}\n"));
    let lists = [vec![head], parts(&consumers, lines), parts(&steps, lines), parts(&warnings, lines)];
    (content.consumers, content.steps, content.warnings) = (consumers, steps, warnings);
    for list in lists {
        for part in list {
            sha.update(part?);
        }
        sha.update("\n");
    }
    Ok(PlanDigest::from_sha256(sha.finalize().into()))
}

/// Each as a line of JSON.
fn lines<T: Serialize>(items: &[T]) -> Result<Vec<u8>> {
    let mut lines = Vec::with_capacity(items.len() * 256);
    for item in items {
        serde_json::to_writer(&mut lines, item)
            .map_err(|e| Error::new(ErrorKind::Invalid, "the plan cannot be encoded").with_source(e))?;
        lines.push(b'\n');
    }
    Ok(lines)
}
