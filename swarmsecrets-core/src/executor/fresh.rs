//! The values that a run generates.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::rotation::State;
use crate::secret::SecretValue;

/// The generated values of new versions, by the places of their secrets. Each is made once, and sent again as it is: a create
/// that got no answer may arrive after all, and then the version must hold what its password is set to.
pub(super) struct Fresh {
    made: BTreeMap<usize, SecretValue>,
    /// The secrets whose create an earlier process has sent: what their versions hold is not known here.
    earlier: BTreeSet<usize>,
}

impl Fresh {
    /// None yet, for a rotation that has come this far.
    pub(super) fn of(state: &State) -> Self {
        let sent = state.versions.iter().enumerate().filter(|(_, version)| version.create_sent);
        Self { made: BTreeMap::new(), earlier: sent.map(|(secret, _)| secret).collect() }
    }

    /// The value for a create: the one that was made before, or what is made now.
    pub(super) fn once(&mut self, secret: usize, make: impl FnOnce() -> Result<SecretValue>) -> Result<SecretValue> {
        if let Some(made) = self.made.get(&secret) {
            return Ok(made.clone());
        }
        let made = make()?;
        self.made.insert(secret, made.clone());
        Ok(made)
    }

    /// The create of this run was answered: it is this run's value that the version holds.
    pub(super) fn took(&mut self, secret: usize) {
        self.earlier.remove(&secret);
    }

    /// What the new version holds, if it was made in this run for sure.
    pub(super) fn get(&self, secret: usize) -> Option<&SecretValue> {
        self.made.get(&secret).filter(|_| !self.earlier.contains(&secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<SecretValue> {
        SecretValue::new(text.as_bytes().to_vec())
    }

    fn said(fresh: &Fresh) -> Option<&[u8]> {
        fresh.get(0).map(SecretValue::expose)
    }

    #[test]
    fn a_value_is_generated_once() {
        let mut fresh = Fresh { made: BTreeMap::new(), earlier: BTreeSet::new() };
        for _ in 0..2 {
            assert_eq!(fresh.once(0, || value("one")).unwrap().expose(), b"one");
        }
        assert_eq!(fresh.once(0, || value("two")).unwrap().expose(), b"one");
        assert_eq!(said(&fresh), Some(&b"one"[..]));
    }

    #[test]
    fn what_another_process_may_have_made_is_not_taken_for_ours() {
        let mut fresh = Fresh { made: BTreeMap::new(), earlier: BTreeSet::from([0]) };
        fresh.once(0, || value("two")).unwrap();
        assert_eq!(said(&fresh), None);
        fresh.took(0);
        assert_eq!(said(&fresh), Some(&b"two"[..]));
    }
}
