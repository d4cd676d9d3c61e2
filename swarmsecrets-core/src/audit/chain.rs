//! The hash chain: each line carries the hash of the one before, so that nothing in the middle can be changed unseen.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::AuditRecord;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::hex;

/// The version of the line format.
const FORMAT: u32 = 1;

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
        let broken = |why: &str| Err(Error::new(ErrorKind::Audit, format!("audit record {}: {why}", self.next)));
        if line.v != FORMAT {
            return broken(&format!("format {} is not known, only {FORMAT}", line.v));
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
        Ok(Self { next: line.n + 1, hash: line.hash.clone() })
    }
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
            actor: Actor { account: "admin".into(), agent: Some("agent-7".into()), reason: Some("monthly".into()) },
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
