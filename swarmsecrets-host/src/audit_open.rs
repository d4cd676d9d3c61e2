//! Intents without an outcome that nobody goes on with.

use std::path::Path;

use swarmsecrets_core::audit::{Entry, Reading};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::JournalStore;
use swarmsecrets_core::rotation::State;
use swarmsecrets_core::{ErrorKind, Result};

use crate::audit::shown;
use crate::audit_check::read;

/// The intents of a trail that have no outcome and whose rotation is over, or has no journal: each of these mutations may have been done,
/// and nobody will find out by going on. Those of a rotation that is not over are left to whoever resumes it.
///
/// The whole trail is read. If there is none, nothing is open.
///
/// # Errors
/// [`ErrorKind::Audit`] if the trail is not as it was written, or cannot be read; [`ErrorKind::Journal`] if a journal cannot be.
pub async fn open_intents(trail: &Path, journals: &dyn JournalStore) -> Result<Vec<Entry>> {
    let read = match read(trail, Reading::default(), |_| {}) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    if let Some(broken) = read.broken {
        return Err(broken.context(shown(trail)));
    }
    let mut open = read.reading.open();
    let mut rotations: Vec<RotationId> = open.iter().map(|entry| entry.record.rotation.clone()).collect();
    rotations.dedup();
    for rotation in rotations {
        if goes_on(journals, &rotation).await? {
            open.retain(|entry| entry.record.rotation != rotation);
        }
    }
    Ok(open)
}

/// Whether there is a journal of this rotation, and it is not over.
async fn goes_on(journals: &dyn JournalStore, rotation: &RotationId) -> Result<bool> {
    let journal = match journals.load(rotation).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        loaded => loaded?,
    };
    match journal.entries.is_empty() {
        true => Ok(false),
        false => Ok(!State::replay(journal.entries.iter().map(|entry| &entry.event))?.is_over()),
    }
}
