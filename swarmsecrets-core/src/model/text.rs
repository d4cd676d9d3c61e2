//! Text that is borrowed from the answer wherever it can be, also inside lists and maps.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A string of an answer: a slice of the bytes that were read, or an own copy where the JSON text has escapes.
///
/// `Cow<str>` alone borrows only as a struct's own field; inside `Vec` and `Option` serde always makes a copy of it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slice of the input that holds it, if it stands there without escapes.
    #[must_use]
    pub fn borrowed(&self) -> Option<&'a str> {
        match self.0 {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    /// The text as an own string.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        from.deserialize_str(Borrowing)
    }
}

/// A map of strings, such as labels, in the order of its keys. `null` reads as empty; of a key that stands twice, the
/// last value counts, as it does for the Engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextMap<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'a> TextMap<'a> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value.as_str())
    }

    /// All keys and values, in the order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// An own copy.
    #[must_use]
    pub fn to_labels(&self) -> super::Labels {
        super::Labels::packed(self.iter())
    }

    fn sorted(mut pairs: Vec<(Text<'a>, Text<'a>)>) -> Self {
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.reverse();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            pairs.dedup_by(|later, kept| later.0 == kept.0);
        }
        Self(pairs)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextMap<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = TextMap<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(TextMap::sorted(pairs))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(TextMap::default())
            }
            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(TextMap::default())
            }
            fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
                from.deserialize_map(self).map_err(D::Error::custom)
            }
        }
        from.deserialize_option(Pairs)
    }
}

/// Reads `null` as the empty value. Go writes an empty list, map or pointer in all these ways.
pub(crate) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed_and_escaped_text_is_copied() {
        let input = r#"["plain", "esc\u0061ped"]"#;
        let read: Vec<Text<'_>> = serde_json::from_str(input).unwrap();
        assert_eq!(read[0].borrowed(), Some("plain"));
        assert_eq!((read[1].borrowed(), read[1].as_str()), (None, "escaped"));
    }

    #[test]
    fn maps_are_sorted_and_the_last_of_a_key_counts() {
        let map: TextMap<'_> = serde_json::from_str(r#"{"b":"1","a":"2","b":"3"}"#).unwrap();
        assert_eq!(map.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!((map.get("b"), map.get("c")), (Some("3"), None));
        assert_eq!(serde_json::from_str::<TextMap<'_>>("null").unwrap(), TextMap::default());
    }
}
