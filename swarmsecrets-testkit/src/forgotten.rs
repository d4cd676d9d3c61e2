//! The audit trail of a simulation that nobody keeps.

use async_trait::async_trait;
use swarmsecrets_core::Result;
use swarmsecrets_core::audit::{AuditRecord, AuditSink};

/// Takes records and forgets them, for a simulated world that ends with its process. Never for a real one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgotten;

#[async_trait]
impl AuditSink for Forgotten {
    async fn append(&self, _: &AuditRecord) -> Result<()> {
        Ok(())
    }
}
