//! Values that are fetched from sources: which ones, and for which secrets.

use swarmsecrets_client::Way;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::source::Sources;

use crate::args::{SourceArgs, ValueArgs};
use crate::exit::Failure;

/// The sources that are at hand.
pub(crate) fn sources(args: &SourceArgs) -> Result<Sources, Failure> {
    let Some(path) = &args.sources else { return Ok(Sources::none()) };
    swarmsecrets_settings::read_sources(path).map_err(Failure::input)
}

/// Where a value stands, as `--value-from` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// For which secret; without it, for the only one.
    pub(crate) secret: Option<&'a str>,
    source: &'a str,
    reference: &'a str,
}

impl<'a> Place<'a> {
    /// All that are named.
    pub(crate) fn all(args: &'a ValueArgs) -> Result<Vec<Self>, Failure> {
        args.value_from.iter().map(|text| Self::parse(text)).collect()
    }

    fn parse(text: &'a str) -> Result<Self, Failure> {
        // A reference may hold anything, the name of a source no colon.
        let (secret, place) = match text.split_once('=') {
            Some((secret, place)) if !secret.is_empty() && !secret.contains(':') => (Some(secret), place),
            _ => (None, text),
        };
        match place.split_once(':') {
            Some((source, reference)) if !source.is_empty() && !reference.is_empty() => {
                Ok(Self { secret, source, reference })
            }
            _ => {
                let text = quoted(text);
                Err(Failure::usage(format!(
                    "--value-from {text}: write it as SOURCE:REFERENCE or NAME=SOURCE:REFERENCE"
                )))
            }
        }
    }

    /// How a value comes about that stands there.
    pub(crate) fn way(&self) -> Way {
        Way::From { source: self.source.to_owned(), reference: self.reference.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_may_hold_anything() {
        for (text, secret, source, reference) in [
            ("vault:kv/db", None, "vault", "kv/db"),
            ("db=vault:kv/db#password", Some("db"), "vault", "kv/db#password"),
            ("vault:kv/db?version=7", None, "vault", "kv/db?version=7"),
            ("db=vault:a:b=c", Some("db"), "vault", "a:b=c"),
        ] {
            assert_eq!(Place::parse(text).unwrap(), Place { secret, source, reference });
        }
    }

    #[test]
    fn half_a_place_is_none() {
        for text in ["", "vault", "vault:", ":kv/db", "db=vault", "db=:x"] {
            let failure = Place::parse(text).unwrap_err();
            assert!(failure.error.message().contains("SOURCE:REFERENCE"), "{}", failure.error);
        }
    }
}
