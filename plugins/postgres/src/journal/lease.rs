//! A lease on a rotation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use swarmsecrets_core::Result;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::Lease;
use tokio::sync::oneshot;

use super::failure::journal;
use super::keeper::{Keeper, Term};

/// The epochs of the leases that a store has given out: what it writes is written under them.
#[derive(Clone, Default)]
pub(super) struct Taken(Arc<Mutex<BTreeMap<RotationId, i64>>>);

impl Taken {
    pub(super) fn epoch(&self, rotation: &RotationId) -> Option<i64> {
        self.map().get(rotation).copied()
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<RotationId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, rotation: &RotationId, epoch: i64) {
        let mut map = self.map();
        if map.get(rotation) == Some(&epoch) {
            map.remove(rotation);
        }
    }
}

/// Held while it lives and its keeper can renew it.
pub(super) struct PostgresLease {
    taken: Taken,
    rotation: RotationId,
    epoch: i64,
    term: Arc<Term>,
    stop: Option<oneshot::Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl PostgresLease {
    /// Takes it, with a keeper at work from then on.
    pub(super) async fn take(keeper: Keeper, taken: Taken) -> Result<Self> {
        let (rotation, term) = (keeper.rotation.clone(), keeper.term.clone());
        let no_keeper = |why: String| journal(format!("cannot keep the lease on rotation {rotation}: {why}"));
        let (told, hears) = oneshot::channel();
        let (stop, stops) = oneshot::channel();
        let thread = std::thread::Builder::new().name("swarmsecrets lease".into());
        let thread = thread.spawn(move || keeper.work(told, stops)).map_err(|e| no_keeper(e.to_string()))?;
        let epoch = hears.await.map_err(|_| no_keeper("its keeper has ended".into()))??;
        taken.map().insert(rotation.clone(), epoch);
        Ok(Self { taken, rotation, epoch, term, stop: Some(stop), keeper: Some(thread) })
    }
}

impl Lease for PostgresLease {
    fn held(&self) -> bool {
        self.term.runs()
    }
}

impl Drop for PostgresLease {
    /// Waits, for some seconds at most, until it is given back: another one can take it from then on.
    fn drop(&mut self) {
        self.taken.remove(&self.rotation, self.epoch);
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}
