//! What a rotation came to, for people and programs.

use serde::{Deserialize, Serialize};

use super::state::{Ending, Old, Progress, Stage, State};
use super::{next, stacks};
use crate::error::{Error, ErrorKind};
use crate::ids::{RotationId, SecretId, SecretName, ServiceId, ticked};
use crate::journal::{End, StackPatch};
use crate::plan::{Plan, PlannedConsumer, PlannedSecret, Strategy, humane};

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every consumer runs on the new version.
    Applied,
    /// Every consumer runs on the old version, and the new one is gone.
    RolledBack,
    /// Nothing was changed.
    NotStarted,
    /// It stands half-way, or cannot go on: a person must look.
    NeedsHuman,
    /// A guardrail asks for an approval.
    AwaitingApproval,
    /// Every consumer runs on the new version; stack files must be patched by a person.
    AwaitingPatch,
    /// Somebody else is rotating the secret, or the world has moved since the plan was made.
    Conflict,
    /// A guardrail says no.
    Denied,
}

impl std::fmt::Display for Outcome {
    /// The name that it has in JSON.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Applied => "applied",
            Self::RolledBack => "rolled_back",
            Self::NotStarted => "not_started",
            Self::NeedsHuman => "needs_human",
            Self::AwaitingApproval => "awaiting_approval",
            Self::AwaitingPatch => "awaiting_patch",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
        })
    }
}

/// The report of a rotation, as `rotate --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The version of the format.
    pub schema: u32,
    /// Whether it was a simulation.
    pub simulated: bool,
    /// The rotation's id; none if none was begun.
    pub rotation: Option<RotationId>,
    /// What it came to.
    pub outcome: Outcome,
    /// The logical secrets.
    pub secrets: Vec<SecretReport>,
    /// Their consumers, in the order of their update.
    pub consumers: Vec<ConsumerReport>,
    /// The stacks whose files name the old version.
    pub stacks: Vec<StackReport>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// How many requests were sent to Portainer.
    pub requests: u64,
    /// Whether a person has ended it where it stood, having seen to what it left.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub closed: bool,
    /// The kind of the error, if it was not begun for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<ErrorReport>,
}

/// Why a rotation was not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The kind.
    pub kind: ErrorKind,
    /// The message.
    pub message: String,
}

/// One logical secret in a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretReport {
    /// Its name.
    pub name: String,
    /// What it came to.
    pub outcome: Outcome,
    /// The version before.
    pub previous: Option<VersionReport>,
    /// The version that the consumers are meant to run on now.
    pub current: Option<VersionReport>,
}

/// A version in a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionReport {
    /// The Engine's id.
    pub id: SecretId,
    /// Its name.
    pub name: SecretName,
}

/// One consumer in a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerReport {
    /// Its name.
    pub service: String,
    /// Its id.
    pub id: ServiceId,
    /// `applied`, `rolled_back`, `not_started`, `failed`, `inconclusive`, `in_progress` or `left`.
    pub outcome: String,
    /// Why, where there is something to say.
    pub reason: Option<String>,
}

/// One stack in a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackReport {
    /// Its name.
    pub name: String,
    /// `file`, `git` or `cli`.
    pub kind: String,
    /// `applied`, `awaiting_patch`, or `unknown` for a file that Portainer does not keep.
    pub outcome: String,
    /// The patch, if one could be made.
    pub patch: Option<String>,
}

