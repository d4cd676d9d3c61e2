//! Leave for commands in containers: a permit and an audit record for each mutation, as for those of the rotation itself.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::labels::OfSwarm;
use super::trail::{Ended, Trail};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Leave;
use crate::journal::Lease;
use crate::policy::{Direction, Gate, Guard, Permit};

/// Gives leave while one look lasts.
pub(super) struct AuditedLeave<'r> {
    trail: Trail<'r>,
    gate: &'r Gate,
    guards: &'r [Guard],
    labels: OfSwarm<'r>,
    lease: &'r dyn Lease,
    direction: Direction,
    withheld: Mutex<Option<Error>>,
}

impl<'r> AuditedLeave<'r> {
    pub(super) fn new(
        trail: Trail<'r>,
        (gate, guards, labels): (&'r Gate, &'r [Guard], OfSwarm<'r>),
        lease: &'r dyn Lease,
        direction: Direction,
    ) -> Self {
        Self { trail, gate, guards, labels, lease, direction, withheld: Mutex::default() }
    }

    /// Why leave was withheld, if it was. A probe makes what it can of that; the run must end.
    pub(super) fn withheld(self) -> Option<Error> {
        self.withheld.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, words: &str) -> Result<Permit> {
        if !self.lease.held() {
            return Err(Error::new(ErrorKind::Conflict, "the lease on the rotation was lost"));
        }
        for guard in self.guards {
            guard.check_switch(self.direction, &self.labels).await?;
        }
        let permit = self.gate.permit(self.direction, self.trail.now())?;
        self.trail.intent(words).await?;
        Ok(permit)
    }
}

#[async_trait]
impl Leave for AuditedLeave<'_> {
    async fn take(&self, words: &str) -> Result<Permit> {
        let answer = self.ask(words).await;
        if let Err(error) = &answer {
            let kept = Error::new(error.kind(), error.message());
            self.withheld.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(kept);
        }
        answer
    }

    async fn tell(&self, words: &str, outcome: &Result<()>) {
        self.trail.outcome(words, Ended::from(outcome)).await;
    }
}
