//! The part of a compose file that declares secrets, with the places of what names them.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_saphyr::{Location, Spanned};

use crate::error::{Error, ErrorKind, Result};

/// Files above this size are not read: Portainer itself stores much smaller ones.
const MAX_BYTES: usize = 4 << 20;

/// A compose file, as far as secrets go.
#[derive(Deserialize)]
pub(super) struct Compose {
    #[serde(default)]
    pub(super) secrets: Option<Declared>,
}

/// The entries under `secrets:`, in order.
pub(super) struct Declared(pub(super) Vec<(String, Spanned<Option<Declaration>>)>);

/// One entry under `secrets:`.
#[derive(Deserialize)]
pub(super) struct Declaration {
    #[serde(default)]
    pub(super) external: Option<Spanned<External>>,
    #[serde(default)]
    pub(super) name: Option<Spanned<String>>,
}

/// `external: true`, or the older `external: {name: x}`.
pub(super) enum External {
    /// A flag, which may come from a variable.
    Flag(String),
    /// The older form.
    Named(Option<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Declared {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Declared;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of secrets")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Declared, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Declared(entries))
            }
        }
        from.deserialize_map(Entries)
    }
}

impl<'de> Deserialize<'de> for External {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = External;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a map with a name")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<External, E> {
                Ok(External::Flag(flag.to_string()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<External, E> {
                Ok(External::Flag(text.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<External, E> {
                Ok(External::Flag("false".to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<External, A::Error> {
                let mut name = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "name" if name.is_some() => return Err(A::Error::duplicate_field("name")),
                        "name" => name = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(External::Named(name))
            }
        }
        from.deserialize_any(Either)
    }
}

/// Reads a compose file.
///
/// # Errors
/// [`ErrorKind::Invalid`] with the place, quoting nothing of the file; [`ErrorKind::TooLarge`].
pub(super) fn read(file: &str) -> Result<Compose> {
    check_size(file)?;
    let options = serde_saphyr::options! { with_snippet: false };
    let read = serde_saphyr::from_str_with_options::<Option<Compose>>(file, options);
    Ok(read.map_err(|error| unreadable(&error))?.unwrap_or(Compose { secrets: None }))
}

pub(super) fn check_size(file: &str) -> Result<()> {
    if file.len() > MAX_BYTES {
        let (is, limit) = (file.len(), MAX_BYTES);
        return Err(Error::new(ErrorKind::TooLarge, format!("the stack file has {is} bytes, more than {limit}")));
    }
    Ok(())
}

/// The parser's words may quote a scalar, which may be a credential: the place alone is told.
pub(super) fn unreadable(error: &serde_saphyr::Error) -> Error {
    let place = error.location().map_or(String::new(), |l| format!(" at line {} column {}", l.line(), l.column()));
    Error::new(ErrorKind::Invalid, format!("the stack file is not a compose file that can be read{place}"))
}

/// Where a node stands in the file, in bytes. An alias gives the place of what it stands for.
pub(super) fn place(location: &Location, file: &str) -> Option<Range<usize>> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    file.get(start..end).map(|_| start..end)
}
