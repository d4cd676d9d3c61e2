//! Counts what a log says, in memory that has a bound.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::auth::{AuthPattern, AuthSearch};
use super::errors::{ErrorSearch, kind};
use super::excerpt::excerpt;
use super::frames::Source;
use super::line::LogLine;
use crate::error::Result;
use crate::health::Target;

/// How many kinds of error lines are told apart; the others are counted together.
const MOST_KINDS: usize = 512;

/// What a log was found to say. This is what a baseline keeps: counts, and sixteen bits for each kind of error line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// How long the log was watched, in milliseconds.
    pub(super) watched_ms: u64,
    /// Lines that say a credential was refused, by pattern.
    pub(super) auth: BTreeMap<String, u64>,
    /// Other error lines, by kind.
    pub(super) errors: BTreeMap<u16, u64>,
    /// Error lines of further kinds.
    pub(super) other_errors: u64,
}

impl Counts {
    /// All error lines, refused credentials left aside.
    pub(super) fn all_errors(&self) -> u64 {
        self.errors.values().sum::<u64>() + self.other_errors
    }
}

/// Both searches, set up once.
pub(super) struct Searches {
    auth: AuthSearch,
    errors: ErrorSearch,
}

impl Searches {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { auth: AuthSearch::new()?, errors: ErrorSearch::new()? })
    }
}

/// Counts the lines of the tasks of a target.
pub(super) struct Tally<'a> {
    searches: &'a Searches,
    target: &'a Target,
    tail: u64,
    lines: BTreeMap<&'a str, u64>,
    first: Option<Timestamp>,
    pub(super) auth: BTreeMap<String, (&'static AuthPattern, u64)>,
    errors: BTreeMap<u16, (u64, String)>,
    other_errors: u64,
    /// Whether the Engine said that a part of the log could not be read.
    pub(super) gaps: bool,
}

impl<'a> Tally<'a> {
    /// Begins to count. `tail` is how many lines of each task were asked for.
    pub(super) fn new(searches: &'a Searches, target: &'a Target, tail: u32) -> Self {
        Self {
            searches,
            target,
            tail: u64::from(tail),
            lines: BTreeMap::new(),
            first: None,
            auth: BTreeMap::new(),
            errors: BTreeMap::new(),
            other_errors: 0,
            gaps: false,
        }
    }

    pub(super) fn add(&mut self, line: &LogLine<'_>) {
        if line.source == Source::Engine {
            self.gaps = true;
            return;
        }
        // A task that is on its way out complains of that; what it says is not what this version does.
        let Some(task) = self.target.tasks.iter().find(|task| line.task == Some(task.id.as_str())) else { return };
        *self.lines.entry(task.id.as_str()).or_default() += 1;
        self.first = [self.first, line.at].into_iter().flatten().min();
        if let Some(pattern) = self.searches.auth.find(line.text) {
            self.auth.entry(pattern.key()).or_insert((pattern, 0)).1 += 1;
        } else if self.searches.errors.is_error(line.text) {
            self.error(line.text);
        }
    }

    fn error(&mut self, text: &[u8]) {
        let kind = kind(text);
        if let Some((count, _)) = self.errors.get_mut(&kind) {
            *count += 1;
        } else if self.errors.len() < MOST_KINDS {
            self.errors.insert(kind, (1, excerpt(text)));
        } else {
            self.other_errors += 1;
        }
    }

    /// What was counted, of a log that was watched from `begun` to `now`. Where only its tail came, it was watched from
    /// the first line of that on.
    pub(super) fn counts(&self, begun: Timestamp, now: Timestamp) -> Counts {
        let cut = self.lines.values().any(|lines| *lines >= self.tail);
        let from = self.first.filter(|_| cut).map_or(begun, |first| first.max(begun));
        let watched = Duration::try_from(now.duration_since(from)).unwrap_or_default();
        Counts {
            watched_ms: u64::try_from(watched.as_millis()).unwrap_or(u64::MAX),
            auth: self.auth.iter().map(|(key, (_, count))| (key.clone(), *count)).collect(),
            errors: self.errors.iter().map(|(kind, (count, _))| (*kind, *count)).collect(),
            other_errors: self.other_errors,
        }
    }

    /// What is shown of a kind of error line.
    pub(super) fn excerpt(&self, kind: u16) -> &str {
        self.errors.get(&kind).map_or("", |(_, excerpt)| excerpt)
    }
}
