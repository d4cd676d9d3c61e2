//! The memory of limits, as a trait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use jiff::Timestamp;

use super::ledger::Ledger;
use super::limits::Tally;
use crate::error::Result;
use crate::ids::RotationId;

/// A rotation that is about to begin, and what limits count of it.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// The rotation.
    pub rotation: RotationId,
    /// The time by the clock.
    pub now: Timestamp,
    /// Whether the world is simulated. What is counted there does not count elsewhere.
    pub simulated: bool,
    /// What is counted.
    pub tallies: Vec<Tally>,
}

/// Remembers what was begun and what is in hand, whichever process did it and whenever. [`Ledger`] decides.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Counts a rotation, if there is room for it, and returns when that is durable. Of several that take the last room at the same
    /// time exactly one succeeds. What is counted stays so, whatever becomes of the rotation.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`](crate::ErrorKind::Denied) if there is no room, as [`Ledger::begin`] says it. With any other error it
    /// may be counted or not, and nothing must be begun.
    async fn begin(&self, beginning: Beginning) -> Result<Box<dyn Held>>;

    /// A rotation is not in hand any more; returns when that is durable. One that never was is no error.
    ///
    /// # Errors
    /// If that cannot be written down.
    async fn end(&self, rotation: &RotationId, simulated: bool) -> Result<()>;
}

/// The place of a rotation that is about to begin. Where it is dropped before it is kept, or its process dies, the place is free
/// again.
#[async_trait]
pub trait Held: Send + Sync {
    /// The rotation has begun, and can be taken up by others: from now on it has its place until [`Counters::end`]. Returns when
    /// that is durable.
    ///
    /// # Errors
    /// If that cannot be written down; then nothing must be sent.
    async fn keep(self: Box<Self>) -> Result<()>;
}

/// Remembers as long as it lives, for tests and simulations. Clones share what they remember.
#[derive(Clone, Debug, Default)]
pub struct MemoryCounters {
    real: Arc<Mutex<Memory>>,
    simulated: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    ledger: Ledger,
    /// Those that are about to begin, and whether their places are still held.
    places: Vec<(RotationId, Weak<()>)>,
}

struct MemoryPlace {
    memory: Arc<Mutex<Memory>>,
    rotation: RotationId,
    _alive: Arc<()>,
}

impl MemoryCounters {
    fn memory(&self, simulated: bool) -> &Arc<Mutex<Memory>> {
        if simulated { &self.simulated } else { &self.real }
    }
}

fn locked(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Counters for MemoryCounters {
    async fn begin(&self, beginning: Beginning) -> Result<Box<dyn Held>> {
        let shared = self.memory(beginning.simulated);
        let memory = &mut *locked(shared);
        memory.places.retain(|(_, place)| place.strong_count() > 0);
        let places = &memory.places;
        memory.ledger.begin(&beginning, |rotation| places.iter().any(|(id, _)| id == rotation))?;
        let (alive, rotation) = (Arc::new(()), beginning.rotation);
        memory.places.push((rotation.clone(), Arc::downgrade(&alive)));
        Ok(Box::new(MemoryPlace { memory: shared.clone(), rotation, _alive: alive }))
    }

    async fn end(&self, rotation: &RotationId, simulated: bool) -> Result<()> {
        locked(self.memory(simulated)).ledger.end(rotation);
        Ok(())
    }
}

#[async_trait]
impl Held for MemoryPlace {
    async fn keep(self: Box<Self>) -> Result<()> {
        locked(&self.memory).ledger.keep(&self.rotation);
        Ok(())
    }
}
