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
///
/// It avoids double work. What keeps a rotation safe are fences: the entries' numbers, the names of versions, the version
/// numbers of services. A process may be paused after it has looked here, and wake up when another one has gone on.
pub trait Lease: Send + Sync {
    /// Whether it is still held. Quick: it asks nobody over a network. Once it was seen lost, whoever had it stops.
    fn held(&self) -> bool;
}

/// Keeps the journals of rotations, one for each. Every append is durable when it returns.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Adds an entry to a rotation's journal, making the journal if there is none, and returns when it is durable.
    ///
    /// Only whoever has taken the rotation with [`lock`](Self::lock), through this very store, may add to it. A store need
    /// not notice that nobody has taken it; it always notices that what it gave out was lost.
    ///
    /// # Errors
    /// [`ErrorKind::Journal`](crate::ErrorKind::Journal), also for an entry whose number is not the next one;
    /// [`Conflict`](crate::ErrorKind::Conflict) if the lease was lost. Then the entry must be taken as not written.
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
