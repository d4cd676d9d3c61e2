//! Which records of a trail are asked for.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{AuditRecord, Entry, Phase, Reading};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, SecretName, quoted};
use crate::inventory::stem;

/// What a record must have. What is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The secret: the name of a version, or what stands before the version in it. Records do not hold the names of logical
    /// secrets, so one that has its name from a label alone is found by its versions only.
    pub secret: Option<SecretName>,
    /// The rotation.
    pub rotation: Option<RotationId>,
    /// The agent that acted.
    pub agent: Option<String>,
    /// The account that acted.
    pub account: Option<String>,
    /// The time, or a later one.
    pub since: Option<Timestamp>,
    /// A time before this.
    pub until: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Ending>,
    /// At most so many: the last ones.
    pub limit: Option<NonZeroUsize>,
}

/// How a mutation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was done.
    Done,
    /// It was refused: nothing changed.
    Refused,
    /// It may have been done: no good answer came.
    Unknown,
    /// It may have been done: its outcome was never written down.
    Open,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Unknown, Self::Open];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Open => "open",
        }
    }
}

impl FromStr for Ending {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|ending| ending.word() == text).ok_or_else(|| {
            let message = format!("{} is no outcome: done, refused, unknown or open", quoted(text));
            Error::new(ErrorKind::Invalid, message)
        })
    }
}

impl Query {
    /// Checks that something can be found at all.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the time span is empty.
    pub fn check(&self) -> Result<()> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since >= until => {
                let message = format!("no time is at or after {since} and before {until}: exchange the two");
                Err(Error::new(ErrorKind::Invalid, message))
            }
            _ => Ok(()),
        }
    }

    /// Whether a record is asked for, leaving aside whether an intent is open: its outcome may stand further on.
    #[must_use]
    pub fn matches(&self, record: &AuditRecord) -> bool {
        self.secret.as_ref().is_none_or(|name| names(&record.action, name))
            && self.rotation.as_ref().is_none_or(|id| *id == record.rotation)
            && self.agent.as_ref().is_none_or(|agent| record.actor.agent.as_ref() == Some(agent))
            && self.account.as_ref().is_none_or(|account| *account == record.actor.account)
            && self.since.is_none_or(|since| since <= record.at)
            && self.until.is_none_or(|until| record.at < until)
            && self.outcome.is_none_or(|ending| ended(record, ending))
    }
}

fn ended(record: &AuditRecord, ending: Ending) -> bool {
    match ending {
        Ending::Open => record.phase == Phase::Intent,
        _ => record.outcome.as_deref().and_then(|text| text.split(':').next()) == Some(ending.word()),
    }
}

/// Whether an action has to do with a secret.
fn names(action: &str, secret: &SecretName) -> bool {
    let secret = secret.as_str();
    words(of_secrets(action)).any(|word| word == secret || stem(word) == Some(secret))
}

/// The part of an action that may name secrets. Services and stacks are often called as a secret is.
fn of_secrets(action: &str) -> &str {
    let after = |prefixes: &[&str], end: &str| {
        let rest = prefixes.iter().find_map(|prefix| action.strip_prefix(prefix))?;
        Some(rest.find(end).map_or("", |at| &rest[at..]))
    };
    after(&["update service ", "put back service "], ": ")
        .or_else(|| after(&["write the file of stack ", "set the variables of stack "], " (number "))
        .unwrap_or(action)
}

/// The words that may be names of secrets.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
}

/// Collects what is asked for while a trail is read.
#[derive(Debug)]
pub struct Selection<'q> {
    query: &'q Query,
    found: VecDeque<Entry>,
}

impl<'q> Selection<'q> {
    /// Nothing yet.
    #[must_use]
    pub fn new(query: &'q Query) -> Self {
        Self { query, found: VecDeque::new() }
    }

    /// Looks at a record.
    pub fn see(&mut self, entry: Entry) {
        // Which intents are open is known at the end alone.
        if self.query.outcome != Some(Ending::Open) {
            self.keep(entry);
        }
    }

    /// What was asked for, once the whole trail was read.
    #[must_use]
    pub fn end(mut self, reading: &Reading) -> Vec<Entry> {
        if self.query.outcome == Some(Ending::Open) {
            reading.open().into_iter().for_each(|entry| self.keep(entry));
        }
        self.found.into()
    }

    fn keep(&mut self, entry: Entry) {
        if !self.query.matches(&entry.record) {
            return;
        }
        if self.query.limit.is_some_and(|limit| self.found.len() == limit.get()) {
            self.found.pop_front();
        }
        self.found.push_back(entry);
    }
}

/// Reads a time: `2026-11-22T09:30:00Z`, with `Z` or the distance to UTC, or a day, `2026-11-22`, which begins at midnight in
/// UTC.
///
/// # Errors
/// What is wrong, for people.
pub fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let wrong =
        |_| format!("{} is no time: write 2026-11-22T09:30:00Z, or 2026-11-22 for its midnight in UTC", quoted(text));
    // A longer text may be a day with a time and no distance to UTC, which nobody could place.
    match text.len() {
        10 => {
            text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC)).map(|day| day.timestamp()).map_err(wrong)
        }
        _ => text.parse().map_err(wrong),
    }
}
