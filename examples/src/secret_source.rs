//! A source of values: a folder for each, in which every version is a file whose name is its number.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use swarmsecrets_core::source::SecretSource;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

/// `values/db/1`, `values/db/2`: the greatest number is the current version, and old ones are kept.
pub struct Numbered(pub PathBuf);

impl Numbered {
    fn folder(&self, reference: &str) -> Result<PathBuf> {
        // A reference may come from a person, an agent or a file: it must not lead elsewhere.
        match reference.contains(['/', '\\', '.']) {
            true => Err(Error::new(ErrorKind::Invalid, "a reference is the plain name of a folder")),
            false => Ok(self.0.join(reference)),
        }
    }
}

fn missing(path: &Path, error: &std::io::Error) -> Error {
    let kind = if error.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
    Error::new(kind, format!("cannot read {}: {error}", path.display()))
}

#[async_trait]
impl SecretSource for Numbered {
    fn name(&self) -> &str {
        "numbered"
    }

    async fn current(&self, reference: &str) -> Result<String> {
        let folder = self.folder(reference)?;
        let entries = folder.read_dir().map_err(|e| missing(&folder, &e))?;
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
        let none = || Error::new(ErrorKind::NotFound, format!("{} has no version", folder.display()));
        numbers.max().map(|number| number.to_string()).ok_or_else(none)
    }

    async fn fetch(&self, reference: &str, version: &str) -> Result<SecretValue> {
        let number: u64 = version.parse().map_err(|_| Error::new(ErrorKind::NotFound, "a version is a number"))?;
        let file = self.folder(reference)?.join(number.to_string());
        std::fs::read(&file).map_err(|e| missing(&file, &e)).and_then(SecretValue::new)
    }
}
