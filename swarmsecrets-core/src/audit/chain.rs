//! The hash chain: each line carries the hash of the one before, so that nothing in the middle can be changed unseen.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::AuditRecord;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{hex, one_line};

/// The version of the line format.
const FORMAT: u32 = 1;

/// How much of what a parser says is told. It may quote the line, which anybody may have written.
const MAX_WORDS: usize = 160;

/// The end of a chain: what the next line is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    next: u64,
    hash: String,
}

/// One line: a record, its place, and the hashes that bind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    /// The version of the line format.
    pub v: u32,
    /// Its place, from 0.
    pub n: u64,
    /// The record.
    pub record: AuditRecord,
    /// The hash of the line before; of nothing, 64 zeros.
    pub previous: String,
    /// SHA-256 over the format, the place, the hash before and the record.
    pub hash: String,
}

impl Default for Link {
    fn default() -> Self {
        Self { next: 0, hash: "0".repeat(64) }
    }
}

impl Link {
    /// The end of a chain whose last line is `line`, taken on its word: only its own hash is checked, not what is before it.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if the line was changed.
    pub fn at(line: &Linked) -> Result<Self> {
        Self { next: line.n, hash: line.previous.clone() }.after(line)
    }

    /// How many records stand before it.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.next
    }

    /// The hash of the last line; of nothing, 64 zeros.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Reads the text of the line that stands at the end of the chain, without its line break, and gives the end after it.
    ///
    /// The text must be the very one that is written for its record: JSON can spell the same thing in several ways, and a
    /// byte that was changed into another spelling was changed all the same.
    ///
    /// # Errors
    /// As [`Link::after`], and if the text is no record or is spelled otherwise.
    pub fn read(&self, text: &[u8]) -> Result<(Linked, Self)> {
        let line: Linked = serde_json::from_slice(text).map_err(|e| self.broken(&unreadable(text, &e)))?;
        let end = self.after(&line)?;
        if serde_json::to_vec(&line).ok().as_deref() != Some(text) {
            return Err(self.broken("it says what was written, but not in the same bytes: the line was changed"));
        }
        Ok((line, end))
    }

    /// The line for the next record.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`] if the record cannot be encoded.
    pub fn line(&self, record: &AuditRecord) -> Result<Linked> {
        let hash = hash(self.next, &self.hash, record)?;
        Ok(Linked { v: FORMAT, n: self.next, record: record.clone(), previous: self.hash.clone(), hash })
    }

    /// The end of the chain once `line` stands at it.
    ///
    /// # Errors
    /// [`ErrorKind::Audit`], saying which line is changed, moved, removed or inserted.
    pub fn after(&self, line: &Linked) -> Result<Self> {
        let broken = |why: &str| Err(self.broken(why));
        if line.v != FORMAT {
            return broken(&unknown(line.v.into()));
        }
        if line.n != self.next {
            return broken(&format!("found number {} in its place: a record was removed, moved or inserted", line.n));
        }
        if line.previous != self.hash {
            return broken("it does not follow the record before it: one of the two was changed or exchanged");
        }
        if line.hash != hash(line.n, &line.previous, &line.record)? {
            return broken("its content was changed");
        }
        // A record whose number is the largest there is cannot be reached by counting from 0.
        Ok(Self { next: line.n.saturating_add(1), hash: line.hash.clone() })
    }

    fn broken(&self, why: &str) -> Error {
        Error::new(ErrorKind::Audit, format!("audit record {}: {why}", self.next))
    }
}

/// Why a text is no record.
fn unreadable(text: &[u8], error: &serde_json::Error) -> String {
    /// What every format has, this one and those to come.
    #[derive(Deserialize)]
    struct Format {
        v: u64,
    }
    match serde_json::from_slice(text) {
        Ok(Format { v }) if v != u64::from(FORMAT) => return unknown(v),
        _ => {}
    }
    let what = if error.is_data() { "it is JSON, but no audit record" } else { "it is no JSON" };
    let words = error.to_string();
    // The parser counts lines within this one.
    let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    format!("{what}: {}, at byte {}", one_line(words, MAX_WORDS), error.column())
}

fn unknown(format: u64) -> String {
    format!("format {format} is not known, only {FORMAT}: a newer swarmsecrets wrote it, or it was changed")
}

/// Checks a chain from its beginning and gives its end.
///
/// # Errors
/// [`ErrorKind::Audit`], naming the first record that is wrong.
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a Linked>) -> Result<Link> {
    lines.into_iter().try_fold(Link::default(), |end, line| end.after(line))
}

fn hash(n: u64, previous: &str, record: &AuditRecord) -> Result<String> {
    let record = serde_json::to_vec(record)
        .map_err(|e| Error::new(ErrorKind::Audit, "the audit record cannot be encoded").with_source(e))?;
    let mut sha = Sha256::new();
    sha.update(format!("swarmsecrets audit {FORMAT}\n{n}\n{previous}\n"));
    sha.update(record);
    Ok(hex(&sha.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Actor, Phase};
    use crate::ids::{EnvironmentId, PlanDigest, RotationId};
    use crate::policy::Direction;

    fn record(action: &str) -> AuditRecord {
        AuditRecord {
            at: jiff::Timestamp::UNIX_EPOCH,
            actor: Actor {
                account: "admin".into(),
                agent: Some("agent-7".into()),
                reason: Some("monthly".into()),
                leave: None,
            },
            environment: EnvironmentId(1),
            rotation: RotationId::from_random([1; 10]),
            plan: PlanDigest::from_sha256([2; 32]),
            phase: Phase::Intent,
            step: 1,
            direction: Direction::Forward,
            action: action.into(),
            outcome: None,
            simulated: true,
        }
    }

    fn chain() -> Vec<Linked> {
        let mut end = Link::default();
        let mut lines = Vec::new();
        for action in ["create", "update", "delete"] {
            let line = end.line(&record(action)).unwrap();
            end = end.after(&line).unwrap();
            lines.push(line);
        }
        lines
    }

    #[test]
    fn a_whole_chain_is_good_also_after_json() {
        let text = serde_json::to_string(&chain()).unwrap();
        let lines: Vec<Linked> = serde_json::from_str(&text).unwrap();
        assert_eq!(verify(&lines).unwrap().next, 3);
    }

    #[test]
    fn a_changed_removed_moved_or_inserted_record_is_named() {
        let broken = |change: fn(&mut Vec<Linked>)| {
            let mut lines = chain();
            change(&mut lines);
            verify(&lines).unwrap_err().to_string()
        };
        assert!(broken(|l| l[1].record.action = "nothing".into()).starts_with("audit record 1: its content"));
        assert!(broken(|l| drop(l.remove(1))).starts_with("audit record 1: found number 2"));
        assert!(broken(|l| l.swap(0, 1)).starts_with("audit record 0: found number 1"));
        assert!(broken(|l| l.insert(1, l[0].clone())).starts_with("audit record 1: found number 0"));
    }
}
