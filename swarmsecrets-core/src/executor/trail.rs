//! The two records of every mutation in the audit trail: its intent before, its outcome after.

use jiff::Timestamp;

use super::parts::Parts;
use super::progress::Progress;
use crate::audit::{AuditRecord, Phase};
use crate::error::{Error, Result};
use crate::rotation::Reply;

/// Writes the records of one run.
pub(super) struct Trail<'r> {
    parts: &'r Parts<'r>,
    /// What stands in every record.
    record: AuditRecord,
}

/// How a mutation ended.
pub(super) enum Ended<'e> {
    Done,
    Refused(&'e Error),
    Unknown(&'e Error),
}

impl<'r> Trail<'r> {
    pub(super) fn new(parts: &'r Parts<'r>, record: AuditRecord) -> Self {
        Self { parts, record }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.parts.clock.now().wall
    }

    /// What is not written down here is not done.
    pub(super) async fn intent(&self, words: &str) -> Result<()> {
        self.write(words, Phase::Intent, None).await?;
        self.parts.observer.tell(&Progress::Sending { words });
        Ok(())
    }

    /// A sink that fails here stops the next mutation, not the taking in of this one: the journal has its intent.
    pub(super) async fn outcome(&self, words: &str, ended: Ended<'_>) {
        let text = match ended {
            Ended::Done => "done".to_owned(),
            Ended::Refused(error) => format!("refused: {error}"),
            Ended::Unknown(error) => format!("unknown: {error}"),
        };
        if let Err(error) = self.write(words, Phase::Outcome, Some(text)).await {
            self.parts.observer.tell(&Progress::Trouble { message: error.message() });
        }
    }

    async fn write(&self, words: &str, phase: Phase, outcome: Option<String>) -> Result<()> {
        let at = self.now();
        let record = AuditRecord { at, phase, outcome, action: words.to_owned(), ..self.record.clone() };
        self.parts.audit.append(&record).await
    }
}

impl<'e> From<&'e Reply> for Ended<'e> {
    fn from(reply: &'e Reply) -> Self {
        match reply {
            Reply::Done(_) => Self::Done,
            Reply::Refused(error) => Self::Refused(error),
            Reply::Unknown(error) => Self::Unknown(error),
        }
    }
}

impl<'e> From<&'e Result<()>> for Ended<'e> {
    fn from(result: &'e Result<()>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) if error.is_unknown() || error.is_retryable() => Self::Unknown(error),
            Err(error) => Self::Refused(error),
        }
    }
}
