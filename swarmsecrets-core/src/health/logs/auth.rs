//! Finds the lines that say a credential was refused.

use aho_corasick::AhoCorasick;

use super::auth_table::PATTERNS;
use crate::error::{Error, ErrorKind, Result};

/// How servers and clients say that a credential is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuthPattern {
    /// What says so, for people.
    pub(super) system: &'static str,
    /// What a line has in it, in any order, whatever the case.
    pub(super) parts: &'static [&'static str],
    /// How many lines it takes, where there were none before.
    pub(super) enough: u64,
}

impl AuthPattern {
    /// What it is called in baselines.
    pub(super) fn key(&self) -> String {
        self.parts.join(" … ")
    }
}

/// All patterns, looked for at once: one pass over a line, however many there are.
pub(super) struct AuthSearch {
    parts: AhoCorasick,
    /// The pattern of each part.
    owners: Vec<usize>,
}

impl AuthSearch {
    pub(super) fn new() -> Result<Self> {
        let all =
            || PATTERNS.iter().enumerate().flat_map(|(n, pattern)| pattern.parts.iter().map(move |part| (n, *part)));
        let parts =
            AhoCorasick::builder().ascii_case_insensitive(true).build(all().map(|(_, part)| part)).map_err(|e| {
                Error::new(ErrorKind::Invalid, "the patterns of refused credentials cannot be set up").with_source(e)
            })?;
        Ok(Self { parts, owners: all().map(|(n, _)| n).collect() })
    }

    /// The first pattern of the table that the line fits.
    pub(super) fn find(&self, line: &[u8]) -> Option<&'static AuthPattern> {
        let mut seen: Vec<usize> = Vec::new();
        for found in self.parts.find_overlapping_iter(line) {
            let part = found.pattern().as_usize();
            if !seen.contains(&part) {
                seen.push(part);
            }
        }
        let owner = |part: &usize| self.owners.get(*part).copied();
        let whole = |n: &usize| {
            let parts = PATTERNS.get(*n).map_or(usize::MAX, |pattern| pattern.parts.len());
            seen.iter().filter(|part| owner(part) == Some(*n)).count() == parts
        };
        seen.iter().filter_map(owner).filter(whole).min().and_then(|n| PATTERNS.get(n))
    }
}
