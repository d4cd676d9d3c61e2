//! What the lines of a trail say together. It is read line by line, and nothing is kept of it but what is open.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{AuditRecord, Checkpoint, Compared, Link, Phase};
use crate::error::Result;
use crate::ids::RotationId;

/// A record and its place in the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its place, from 0. It stands in line `n + 1`.
    pub n: u64,
    /// The record.
    #[serde(flatten)]
    pub record: AuditRecord,
}

/// What makes an outcome that of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Mutation {
    rotation: RotationId,
    step: u32,
    action: String,
}

impl Mutation {
    fn of(record: &AuditRecord) -> Self {
        Self { rotation: record.rotation.clone(), step: record.step, action: record.action.clone() }
    }
}

/// A trail as far as it was read: give it one line after the other.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    end: Link,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// The intents without an outcome, the latest of each mutation last.
    open: HashMap<Mutation, Vec<Entry>>,
    /// The checkpoints, and whether the trail agreed with each when it came to its place.
    against: Vec<(Checkpoint, Option<bool>)>,
}

impl Reading {
    /// Begins to read a trail that is held against checkpoints. Their signatures are not looked at here: see
    /// [`Checkpoint::check`].
    #[must_use]
    pub fn against(checkpoints: Vec<Checkpoint>) -> Self {
        let against = checkpoints.into_iter().map(|one| (one, None)).collect();
        let mut reading = Self { against, ..Self::default() };
        reading.compare();
        reading
    }

    /// Takes the next line, without its break, and gives what stands in it.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`](crate::ErrorKind::Audit), naming the line and the record that is changed, removed, moved or
    /// inserted. Nothing of it is taken then.
    pub fn take(&mut self, line: &[u8]) -> Result<Entry> {
        let n = self.records();
        let (linked, end) = self.end.read(line).map_err(|e| e.context(format_args!("line {}", n + 1)))?;
        let entry = Entry { n, record: linked.record };
        self.end = end;
        self.from.get_or_insert(entry.record.at);
        self.until = Some(entry.record.at);
        self.note(&entry);
        self.compare();
        Ok(entry)
    }

    /// How the trail stands to its checkpoints. `ended` says whether it was read to its end: then records that were not reached
    /// are missing.
    #[must_use]
    pub fn compared(&self, ended: bool) -> Vec<Compared> {
        let held = |agreed: Option<bool>| agreed.or(ended.then_some(false));
        self.against.iter().map(|(one, agreed)| Compared::of(one, held(*agreed))).collect()
    }

    /// What the checkpoints say against a trail that was read to its end, if they say something: the one that goes back the
    /// furthest.
    #[must_use]
    pub fn denied(&self) -> Option<String> {
        let denied = self.compared(true).into_iter().filter(|one| one.held == Some(false));
        let one = denied.min_by_key(|one| one.records)?;
        let signed = format!("the checkpoint that the key {} signed at {}", one.key, one.at);
        let (has, had) = (self.records(), one.records);
        Some(match had.checked_sub(has) {
            Some(missing @ 1..) => format!(
                "the trail ends after {has} records, and {signed} tells of {had}: the last {missing} of them, audit record {has} and those \
                 after it, were cut off"
            ),
            _ => format!(
                "line {had}: audit record {} is not the one of {signed}: the trail was written anew, up to there at least",
                had.saturating_sub(1)
            ),
        })
    }

    fn compare(&mut self) {
        for (checkpoint, agreed) in &mut self.against {
            *agreed = agreed.or(checkpoint.agrees(&self.end));
        }
    }

    /// How many records were read.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.end.records()
    }

    /// The end of the chain.
    #[must_use]
    pub fn end(&self) -> &Link {
        &self.end
    }

    /// The time of the first record.
    #[must_use]
    pub fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// The time of the last record. Clocks may be set back: it need not be the latest.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The intents whose outcome never came, in the order of the trail: each of these mutations may have been done, and
    /// nobody wrote down how it went.
    #[must_use]
    pub fn open(&self) -> Vec<Entry> {
        let mut open: Vec<Entry> = self.open.values().flatten().cloned().collect();
        open.sort_unstable_by_key(|entry| entry.n);
        open
    }

    fn note(&mut self, entry: &Entry) {
        let mutation = Mutation::of(&entry.record);
        match entry.record.phase {
            Phase::Intent => self.open.entry(mutation).or_default().push(entry.clone()),
            Phase::Outcome => {
                // What was begun again after a crash ends the last beginning; how the one before went was never told.
                let Some(begun) = self.open.get_mut(&mutation) else { return };
                begun.pop();
                if begun.is_empty() {
                    self.open.remove(&mutation);
                }
            }
        }
    }
}
