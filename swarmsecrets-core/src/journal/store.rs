//! The trait of the places that keep journals.

use async_trait::async_trait;

use super::Entry;
use crate::error::Result;
use crate::ids::RotationId;

/// A journal as it was read back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// What was cut off at the end because it had been written in part, in bytes. Say so to the user.
    pub torn_bytes: usize,
}

/// Held while one process carries a rotation; given back when dropped.
pub trait Lease: Send + Sync {
    /// Whether it is still held.
    fn held(&self) -> bool;
}

/// Keeps the journals of rotations, one for each. Every append is durable when it returns.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Adds an entry to a rotation's journal, making the journal if there is none, and returns when it is durable.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`](crate::ErrorKind::Journal); then the entry must be taken as not written.
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()>;

    /// Reads a journal. An entry at the end that was written in part is cut off, and said.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; `Journal` if it cannot be read or is damaged before its end.
    async fn load(&self, rotation: &RotationId) -> Result<Journal>;

    /// The rotations that have a journal, oldest first.
    ///
    /// # Errors
    /// `Journal` if they cannot be listed.
    async fn list(&self) -> Result<Vec<RotationId>>;

    /// Takes the rotation for this process alone.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if another process has it.
    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>>;
}
