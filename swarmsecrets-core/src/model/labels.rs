//! Labels, packed: a Swarm of ten thousand services has some hundred thousand of them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::Deserializer;
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};

/// Labels, in the order of their keys. They are data that anybody may have written, never instructions.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Keys and values in turn, one behind the other.
    text: Box<str>,
    /// Where each of them ends in `text`.
    ends: Box<[usize]>,
}

impl Labels {
    /// No labels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        // They are few, and most differ in length alone: no search is faster than looking at each.
        let place = (0..self.len()).find(|n| &self.text.as_bytes()[self.range(2 * n)] == key.as_bytes())?;
        Some(self.word(2 * place + 1))
    }

    /// All keys and values, in the order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        (0..self.len()).map(|n| (self.word(2 * n), self.word(2 * n + 1)))
    }

    /// The same labels, and these; of a key that stands twice, the last value counts.
    #[must_use]
    pub fn with<'a>(&'a self, others: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.iter().chain(others).collect()
    }

    /// Packs pairs that come in the order of their keys, each once.
    pub(super) fn packed<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let (count, length) =
            pairs.clone().fold((0, 0), |(n, sum), (key, value)| (n + 2, sum + key.len() + value.len()));
        // Of their full size from the start, so that neither is moved when it is boxed.
        let (mut text, mut ends) = (String::with_capacity(length), Vec::with_capacity(count));
        for word in pairs.flat_map(|(key, value)| [key, value]) {
            text.push_str(word);
            ends.push(text.len());
        }
        Self { text: text.into(), ends: ends.into() }
    }

    fn word(&self, n: usize) -> &str {
        &self.text[self.range(n)]
    }

    fn range(&self, n: usize) -> Range<usize> {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        start..self.ends[n]
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Labels {
    /// Of a key that stands twice, the last value counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs: Vec<(K, V)> = pairs.into_iter().collect();
        let sorted: BTreeMap<&str, &str> = pairs.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
        Self::packed(sorted.iter().map(|(key, value)| (*key, *value)))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.len()))?;
        self.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::<String, String>::deserialize(from)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn labels_are_a_sorted_map_of_strings(map in prop::collection::btree_map("\\PC{0,6}", "\\PC{0,6}", 0..9), key in "\\PC{0,2}") {
            let labels: Labels = map.iter().collect();
            prop_assert_eq!(labels.len(), map.len());
            prop_assert_eq!(labels.is_empty(), map.is_empty());
            prop_assert!(labels.iter().eq(map.iter().map(|(k, v)| (k.as_str(), v.as_str()))));
            prop_assert!(map.iter().all(|(k, v)| labels.get(k) == Some(v)));
            prop_assert_eq!(labels.get(&key), map.get(&key).map(String::as_str));
            let text = serde_json::to_string(&labels).unwrap();
            prop_assert_eq!(&text, &serde_json::to_string(&map).unwrap());
            prop_assert_eq!(serde_json::from_str::<Labels>(&text).unwrap(), labels);
        }
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        let labels: Labels = [("b", "1"), ("a", "2"), ("b", "3")].into_iter().collect();
        assert_eq!(
            labels.with([("a", "4"), ("c", "5")]).iter().collect::<Vec<_>>(),
            [("a", "4"), ("b", "3"), ("c", "5")]
        );
        assert_eq!(format!("{labels:?}"), r#"{"a": "2", "b": "3"}"#);
    }
}
