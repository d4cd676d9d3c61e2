//! Leave for the commands of probes: a permit and an audit record for each mutation, as for those of the rotation itself.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::parts::Parts;
use super::progress::Progress;
use crate::audit::{AuditRecord, Phase};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Leave;
use crate::journal::Lease;
use crate::policy::{Direction, Gate, Permit};

/// Gives leave while one look lasts.
pub(super) struct AuditedLeave<'r> {
    parts: &'r Parts<'r>,
    gate: &'r Gate,
    lease: &'r dyn Lease,
    /// What stands in every record.
    record: AuditRecord,
    withheld: Mutex<Option<Error>>,
}

impl<'r> AuditedLeave<'r> {
    pub(super) fn new(parts: &'r Parts<'r>, gate: &'r Gate, lease: &'r dyn Lease, record: AuditRecord) -> Self {
        Self { parts, gate, lease, record, withheld: Mutex::default() }
    }

    /// Why leave was withheld, if it was. A probe makes what it can of that; the run must end.
    pub(super) fn withheld(self) -> Option<Error> {
        self.withheld.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, words: &str) -> Result<Permit> {
        if !self.lease.held() {
            return Err(Error::new(ErrorKind::Conflict, "the lease on the rotation was lost"));
        }
        let permit = self.gate.permit(Direction::Forward)?;
        self.write(words, Phase::Intent, None).await?;
        self.parts.observer.tell(&Progress::Sending { words });
        Ok(permit)
    }

    async fn write(&self, words: &str, phase: Phase, outcome: Option<String>) -> Result<()> {
        let at = self.parts.clock.now().wall;
        let record = AuditRecord { at, phase, outcome, action: words.to_owned(), ..self.record.clone() };
        self.parts.audit.append(&record).await
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
        let text = match outcome {
            Ok(()) => "done".to_owned(),
            Err(error) if error.is_unknown() || error.is_retryable() => format!("unknown: {error}"),
            Err(error) => format!("refused: {error}"),
        };
        // As with every mutation: the next intent is what a full sink stops.
        if let Err(error) = self.write(words, Phase::Outcome, Some(text)).await {
            self.parts.observer.tell(&Progress::Trouble { message: error.message() });
        }
    }
}
