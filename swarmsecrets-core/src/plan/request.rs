//! What is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::credential::Account;
use crate::generate::GenerateSpec;
use crate::inventory::{Labels, label};
use crate::source::SourceVersion;

/// Where the next value comes from. The value itself is never part of a request or a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueRecipe {
    /// The caller hands it over when the plan is applied.
    Supplied,
    /// It is made at random when the plan is applied.
    Generate(GenerateSpec),
    /// It is this version of a value in a source, and is fetched when the plan is applied.
    Source(SourceVersion),
}

impl ValueRecipe {
    /// The labels of a new version, and what they say of where its value came from.
    pub(super) fn labelled(&self, labels: Labels) -> Labels {
        match self {
            Self::Source(version) => labels.with([(label::SOURCE, version.label().as_str())]),
            Self::Supplied | Self::Generate(_) => labels,
        }
    }
}

/// How the consumers get from one version to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Each consumer's reference is exchanged. What does not work is put back.
    #[default]
    Swap,
    /// The password behind the secret is changed in step: the new one is made valid first, beside the old one where the
    /// system can hold two, then the consumers are moved, then the old one is ended.
    Overlap,
    /// The old value must not be used any more: every consumer is moved, nothing goes back once the canary runs, and the old
    /// version is removed at once.
    Revoke,
}

impl Strategy {
    /// The word that documents and labels use for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Swap => "swap",
            Self::Overlap => "overlap",
            Self::Revoke => "revoke",
        }
    }
}

/// How many consumers are in hand at a time, and how many may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// How many consumers are updated at a time; at least 1.
    pub concurrency: u32,
    /// How many times a consumer may fail, be put back and tried again before everything is put back.
    pub failures: u32,
}

impl Default for Rollout {
    /// One after the other, and the first failure is one too many.
    fn default() -> Self {
        Self { concurrency: 1, failures: 0 }
    }
}

/// What a request allows that is refused otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowances {
    /// Update services in job mode, which runs the job again.
    pub jobs: bool,
    /// Write a stack's file even if the redeploy changes more than the secrets.
    pub redeploy: bool,
    /// Go on if the new version cannot be given the old one's owner: it then belongs to the account alone.
    pub owner: bool,
}

/// Which consumer goes first, alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Canary {
    /// Those that carry the label `io.swarmsecrets.canary`; without one, and where several are in hand at a time, the one
    /// with the fewest tasks.
    #[default]
    Labelled,
    /// This service.
    Service(String),
    /// None.
    Skipped,
}

/// The time limits of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// How long the replaced version is kept once every consumer runs on the new one.
    #[serde(rename = "grace_ms", with = "milliseconds")]
    pub grace: Duration,
    /// How long all tasks of a consumer must have run on the new version before it counts as healthy.
    #[serde(rename = "stability_ms", with = "milliseconds")]
    pub stability: Duration,
    /// How long one consumer may take to get there.
    #[serde(rename = "deadline_ms", with = "milliseconds")]
    pub deadline: Duration,
}

impl Default for Timing {
    /// A day of grace, ten seconds of stability, five minutes for each consumer.
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(24 * 3600),
            stability: Duration::from_secs(10),
            deadline: Duration::from_secs(300),
        }
    }
}

pub(super) mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::plan) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(in crate::plan) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// The services that a probe is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probed {
    /// The service of this name.
    Named(String),
    /// The services that carry this label with this value.
    Labelled(String, String),
}

impl Probed {
    /// Whether a service of this name and these labels is one of them.
    #[must_use]
    pub fn is(&self, name: &str, labels: &Labels) -> bool {
        match self {
            Self::Named(wanted) => wanted == name,
            Self::Labelled(key, value) => labels.get(key) == Some(value),
        }
    }
}

/// A rotation that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationRequest {
    /// The secrets, each by its logical name or the name of one of its versions, and where its next value comes from.
    pub secrets: Vec<(String, ValueRecipe)>,
    /// How.
    pub strategy: Strategy,
    /// Whose passwords are changed in step, by the names of the logical secrets.
    pub credentials: BTreeMap<String, Account>,
    /// The time limits.
    pub timing: Timing,
    /// The service to update first.
    pub canary: Canary,
    /// How many consumers are in hand at a time, and how many may fail.
    pub rollout: Rollout,
    /// Pairs of services, of which the first is updated after the second, beside those that labels tell.
    pub after: Vec<(String, String)>,
    /// Which probes are asked whether a service works, by their names, and for which services. Those that are no consumers
    /// are not asked about.
    pub probes: Vec<(Probed, String)>,
    /// What is allowed that is refused otherwise.
    pub allow: Allowances,
    /// Why.
    pub reason: Option<String>,
    /// The AI agent that asks, if one does.
    pub agent: Option<String>,
}

impl RotationRequest {
    /// A rotation of `secret` with the default limits.
    #[must_use]
    pub fn new(secret: impl Into<String>, recipe: ValueRecipe) -> Self {
        Self::of([(secret.into(), recipe)])
    }

    /// A rotation of several secrets together, with the default limits.
    #[must_use]
    pub fn of(secrets: impl IntoIterator<Item = (String, ValueRecipe)>) -> Self {
        Self {
            secrets: secrets.into_iter().collect(),
            strategy: Strategy::default(),
            credentials: BTreeMap::new(),
            timing: Timing::default(),
            canary: Canary::default(),
            rollout: Rollout::default(),
            after: Vec::new(),
            probes: Vec::new(),
            allow: Allowances::default(),
            reason: None,
            agent: None,
        }
    }
}

impl RotationRequest {
    /// A revocation of values that have leaked: behind a canary everywhere at once, with short limits, and without a grace.
    #[must_use]
    pub fn revoking(secrets: impl IntoIterator<Item = (String, ValueRecipe)>) -> Self {
        Self {
            strategy: Strategy::Revoke,
            timing: Timing {
                grace: Duration::ZERO,
                stability: Duration::from_secs(5),
                deadline: Duration::from_secs(120),
            },
            rollout: Rollout { concurrency: u32::MAX, failures: 0 },
            ..Self::of(secrets)
        }
    }
}

/// A first version that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// The name of the logical secret and of its first version.
    pub name: String,
    /// Where the value comes from.
    pub recipe: ValueRecipe,
    /// Labels that it gets beside ours.
    pub labels: Labels,
    /// Why.
    pub reason: Option<String>,
    /// The AI agent that asks, if one does.
    pub agent: Option<String>,
}
