//! What came of reading a whole trail, as the documents that the command prints.

use jiff::Timestamp;
use serde::Serialize;

use super::{Compared, Entry, Reading};

/// What a check of a trail found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The version of this document.
    pub schema: u32,
    /// The file.
    pub file: String,
    /// How many records stand in it as they were written: all of them, or those before the problem.
    pub records: u64,
    /// The time of the first of them.
    pub from: Option<Timestamp>,
    /// The time of the last of them.
    pub until: Option<Timestamp>,
    /// The last of them; nothing if there is none.
    pub end: Option<End>,
    /// Whether there is nothing else in the file.
    pub whole: bool,
    /// What else there is, with its line and record, if there is something.
    pub problem: Option<String>,
    /// The intents without an outcome among them.
    pub open: Vec<Entry>,
    /// How the file stands to the checkpoints that it was held against.
    pub checkpoints: Vec<Compared>,
}

/// The last record of a trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    /// Its place, from 0.
    pub n: u64,
    /// Its hash, which stands for all records up to it.
    pub hash: String,
}

impl Verdict {
    /// What was found in a file: why the reading ended before the file did, if it did, and what is torn at its end, if something is.
    #[must_use]
    pub fn of(file: String, reading: &Reading, broken: Option<String>, torn: Option<String>) -> Self {
        let checkpoints = reading.compared(broken.is_none());
        let problem = broken.or_else(|| reading.denied()).or(torn);
        let last = reading.records().checked_sub(1);
        Self {
            schema: 1,
            file,
            records: reading.records(),
            from: reading.from(),
            until: reading.until(),
            end: last.map(|n| End { n, hash: reading.end().hash().to_owned() }),
            whole: problem.is_none(),
            problem,
            open: reading.open(),
            checkpoints,
        }
    }
}

/// The records that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The version of this document.
    pub schema: u32,
    /// The records, in the order of the trail.
    pub records: Vec<Entry>,
    /// How many bytes of a record that was never finished follow the last one.
    #[serde(skip)]
    pub torn_bytes: u64,
}
