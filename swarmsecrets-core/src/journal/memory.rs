//! A journal store in memory, for tests and for simulations that keep nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Entry, Journal, JournalStore, Lease};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::RotationId;

/// Keeps journals as long as it lives. Clones share what they keep.
#[derive(Clone, Default)]
pub struct MemoryJournal(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    order: Vec<RotationId>,
    entries: BTreeMap<RotationId, Vec<Entry>>,
    locked: BTreeMap<RotationId, ()>,
}

impl MemoryJournal {
    fn with<T>(&self, f: impl FnOnce(&mut Kept) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl JournalStore for MemoryJournal {
    async fn append(&self, rotation: &RotationId, entry: &Entry) -> Result<()> {
        self.with(|kept| {
            let entries = match kept.entries.entry(rotation.clone()) {
                Slot::Occupied(slot) => slot.into_mut(),
                Slot::Vacant(slot) => {
                    kept.order.push(rotation.clone());
                    slot.insert(Vec::new())
                }
            };
            entries.push(entry.clone());
        });
        Ok(())
    }

    async fn load(&self, rotation: &RotationId) -> Result<Journal> {
        self.with(|kept| kept.entries.get(rotation).cloned())
            .map(|entries| Journal { entries, torn_bytes: 0 })
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no journal of rotation {rotation}")))
    }

    async fn list(&self) -> Result<Vec<RotationId>> {
        Ok(self.with(|kept| kept.order.clone()))
    }

    async fn lock(&self, rotation: &RotationId) -> Result<Box<dyn Lease>> {
        let free = self.with(|kept| kept.locked.insert(rotation.clone(), ()).is_none());
        if !free {
            return Err(Error::new(ErrorKind::Conflict, format!("rotation {rotation} is in other hands")));
        }
        Ok(Box::new(Held { store: self.clone(), rotation: rotation.clone() }))
    }
}

struct Held {
    store: MemoryJournal,
    rotation: RotationId,
}

impl Lease for Held {
    fn held(&self) -> bool {
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.store.with(|kept| kept.locked.remove(&self.rotation));
    }
}
