//! What a host keeps on its disk: journals as lines of JSON, and an audit trail. It outlives processes, and can be lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use swarmsecrets_core::audit::AuditRecord;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, Event, Journal};
use swarmsecrets_core::rotation::State;

/// What is on the disk of one host.
#[derive(Default)]
pub(super) struct Disk {
    /// In the order in which they were begun.
    order: Vec<RotationId>,
    journals: BTreeMap<RotationId, Lines>,
    /// All that was ever written, also to journals that are lost.
    pub(super) written: Vec<String>,
    /// Who holds a rotation: the process, and the number of its lease.
    pub(super) leases: BTreeMap<RotationId, (usize, u64)>,
    /// How many leases were ever given.
    pub(super) given: u64,
    pub(super) audit: Vec<AuditRecord>,
}

/// A journal as it stands on the disk, and its whole entries.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// The disk, shared by the processes of its host.
pub(super) type Host = Arc<Mutex<Disk>>;

pub(super) fn lock(host: &Host) -> MutexGuard<'_, Disk> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// The rotations whose journal has a whole first entry, in the order in which they were begun.
    pub(super) fn rotations(&self) -> Vec<RotationId> {
        self.order.iter().filter(|id| !self.entries(id).is_empty()).cloned().collect()
    }

    /// The journal of a rotation as the disk has it; what was written in part is cut off.
    pub(super) fn read(&self, rotation: &RotationId) -> Option<Journal> {
        let bytes = &self.journals.get(rotation)?.bytes;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let entries = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        Some(Journal { entries, torn_bytes: bytes.len() - whole })
    }

    /// The entries of a rotation's journal.
    pub(super) fn entries(&self, rotation: &RotationId) -> &[Entry] {
        self.journals.get(rotation).map_or(&[], |lines| &lines.entries)
    }

    /// The last event of a rotation's journal.
    pub(super) fn last(&self, rotation: &RotationId) -> Option<&Event> {
        self.entries(rotation).last().map(|entry| &entry.event)
    }

    /// How far a rotation is; none if it has no journal here, or one that cannot be folded.
    pub(super) fn state(&self, rotation: &RotationId) -> Option<State> {
        State::replay(self.entries(rotation).iter().map(|entry| &entry.event)).ok()
    }

    /// Adds an entry in its place.
    ///
    /// # Errors
    /// If another entry belongs there.
    pub(super) fn append(&mut self, rotation: &RotationId, entry: &Entry) -> Result<(), String> {
        let next = self.cut(rotation);
        if next != entry.n {
            return Err(format!(
                "the journal goes on with entry {next}, not {}: another process writes to it",
                entry.n
            ));
        }
        let line = serde_json::to_string(entry).map_err(|error| error.to_string())?;
        let journal = self.journal(rotation);
        journal.bytes.extend_from_slice(line.as_bytes());
        journal.bytes.push(b'\n');
        journal.entries.push(entry.clone());
        self.written.push(line);
        Ok(())
    }

    /// Writes so many thousandths of an entry.
    pub(super) fn tear(&mut self, rotation: &RotationId, entry: &Entry, thousandths: u64) {
        self.cut(rotation);
        let line = serde_json::to_vec(entry).unwrap_or_default();
        let part = line.len() as u64 * thousandths / 1_000;
        let part = line.into_iter().take(usize::try_from(part).unwrap_or(0));
        self.journal(rotation).bytes.extend(part);
    }

    /// Loses all journals. Gives the rotations that had one.
    pub(super) fn lose(&mut self) -> Vec<RotationId> {
        self.journals.clear();
        self.leases.clear();
        std::mem::take(&mut self.order)
    }

    /// Cuts off what was written in part; gives the number of whole entries.
    fn cut(&mut self, rotation: &RotationId) -> u64 {
        let Some(Lines { bytes, entries }) = self.journals.get_mut(rotation) else { return 0 };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(whole);
        entries.len() as u64
    }

    fn journal(&mut self, rotation: &RotationId) -> &mut Lines {
        if !self.order.contains(rotation) {
            self.order.push(rotation.clone());
        }
        self.journals.entry(rotation.clone()).or_default()
    }

    /// Whether anything is left to do, if only to wait.
    pub(super) fn has_open(&self) -> bool {
        self.rotations().iter().filter_map(|id| self.state(id)).any(|state| !state.is_over())
    }

    /// Whether the last process that had a rotation in hand died or was stopped: what it wrote last is not an end.
    pub(super) fn ends_in_mid_air(&self, rotation: &RotationId) -> bool {
        !matches!(
            self.last(rotation),
            Some(Event::Stopped { .. } | Event::Settled { .. } | Event::GraceBegun { .. } | Event::Retired { .. })
        )
    }
}