impl Report {
    /// The report of a rotation as it stands.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let outcome = outcome(state);
        let mut warnings: Vec<String> = Vec::new();
        warnings.extend(state.undo.iter().cloned());
        warnings.extend(state.stopped.iter().filter(|s| Some(*s) != state.undo.as_ref()).cloned());
        warnings.extend(next::words(state, outcome));
        warnings.extend(state.consumers.iter().filter_map(|p| match p {
            Progress::Converged(note) => note.clone(),
            _ => None,
        }));
        warnings.extend(state.patches.iter().map(|p| stacks::words(state, p)));
        warnings.extend(state.notes.iter().cloned());
        warnings.extend(state.versions.iter().filter_map(|v| match &v.old {
            Old::Kept(reason) => Some(reason.clone()),
            _ => None,
        }));
        warnings.extend(grace_words(state, outcome));
        warnings.extend(state.plan.warnings.iter().map(|w| w.text.clone()));
        Self {
            schema: 1,
            simulated: state.plan.simulated,
            rotation: Some(state.rotation.clone()),
            outcome,
            secrets: (0..state.versions.len()).map(|n| secret(state, n, outcome)).collect(),
            consumers: (0..state.consumers.len())
                .map(|n| consumer(&state.plan.consumers[n], state.so_far(n)))
                .collect(),
            stacks: stack_reports(state),
            warnings,
            requests: 0,
            closed: state.stage == Stage::Ended(Ending::Stopped(End::Closed)),
            error: None,
        }
    }

    /// The report of a plan that was not begun, because of an error.
    #[must_use]
    pub fn not_begun(plan: Option<&Plan>, simulated: bool, error: &Error) -> Self {
        let outcome = match error.kind() {
            ErrorKind::Conflict | ErrorKind::Stale => Outcome::Conflict,
            ErrorKind::Denied => Outcome::Denied,
            ErrorKind::NeedsApproval => Outcome::AwaitingApproval,
            _ => Outcome::NotStarted,
        };
        let secret = |planned: &PlannedSecret| SecretReport {
            name: planned.secret.clone(),
            outcome,
            previous: None,
            current: planned.previous.as_ref().map(|p| VersionReport { id: p.id.clone(), name: p.name.clone() }),
        };
        let secrets = plan.map(|plan| plan.secrets.iter().map(secret).collect());
        let consumers = plan.map(|p| p.consumers.iter().map(|c| consumer(c, ("not_started", None))).collect());
        Self {
            schema: 1,
            simulated,
            rotation: None,
            outcome,
            secrets: secrets.unwrap_or_default(),
            consumers: consumers.unwrap_or_default(),
            stacks: Vec::new(),
            warnings: vec![error.to_string()],
            requests: 0,
            closed: false,
            error: Some(ErrorReport { kind: error.kind(), message: error.to_string() }),
        }
    }
}

fn outcome(state: &State) -> Outcome {
    if state.stopped.is_some() && !state.is_over() {
        return Outcome::NeedsHuman;
    }
    match state.stage {
        Stage::Ended(Ending::Complete) | Stage::Grace if is_half_revoked(state) => Outcome::NeedsHuman,
        Stage::Ended(Ending::Complete) | Stage::Grace if waits_for_a_patch(state) => Outcome::AwaitingPatch,
        Stage::Ended(Ending::Complete) | Stage::Grace => Outcome::Applied,
        Stage::AwaitPatch => Outcome::AwaitingPatch,
        Stage::Ended(Ending::Stopped(End::NotStarted)) => Outcome::NotStarted,
        Stage::Ended(Ending::Stopped(End::Conflict)) => Outcome::Conflict,
        Stage::Ended(Ending::Stopped(End::RolledBack)) => Outcome::RolledBack,
        // What became of it is what that person says.
        Stage::Ended(Ending::Stopped(End::NeedsHuman | End::Closed)) => Outcome::NeedsHuman,
        Stage::Prepare | Stage::Credential | Stage::Close | Stage::Update | Stage::Settle | Stage::Undo => {
            Outcome::NeedsHuman
        }
    }
}

/// A revocation that has left a consumer behind, or the old version.
fn is_half_revoked(state: &State) -> bool {
    let failed = state.consumers.iter().any(|p| matches!(p, Progress::Failed(_) | Progress::Unsure(_)));
    let kept = state.versions.iter().any(|v| matches!(v.old, Old::Kept(_)));
    state.plan.strategy == Strategy::Revoke && (failed || kept)
}

/// A revocation does not wait for its patches, but says that they are wanted.
fn waits_for_a_patch(state: &State) -> bool {
    state.plan.strategy == Strategy::Revoke && state.patches.iter().any(|patch| patch.kind != "cli")
}

