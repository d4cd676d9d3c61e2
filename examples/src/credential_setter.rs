//! A credential setter: a program that keeps its users in a folder, each a file of the hashes of at most two passwords.

use std::collections::BTreeSet;
use std::io::ErrorKind::NotFound;
use std::path::PathBuf;

use async_trait::async_trait;
use swarmsecrets_core::credential::{Account, CredentialSetter, Login, Way};
use swarmsecrets_core::ids::{RotationId, hex};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

/// The file of one user.
pub struct UserFile {
    /// The folder.
    pub folder: PathBuf,
    /// The user.
    pub user: String,
}

impl UserFile {
    /// The hash of a password. A real program would take more than a thousand rounds.
    #[must_use]
    pub fn hashed(&self, value: &SecretValue) -> String {
        hex(&pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(value.expose(), self.user.as_bytes(), 1_000))
    }

    fn read(&self) -> Result<BTreeSet<String>> {
        match std::fs::read_to_string(self.folder.join(&self.user)) {
            Ok(text) => Ok(text.split_whitespace().map(str::to_owned).collect()),
            Err(e) if e.kind() == NotFound && self.folder.exists() => {
                Err(self.error(ErrorKind::NotFound, "is not there"))
            }
            Err(e) => Err(self.error(ErrorKind::Unreachable, "cannot be read").with_source(e)),
        }
    }

    fn write(&self, hashes: impl IntoIterator<Item = String>) -> Result<()> {
        let new = self.folder.join(format!(".{}.new", self.user));
        let text = hashes.into_iter().collect::<Vec<_>>().join("\n");
        let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, self.folder.join(&self.user)));
        written.map_err(|e| self.error(ErrorKind::Refused, "cannot be written").with_source(e))
    }

    fn error(&self, kind: ErrorKind, what: &str) -> Error {
        Error::new(kind, format!("user {} {what}", self.user))
    }
}

#[async_trait]
impl CredentialSetter for UserFile {
    fn account(&self) -> Account {
        Account::new(format!("the users in {}", self.folder.display()), &self.user, Way::HoldsTwo)
    }

    fn next_value(&self, _: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        Ok(password.clone())
    }

    async fn set(&self, _: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let (mut held, new) = (self.read()?, self.hashed(next));
        match (held.contains(&new), held.contains(&self.hashed(current)), held.len()) {
            (false, false, _) => Err(self.error(ErrorKind::Stale, "has another password")),
            (false, true, 2..) => Err(self.error(ErrorKind::Conflict, "has two passwords already")),
            _ => {
                held.insert(new);
                self.write(held)
            }
        }
    }

    async fn verify(&self, value: &SecretValue) -> Login {
        match self.read() {
            Ok(held) if held.contains(&self.hashed(value)) => Login::Works,
            Ok(_) => Login::Refused,
            Err(error) if error.kind() == ErrorKind::NotFound => Login::Refused,
            Err(error) => Login::Unclear(error),
        }
    }

    async fn revoke(&self, _: &RotationId, old: &SecretValue) -> Result<()> {
        let mut left = self.read()?;
        left.remove(&self.hashed(old));
        if left.is_empty() {
            return Err(self.error(ErrorKind::Refused, "would have no password"));
        }
        self.write(left)
    }

    async fn undo(&self, _: &RotationId, current: &SecretValue) -> Result<()> {
        let current = self.hashed(current);
        self.write(self.read()?.into_iter().filter(|hash| *hash == current))
    }
}
