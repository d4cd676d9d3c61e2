//! One line of the audit trail.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::Approved;
use crate::ids::{EnvironmentId, PlanDigest, RequestDigest, RotationId};
use crate::policy::Direction;

/// Who acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The Portainer account.
    pub account: String,
    /// The AI agent, if one acts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<String>,
    /// Why: the agent's reasoning or the operator's words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// By whose leave, where that was needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leave: Option<Leave>,
}

/// An approval that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// The digest of the change request.
    pub request: RequestDigest,
    /// Who approved, each person once.
    pub approvers: Vec<String>,
    /// When it expires.
    pub expires: Timestamp,
}

impl From<&Approved> for Leave {
    fn from(approved: &Approved) -> Self {
        Self {
            request: approved.request().clone(),
            approvers: approved.approvers().to_vec(),
            expires: approved.expires(),
        }
    }
}

/// Before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The mutation is about to be sent.
    Intent,
    /// The mutation's outcome is known, or known to be unknown.
    Outcome,
}

/// What is written about one mutation, before and after. It holds no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The environment that is changed.
    pub environment: EnvironmentId,
    /// The rotation that it belongs to.
    pub rotation: RotationId,
    /// The digest of the plan.
    pub plan: PlanDigest,
    /// Intent or outcome.
    pub phase: Phase,
    /// The number of the mutation in its rotation; intent and outcome share it.
    pub step: u32,
    /// Which way it goes.
    pub direction: Direction,
    /// What, in words: "update service `web`: `db` -> `db_v2`".
    pub action: String,
    /// For an outcome: `done`, `refused` or `unknown`, and the message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<String>,
    /// Whether this was a simulation.
    pub simulated: bool,
}
