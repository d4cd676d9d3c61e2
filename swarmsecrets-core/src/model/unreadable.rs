//! Answers that are not what the protocol says, as errors that quote nothing of them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::{Error, ErrorKind, Result};

/// The error for an answer that could not be read. serde_json's own words may quote a string of the answer, which may
/// be a credential in an environment variable: only the place and the class are said.
pub(crate) fn unreadable(what: &str, error: &serde_json::Error) -> Error {
    let class = match error.classify() {
        serde_json::error::Category::Io => "a reading error",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "a field of another type than expected",
        serde_json::error::Category::Eof => "it ends too early",
    };
    Error::new(
        ErrorKind::Protocol,
        format!("cannot read {what}: {class} at line {} column {}", error.line(), error.column()),
    )
}

/// Reads the whole of an answer as `T`.
///
/// # Errors
/// [`ErrorKind::Protocol`], naming `what` and the place, and quoting nothing.
pub fn read<'a, T: Deserialize<'a>>(what: &str, body: &'a [u8]) -> Result<T> {
    let text = utf8(what, body)?;
    serde_json::from_str(text).map_err(|error| unreadable(what, &error))
}

/// Reads a list of `T`; `null` is the empty list.
///
/// # Errors
/// As [`read`].
pub fn read_list<'a, T: Deserialize<'a>>(what: &str, body: &'a [u8]) -> Result<Vec<T>> {
    Ok(read::<Option<Vec<T>>>(what, body)?.unwrap_or_default())
}

/// Reads a list, handing each item to `each` as it is read, so that not all of them are held at once.
///
/// # Errors
/// As [`read`], and what `each` returns.
pub fn for_each<'a, T: Deserialize<'a>>(what: &str, body: &'a [u8], each: impl FnMut(T) -> Result<()>) -> Result<()> {
    for_each_seed(what, utf8(what, body)?, PhantomData::<T>, each)
}

/// As [`for_each`], with a seed that reads an item.
pub(crate) fn for_each_seed<'a, S: DeserializeSeed<'a> + Copy>(
    what: &str,
    input: &'a str,
    seed: S,
    each: impl FnMut(S::Value) -> Result<()>,
) -> Result<()> {
    let mut from = serde_json::Deserializer::from_str(input);
    let mut stopped = None;
    let done = from.deserialize_option(Items { seed, each, stopped: &mut stopped }).and_then(|()| from.end());
    match stopped {
        Some(error) => Err(error),
        None => done.map_err(|error| unreadable(what, &error)),
    }
}

struct Items<'s, S, F> {
    seed: S,
    each: F,
    stopped: &'s mut Option<Error>,
}

impl<'a, S: DeserializeSeed<'a> + Copy, F: FnMut(S::Value) -> Result<()>> Visitor<'a> for Items<'_, S, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element_seed(self.seed)? {
            if let Err(error) = (self.each)(item) {
                *self.stopped = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// Checks once that the answer is UTF-8, so that its strings need not be checked one by one.
pub(crate) fn utf8<'a>(what: &str, body: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(body).map_err(|error| {
        Error::new(ErrorKind::Protocol, format!("cannot read {what}: not UTF-8 at byte {}", error.valid_up_to()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_quote_nothing_of_the_answer() {
        let error = read::<Vec<u64>>("numbers", br#"[1, "hunter2-made-up"]"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(error.message().contains("column"), "{error}");
    }

    #[test]
    fn null_is_an_empty_list() {
        assert!(read_list::<u64>("numbers", b"null").unwrap().is_empty());
        assert_eq!(read_list::<u64>("numbers", b"\xff").unwrap_err().kind(), ErrorKind::Protocol);
    }
}
