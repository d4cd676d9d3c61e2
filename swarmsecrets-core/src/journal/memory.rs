//! A journal store in memory, for tests and for simulations that keep nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Entry, Journal, JournalStore, Lease};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::RotationId;

/// Keeps journals as long as it lives. Clones share what they keep, and the leases too: they stand for one process.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    kept: Arc<Mutex<Kept>>,
    /// The leases that were given out here, by their epochs.
    taken: Arc<Mutex<BTreeMap<RotationId, u64>>>,
}

#[derive(Default)]
struct Kept {
    order: Vec<RotationId>,
    entries: BTreeMap<RotationId, Vec<Entry>>,
    leases: BTreeMap<RotationId, Holding>,
}

/// Who may write: the epoch counts the holders.
#[derive(Default)]
struct Holding {
    epoch: u64,
    held: bool,
}

impl MemoryJournal {
    /// The same journals, as another process opens them.
    #[must_use]
    pub fn opened_anew(&self) -> Self {
        Self { kept: self.kept.clone(), taken: Arc::default() }
    }

    /// Ends the lease on a rotation, as if its holder had been silent for too long: another one may take it now.
    pub fn expire(&self, rotation: &RotationId) {
        if let Some(holding) = self.kept().leases.get_mut(rotation) {
            *holding = Holding { epoch: holding.epoch + 1, held: false };
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<RotationId, u64>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl JournalStore for MemoryJournal {
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        let taken = self.taken().get(rotation).copied();
        let mut kept = self.kept();
        if taken.is_some_and(|epoch| !kept.is_held(rotation, epoch)) {
            let text = format!("the lease on rotation {rotation} was lost: another process may have taken it over");
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        kept.append(rotation, entry)
    }

    async fn load(&self, rotation: &RotationId) -> Result<Journal> {
        let entries = self.kept().entries.get(rotation).cloned();
        entries
            .map(|entries| Journal { entries, torn_bytes: 0 })
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no journal of rotation {rotation}")))
    }

    async fn list(&self) -> Result<Vec<RotationId>> {
        Ok(self.kept().order.clone())
    }

    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>> {
        let epoch = {
            let mut kept = self.kept();
            let holding = kept.leases.entry(rotation.clone()).or_default();
            if holding.held {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "rotation {rotation} is being carried out by another process: wait for it, or stop it first"
                    ),
                ));
            }
            *holding = Holding { epoch: holding.epoch + 1, held: true };
            holding.epoch
        };
        self.taken().insert(rotation.clone(), epoch);
        Ok(Box::new(Held { store: self.clone(), rotation: rotation.clone(), epoch }))
    }
}

impl Kept {
    fn is_held(&self, rotation: &RotationId, epoch: u64) -> bool {
        self.leases.get(rotation).is_some_and(|holding| holding.held && holding.epoch == epoch)
    }

    fn append(&mut self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        let entries = match self.entries.entry(rotation.clone()) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                self.order.push(rotation.clone());
                slot.insert(Vec::new())
            }
        };
        let (next, n) = (entries.len() as u64, entry.n);
        if n != next {
            let text = format!("the journal of rotation {rotation} goes on with entry {next}, not {n}");
            return Err(Error::new(ErrorKind::Journal, text));
        }
        entries.push(entry.clone());
        Ok(())
    }
}

struct Held {
    store: MemoryJournal,
    rotation: RotationId,
    epoch: u64,
}

impl Lease for Held {
    fn held(&self) -> bool {
        self.store.kept().is_held(&self.rotation, self.epoch)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(holding) = self.store.kept().leases.get_mut(&self.rotation).filter(|h| h.epoch == self.epoch) {
            holding.held = false;
        }
        let mut taken = self.store.taken();
        if taken.get(&self.rotation) == Some(&self.epoch) {
            taken.remove(&self.rotation);
        }
    }
}
