//! What changes in one consumer's references, forward or back.

use crate::error::Result;
use crate::ids::{SecretId, SecretName};
use crate::inventory::SecretReference;
use crate::model::SpecText;
use crate::policy::Direction;

/// From which versions to which, at each place where the consumer mounts one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) swaps: Vec<Swap>,
    /// What goes along where nobody else has changed it since.
    pub(super) also: Vec<Swap>,
    pub(super) direction: Direction,
}

impl Route {
    /// Brings along what stands before its exchange as all the rest does: a redeploy takes back everything.
    pub(super) fn take_along(&mut self, references: &[SecretReference]) {
        let before = |swap: &Swap| swap.is(references, swap.before());
        if self.swaps.iter().filter(|swap| matches!(swap, Swap::Exchange { .. })).all(before) {
            self.swaps.extend(self.also.extract_if(.., |swap| swap.is(references, swap.before())));
        }
    }

    /// Whether versions are exchanged, and none is mounted beside another.
    pub(super) fn only_exchanges(&self) -> bool {
        self.swaps.iter().all(|swap| matches!(swap, Swap::Exchange { .. }))
    }

    /// Whether some references were exchanged and others not: that was somebody else, as one update exchanges all.
    pub(super) fn is_half_done(&self, references: &[SecretReference]) -> bool {
        let mut exchanged = self.swaps.iter().filter(|swap| matches!(swap, Swap::Exchange { .. }));
        let first = exchanged.next().map(|swap| swap.is(references, swap.after()));
        exchanged.any(|swap| Some(swap.is(references, swap.after())) != first)
    }

    /// The spec with what is not done yet, and nothing else; with words for people: `db -> db_v2, key -> key_v2`.
    ///
    /// # Errors
    /// Those of the edits.
    pub(super) fn edit(&self, spec: &SpecText) -> Result<(SpecText, String)> {
        let references = spec.references()?;
        let to_move = self.swaps.iter().filter(|swap| swap.is(&references, swap.before()));
        let (mut edited, mut words) = (spec.clone(), Vec::new());
        for swap in to_move {
            edited = swap.edit(&edited)?;
            words.push(swap.words());
        }
        words.dedup();
        Ok((edited, words.join(", ")))
    }
}

/// A version's id and name.
type Version = (SecretId, SecretName);

/// What changes at one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Swap {
    /// Another version is mounted.
    Exchange { target: String, from: Version, to: Version },
    /// A version is mounted where none is, with the user, the group and the mode of the reference at `like`.
    Add { target: String, version: Version, like: String },
    /// A version is not mounted any more.
    Drop { target: String, version: Version },
}

impl Swap {
    /// The version that is mounted there before.
    pub(super) fn before(&self) -> Option<&SecretId> {
        match self {
            Self::Exchange { from: (id, _), .. } | Self::Drop { version: (id, _), .. } => Some(id),
            Self::Add { .. } => None,
        }
    }

    /// The version that is mounted there after.
    pub(super) fn after(&self) -> Option<&SecretId> {
        match self {
            Self::Exchange { to: (id, _), .. } | Self::Add { version: (id, _), .. } => Some(id),
            Self::Drop { .. } => None,
        }
    }

    /// Whether the references are as this version at its target would have it; without one, as nothing there would.
    pub(super) fn is(&self, references: &[SecretReference], version: Option<&SecretId>) -> bool {
        let (Self::Exchange { target, .. } | Self::Add { target, .. } | Self::Drop { target, .. }) = self;
        let mut there = references.iter().filter(|r| r.target == *target).peekable();
        match version {
            Some(id) => there.any(|r| r.id == id.as_str()),
            None => there.peek().is_none(),
        }
    }

    fn edit(&self, spec: &SpecText) -> Result<SpecText> {
        match self {
            Self::Exchange { target, from, to } => {
                spec.replace_reference(target, (from.0.as_str(), from.1.as_str()), (&to.0, &to.1))
            }
            Self::Add { target, version: (id, name), like } => {
                let like = spec.references()?.into_iter().find(|r| r.target == *like);
                let (uid, gid, mode) = like.map_or_else(|| ("0".into(), "0".into(), 0o444), |r| (r.uid, r.gid, r.mode));
                let (id, name, target) = (id.to_string(), name.to_string(), target.clone());
                spec.add_reference(&SecretReference { id, name, target, uid, gid, mode })
            }
            Self::Drop { target, .. } => spec.remove_reference(target),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Exchange { from: (_, from), to: (_, to), .. } => format!("{from} -> {to}"),
            Self::Add { target, version: (_, name), .. } => format!("and {name} at {target}"),
            Self::Drop { target, version: (_, name) } => format!("without {name} at {target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two references of one secret, and the old version beside the first.
    fn route() -> Route {
        let version = |id: &str, name: &str| (id.parse().unwrap(), name.parse().unwrap());
        let (old, new) = (version("old", "db"), version("new", "db_v2"));
        let exchange = |target: &str| Swap::Exchange { target: target.into(), from: old.clone(), to: new.clone() };
        let add = Swap::Add { target: "a.previous".into(), version: old.clone(), like: "a".into() };
        Route { swaps: vec![exchange("a"), exchange("b"), add], also: Vec::new(), direction: Direction::Forward }
    }

    fn references(all: &[(&str, &str)]) -> Vec<SecretReference> {
        let reference = |(target, id): &(&str, &str)| SecretReference {
            id: (*id).into(),
            name: "db".into(),
            target: (*target).into(),
            uid: "0".into(),
            gid: "0".into(),
            mode: 0o444,
        };
        all.iter().map(reference).collect()
    }

    #[test]
    fn what_one_update_exchanges_together_is_not_half_done() {
        for (there, half) in [
            (&[("a", "old"), ("b", "old")][..], false),
            (&[("a", "new"), ("b", "new")], false),
            (&[("a", "new"), ("b", "new"), ("a.previous", "old")], false),
            (&[("a", "new"), ("b", "old")], true),
            (&[("a", "old"), ("b", "new"), ("a.previous", "old")], true),
        ] {
            assert_eq!(route().is_half_done(&references(there)), half, "{there:?}");
        }
    }
}
