//! Where the members of an object and the items of a list stand in JSON text. serde_json finds them: it hands out
//! slices of the text, and a slice's place is the distance of its pointer from the text's.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserializer as _;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::model::text::Text;
use crate::model::unreadable::unreadable;

/// The keys of an object, unescaped, and the ranges of their values, in the order of the text.
pub(crate) fn members(object: &str) -> Result<Vec<(Cow<'_, str>, Range<usize>)>> {
    struct Members<'a>(&'a str);
    impl<'de> Visitor<'de> for Members<'de> {
        type Value = Vec<(Cow<'de, str>, Range<usize>)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                let key = key.borrowed().map_or_else(|| Cow::Owned(key.to_string()), Cow::Borrowed);
                found.push((key, range_in(self.0, value.get())));
            }
            Ok(found)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(object);
    reader.deserialize_map(Members(object)).map_err(|error| unreadable("a spec's object", &error))
}

/// The ranges of a list's items.
pub(crate) fn items(list: &str) -> Result<Vec<Range<usize>>> {
    struct Items<'a>(&'a str);
    impl<'de> Visitor<'de> for Items<'de> {
        type Value = Vec<Range<usize>>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some(value) = list.next_element::<&'de RawValue>()? {
                found.push(range_in(self.0, value.get()));
            }
            Ok(found)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(list);
    reader.deserialize_seq(Items(list)).map_err(|error| unreadable("a spec's list", &error))
}

/// The range of a member's value, if the object has it.
///
/// # Errors
/// [`ErrorKind::Refused`] if the key stands twice: an edit of either would be a guess.
pub(crate) fn member(object: &str, key: &str) -> Result<Option<Range<usize>>> {
    let mut found = members(object)?.into_iter().filter(|(k, _)| k == key).map(|(_, range)| range);
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(_) => Err(Error::new(ErrorKind::Refused, format!("the spec has the key `{key}` twice in one object"))),
    }
}

/// The range of the value at a path of keys, if all are there and none is `null` on the way.
pub(crate) fn at(text: &str, path: &[&str]) -> Result<Option<Range<usize>>> {
    let mut range = 0..text.len();
    for key in path {
        let object = &text[range.clone()];
        if object == "null" {
            return Ok(None);
        }
        match member(object, key)? {
            Some(inner) => range = shifted(inner, range.start),
            None => return Ok(None),
        }
    }
    Ok(Some(range))
}

/// A range within a part of the text, as a range of the text.
pub(crate) fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Where a slice stands in the text that it was cut from.
pub(crate) fn range_in(text: &str, slice: &str) -> Range<usize> {
    let start = (slice.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    debug_assert!(text.get(start..start + slice.len()).is_some_and(|s| std::ptr::eq(s, slice)));
    start..start + slice.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_exact() {
        let text = r#" { "a" : 1.0 , "\u0062": [ 1 ,{ } ] , "c":null}"#;
        let found: Vec<_> =
            members(text).unwrap().into_iter().map(|(k, r)| (k.into_owned(), text[r].to_owned())).collect();
        assert_eq!(
            found,
            [("a", "1.0"), ("b", "[ 1 ,{ } ]"), ("c", "null")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        let list = &text[at(text, &["b"]).unwrap().unwrap()];
        let found: Vec<&str> = items(list).unwrap().into_iter().map(|r| &list[r]).collect();
        assert_eq!(found, ["1", "{ }"]);
    }

    #[test]
    fn a_path_through_null_leads_nowhere_and_a_doubled_key_is_refused() {
        assert_eq!(at(r#"{"a":null}"#, &["a", "b"]).unwrap(), None);
        assert_eq!(at(r#"{"a":{"c":1}}"#, &["a", "b"]).unwrap(), None);
        let error = at(r#"{"a":{},"\u0061":{}}"#, &["a"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(at(r#"{"a":7}"#, &["a", "b"]).unwrap_err().kind(), ErrorKind::Protocol);
    }
}
