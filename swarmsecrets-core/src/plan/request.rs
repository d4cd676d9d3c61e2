//! What is asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::generate::GenerateSpec;

/// Where the next value comes from. The value itself is never part of a request or a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueRecipe {
    /// The caller hands it over when the plan is applied.
    Supplied,
    /// It is made at random when the plan is applied.
    Generate(GenerateSpec),
}

/// How the consumers get from one version to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Each consumer's reference is exchanged.
    Swap,
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

mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// A rotation that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationRequest {
    /// The logical secret, or the name of one of its versions.
    pub secret: String,
    /// Where the next value comes from.
    pub recipe: ValueRecipe,
    /// The time limits.
    pub timing: Timing,
    /// The service to update first.
    pub canary: Option<String>,
    /// Whether services in job mode may be updated, which runs the job again.
    pub allow_jobs: bool,
    /// Why.
    pub reason: Option<String>,
    /// The AI agent that asks, if one does.
    pub agent: Option<String>,
}

impl RotationRequest {
    /// A rotation of `secret` with the default limits.
    #[must_use]
    pub fn new(secret: impl Into<String>, recipe: ValueRecipe) -> Self {
        Self {
            secret: secret.into(),
            recipe,
            timing: Timing::default(),
            canary: None,
            allow_jobs: false,
            reason: None,
            agent: None,
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
    pub labels: crate::inventory::Labels,
    /// Why.
    pub reason: Option<String>,
    /// The AI agent that asks, if one does.
    pub agent: Option<String>,
}
