//! Audit sinks.

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::{Error, ErrorKind, Result};

use super::{Done, Plugin};

/// `swarmsecrets.audit.AuditSink`.
pub(crate) struct Sink(pub(crate) Plugin);

#[async_trait]
impl AuditSink for Sink {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        let audit = |message: String| Error::new(ErrorKind::Audit, message);
        let text = serde_json::to_string(record).map_err(|e| audit(format!("the record cannot be written: {e}")))?;
        let taken = self.0.ask("append", (text,)).await;
        taken.map(|Done| ()).map_err(|error: Error| {
            audit(format!("the audit record was not taken: {}", error.message())).with_source(error)
        })
    }
}
