//! The audit trail: who did what, when and why, written before and after each mutation.

mod chain;
mod record;

use async_trait::async_trait;

pub use self::chain::{Link, Linked, verify};
pub use self::record::{Actor, AuditRecord, Phase};
use crate::error::Result;

/// Takes audit records. A mutation does not happen unless its intent was taken.
#[async_trait]
pub trait AuditSink: Send + Sync {
    /// Appends a record and returns when it is durable.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`](crate::ErrorKind::Audit); then the mutation must not happen.
    async fn append(&self, record: &AuditRecord) -> Result<()>;
}
