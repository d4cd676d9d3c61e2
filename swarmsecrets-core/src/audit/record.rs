//! One line of the audit trail.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::approval::Approved;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{EnvironmentId, PlanDigest, RequestDigest, RotationId, hex};
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
    /// The keyed fingerprints of the values that were in hand when it was asked for, by the names of their secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fingerprints: BTreeMap<String, String>,
}

impl From<&Approved> for Leave {
    fn from(approved: &Approved) -> Self {
        Self {
            request: approved.request().clone(),
            approvers: approved.approvers().to_vec(),
            expires: approved.expires(),
            fingerprints: approved.fingerprints().clone(),
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
///
/// As JSON its members stand in the order of these fields, and nothing stands between them: that is what chains and digests are
/// computed over.
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

impl AuditRecord {
    /// A name for this record that any sender gives it again: the SHA-256, in hexadecimal digits, of `swarmsecrets audit record 1`, a line
    /// feed, and its JSON. A sink that keeps one record of each name cannot be sent one twice.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if the record cannot be encoded.
    pub fn name(&self) -> Result<String> {
        let json = serde_json::to_vec(self)
            .map_err(|e| Error::new(ErrorKind::Audit, "the audit record cannot be encoded").with_source(e))?;
        let sha = Sha256::new().chain_update("swarmsecrets audit record 1\n").chain_update(json);
        Ok(hex(&sha.finalize()))
    }
}