fn secret(state: &State, n: usize, outcome: Outcome) -> SecretReport {
    let planned = &state.plan.secrets[n];
    let version = |id: &SecretId, name: &SecretName| VersionReport { id: id.clone(), name: name.clone() };
    let old = planned.previous.as_ref().map(|p| version(&p.id, &p.name));
    let new = state.versions[n].created.as_ref().map(|c| version(&c.id, &planned.next.name));
    let (previous, current) = match outcome {
        Outcome::NeedsHuman if state.undo.is_some() => (None, old),
        Outcome::Applied | Outcome::AwaitingPatch | Outcome::NeedsHuman => match new {
            Some(new) => (old, Some(new)),
            None => (None, old),
        },
        _ => (None, old),
    };
    SecretReport { name: planned.secret.clone(), outcome, previous, current }
}

fn consumer(planned: &PlannedConsumer, (outcome, reason): (&str, Option<String>)) -> ConsumerReport {
    ConsumerReport { service: planned.service.clone(), id: planned.id.clone(), outcome: outcome.into(), reason }
}

impl State {
    /// How far a consumer is, in the words of a report, and why.
    fn so_far(&self, n: usize) -> (&'static str, Option<String>) {
        match &self.consumers[n] {
            Progress::Pending => match self.again.get(&n) {
                Some(reason) => ("failed", Some(reason.clone())),
                None => ("not_started", None),
            },
            Progress::Begun => ("in_progress", None),
            Progress::Converged(note) => ("applied", note.clone()),
            Progress::Failed(reason) | Progress::RestoreFailed(reason) => ("failed", Some(reason.clone())),
            Progress::Unsure(reason) => ("inconclusive", Some(reason.clone())),
            Progress::Left(reason) => ("left", Some(reason.clone())),
            Progress::Restored(reason) => ("rolled_back", reason.clone()),
        }
    }
}

/// The stacks that were written, and those that wait for a patch.
fn stack_reports(state: &State) -> Vec<StackReport> {
    let open = |name: &&String| !state.patches.iter().any(|patch| patch.name == **name);
    let git = |commit: &Option<String>| if commit.is_some() { "git" } else { "file" };
    let applied = matches!(outcome(state), Outcome::Applied | Outcome::AwaitingPatch);
    let written = state.written.iter().filter(|(name, _)| applied && open(name)).map(|(name, commit)| StackReport {
        name: name.clone(),
        kind: git(commit).to_owned(),
        outcome: "applied".to_owned(),
        patch: None,
    });
    written.chain(state.patches.iter().map(stack)).collect()
}

fn stack(patch: &StackPatch) -> StackReport {
    let outcome = if patch.kind == "cli" { "unknown" } else { "awaiting_patch" };
    StackReport {
        name: patch.name.clone(),
        kind: patch.kind.clone(),
        outcome: outcome.into(),
        patch: patch.patch.clone(),
    }
}

fn grace_words(state: &State, outcome: Outcome) -> Option<String> {
    let (Outcome::Applied, Stage::Grace, Some(until)) = (outcome, state.stage, state.grace_until) else { return None };
    if state.versions.iter().any(|v| matches!(v.old, Old::Kept(_))) {
        return None;
    }
    let are = if state.plan.replaced().count() == 1 { "is" } else { "are" };
    let old = ticked(state.plan.replaced().map(|v| v.name.as_str()));
    let grace = state.plan.timing.grace;
    (!grace.is_zero()).then(|| {
        format!(
            "{old} {are} kept for {}, until {until}; `swarmsecrets retire` removes what is kept then",
            humane(grace)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_prints_as_it_stands_in_json() {
        use Outcome as O;
        for outcome in [
            O::Applied,
            O::RolledBack,
            O::NotStarted,
            O::NeedsHuman,
            O::AwaitingApproval,
            O::AwaitingPatch,
            O::Conflict,
            O::Denied,
        ] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.to_string());
        }
    }
}
