//! Where values come from that are neither handed over nor made here: vaults, and whatever else keeps secrets.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{is_unprintable, quoted};
use crate::secret::SecretValue;

/// The longest name, reference or version of a source, in bytes: they become labels and lines of a plan.
const MAX_PART_BYTES: usize = 512;

/// A place that keeps values in versions: what is read of one version now is read of it ever after, or not at all.
///
/// A plan names the version that it takes, and what people approve is that version. So a value that was exchanged in the
/// source meanwhile is another version, and is not taken.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// What plans call it, such as `vault`.
    fn name(&self) -> &str;

    /// The version that stands at a reference now, such as `7`. The value itself need not be read.
    ///
    /// # Errors
    /// `NotFound` if nothing stands there, `Invalid` for a reference that cannot be one; otherwise what the way there gives.
    async fn current(&self, reference: &str) -> Result<String>;

    /// The value of exactly this version.
    ///
    /// # Errors
    /// As [`SecretSource::current`]; `NotFound` also if this version is not kept any more.
    async fn fetch(&self, reference: &str, version: &str) -> Result<SecretValue>;
}

/// One version of a value in a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Parts")]
pub struct SourceVersion {
    source: String,
    reference: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    source: String,
    reference: String,
    version: String,
}

impl TryFrom<Parts> for SourceVersion {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(parts.source, parts.reference, parts.version)
    }
}

impl SourceVersion {
    /// A version by the source's name, the reference in it and what the source calls the version.
    ///
    /// # Errors
    /// `Invalid` if a part is empty, longer than 512 bytes or has characters that cannot be printed, and for a source whose
    /// name has a `:`.
    pub fn new(source: impl Into<String>, reference: impl Into<String>, version: impl Into<String>) -> Result<Self> {
        let (source, reference, version) = (source.into(), reference.into(), version.into());
        for (what, part) in [("source", &source), ("reference", &reference), ("version", &version)] {
            let invalid = |why: &str| {
                let text = format!("{} is no {what} of a value: it {why}", quoted(part));
                Err(Error::new(ErrorKind::Invalid, text))
            };
            if part.is_empty() {
                return invalid("is empty");
            }
            if part.len() > MAX_PART_BYTES {
                return invalid("is longer than 512 bytes");
            }
            if part.chars().any(is_unprintable) {
                return invalid("has characters that cannot be printed");
            }
        }
        if source.contains(':') {
            let text = format!("{} is no name of a source: it has a colon, which ends the name", quoted(&source));
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        Ok(Self { source, reference, version })
    }

    /// The name of the source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Where the value stands in it.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// What the source calls this version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How the label of a Swarm secret says it: `source:reference@version`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}:{}@{}", self.source, self.reference, self.version)
    }
}

impl fmt::Display for SourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {} of {} in {}", quoted(&self.version), quoted(&self.reference), quoted(&self.source))
    }
}

/// The sources that are at hand.
#[derive(Clone, Default)]
pub struct Sources(Vec<Arc<dyn SecretSource>>);

impl Sources {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These and one more.
    ///
    /// # Errors
    /// `Invalid` if another one has its name.
    pub fn and(mut self, source: Arc<dyn SecretSource>) -> Result<Self> {
        if self.0.iter().any(|other| other.name() == source.name()) {
            let text = format!("there are two sources called {}: give each a name of its own", quoted(source.name()));
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        self.0.push(source);
        Ok(self)
    }

    /// The version that stands at a reference of a source now.
    ///
    /// # Errors
    /// As [`SecretSource::current`] and [`SourceVersion::new`]; `Invalid` for a source that is not at hand.
    pub async fn current(&self, source: &str, reference: &str) -> Result<SourceVersion> {
        let at_hand = self.find(source)?;
        // A reference that cannot be one need not be asked for.
        SourceVersion::new(source, reference, "?")?;
        let version = at_hand.current(reference).await.map_err(|error| said_by(source, error))?;
        SourceVersion::new(source, reference, version).map_err(|error| said_by(source, error))
    }

    /// The value of a version.
    ///
    /// # Errors
    /// As [`SecretSource::fetch`]; `Invalid` and `TooLarge` for a value that no Swarm secret can hold, and `Invalid` for a source
    /// that is not at hand.
    pub async fn fetch(&self, version: &SourceVersion) -> Result<SecretValue> {
        let value = self.find(&version.source)?.fetch(&version.reference, &version.version).await;
        value.and_then(SecretValue::for_swarm).map_err(|error| said_by(&version.source, error))
    }

    /// Checks that a source is at hand.
    ///
    /// # Errors
    /// `Invalid` if it is not.
    pub fn check(&self, source: &str) -> Result<()> {
        self.find(source).map(drop)
    }

    fn find(&self, name: &str) -> Result<&dyn SecretSource> {
        let found = self.0.iter().find(|source| source.name() == name);
        found.map(|source| &**source).ok_or_else(|| {
            let text = format!("the source {} is not at hand: hand it over (--sources)", quoted(name));
            Error::new(ErrorKind::Invalid, text)
        })
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|source| source.name())).finish()
    }
}

fn said_by(source: &str, error: Error) -> Error {
    error.context(format!("source {}", quoted(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_cannot_be_printed_or_are_not_there_are_refused() {
        for (source, reference, version) in [
            ("", "kv/db", "1"),
            ("vault", "", "1"),
            ("vault", "kv/db", ""),
            ("a:b", "kv/db", "1"),
            ("v", "\u{1b}[2J", "1"),
        ] {
            let error = SourceVersion::new(source, reference, version).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(!error.message().contains('\u{1b}'), "{error}");
            let parts = serde_json::json!({ "source": source, "reference": reference, "version": version });
            assert!(serde_json::from_value::<SourceVersion>(parts).is_err());
        }
        assert!(SourceVersion::new("vault", "r".repeat(513), "1").is_err());
    }

    #[test]
    fn the_label_tells_all_three() {
        let version = SourceVersion::new("vault", "kv/prod/db#password", "7").unwrap();
        assert_eq!(version.label(), "vault:kv/prod/db#password@7");
        assert_eq!(version.to_string(), "version `7` of `kv/prod/db#password` in `vault`");
        let json = serde_json::to_string(&version).unwrap();
        assert_eq!(serde_json::from_str::<SourceVersion>(&json).unwrap(), version);
    }
}
