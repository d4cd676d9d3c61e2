//! What the lines of a trail say together. It is read line by line, and nothing is kept of it but what is open.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{AuditRecord, Link, Phase};
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
}

impl Reading {
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
        Ok(entry)
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
