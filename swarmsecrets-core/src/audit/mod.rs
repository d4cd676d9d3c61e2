//! The audit trail: who did what, when and why, written before and after each mutation.
//!
//! - `record`: what is written of one mutation.
//! - `chain`: how the lines are bound to each other, and what that finds.
//! - `checkpoint`: how far a trail went, signed, so that a tail that was cut off is missed.
//! - `reading`: what all lines say together: how many there are, and which intents have no outcome.
//! - `query`: which records are asked for.
//! - `verdict`: what a check of a whole trail found, as a document.

mod chain;
mod checkpoint;
mod query;
mod reading;
mod record;
#[cfg(test)]
mod trail_tests;
mod verdict;

use async_trait::async_trait;

pub use self::chain::{Link, Linked, verify};
pub use self::checkpoint::{Checkpoint, Compared};
pub use self::query::{Ending, Query, Selection, parse_moment};
pub use self::reading::{Entry, Reading};
pub use self::record::{Actor, AuditRecord, Leave, Phase};
pub use self::verdict::{Found, Verdict};
use crate::error::Result;

/// The longest line of a trail, without its break: 1 MiB. Nothing longer is written, and nothing longer is read.
pub const MAX_LINE: usize = 1 << 20;

/// Takes audit records. A mutation does not happen unless its intent was taken.
#[async_trait]
pub trait AuditSink: Send + Sync {
    /// Appends a record and returns when it is durable.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`](crate::ErrorKind::Audit); then the mutation must not happen.
    async fn append(&self, record: &AuditRecord) -> Result<()>;

    /// Whether it can tell that a record is durable. One that cannot, as a protocol without acknowledgements, may only
    /// be written to beside others that can.
    fn acknowledges(&self) -> bool {
        true
    }

    /// Waits, for some seconds at most, for what may be taken later than [`AuditSink::append`] returns. Nothing is undone if it fails.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`](crate::ErrorKind::Audit), saying what is not where it should be yet.
    async fn flush(&self) -> Result<()> {
        Ok(())
    }
}
