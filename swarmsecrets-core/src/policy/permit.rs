//! What every mutation needs and nobody outside the guardrails can make.

use serde::{Deserialize, Serialize};

use crate::ids::PlanDigest;

/// Which way a mutation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards what the plan wants.
    Forward,
    /// Back to what was before.
    Restore,
}

/// Leave for exactly one mutation of one plan, given by the guardrails and handed over by value.
///
/// It cannot be cloned, built or read from a file outside this crate.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    plan: PlanDigest,
    direction: Direction,
}

impl Permit {
    pub(crate) fn grant(plan: PlanDigest, direction: Direction) -> Self {
        Self { plan, direction }
    }

    /// The digest of the plan that the mutation belongs to.
    #[must_use]
    pub fn plan(&self) -> &PlanDigest {
        &self.plan
    }

    /// Which way the mutation goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }
}
