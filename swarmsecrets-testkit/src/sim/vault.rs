//! The values of secrets: keyed hashes, and the values themselves in memory only.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::ids::hex;

/// The keyed hash of a value: it can be compared with others of the same world, and is all that is ever saved.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fingerprint(String);

/// The values of a world's secrets, by secret id.
#[derive(Serialize, Deserialize)]
pub(crate) struct Vault {
    key: [u8; 32],
    fingerprints: BTreeMap<String, Fingerprint>,
    #[serde(skip)]
    values: BTreeMap<String, SecretValue>,
}

impl Vault {
    /// An empty vault with a key of its own. The key is random, also where the world is not: nothing that can be seen
    /// depends on it.
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    #[allow(clippy::expect_used)] // without randomness there is no vault; a fixed key would make the hashes bare ones
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system gives randomness");
        Self { key, fingerprints: BTreeMap::new(), values: BTreeMap::new() }
    }

    /// The keyed hash of a value in this world.
    #[allow(clippy::expect_used)] // HMAC takes a key of any length
    pub(crate) fn fingerprint(&self, value: &[u8]) -> Fingerprint {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(value);
        Fingerprint(hex(&mac.finalize().into_bytes()))
    }

    pub(crate) fn put(&mut self, secret: &str, value: SecretValue) {
        let fingerprint = self.fingerprint(value.expose());
        self.fingerprints.insert(secret.to_owned(), fingerprint);
        self.values.insert(secret.to_owned(), value);
    }

    pub(crate) fn forget(&mut self, secret: &str) {
        self.fingerprints.remove(secret);
        self.values.remove(secret);
    }

    pub(crate) fn holds(&self, secret: &str) -> bool {
        self.fingerprints.contains_key(secret)
    }

    /// Whether the secret has this value.
    pub(crate) fn reads(&self, secret: &str, value: &Fingerprint) -> bool {
        self.fingerprints.get(secret) == Some(value)
    }

    /// The value, unless the world was loaded from a file.
    pub(crate) fn value(&self, secret: &str) -> Option<&SecretValue> {
        self.values.get(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keyed_hashes_are_saved_and_they_still_compare() {
        let mut vault = Vault::new();
        vault.put("id1", SecretValue::credential(b"made-up-value-1".to_vec()));
        let text = serde_json::to_string(&vault).unwrap();
        assert!(!text.contains("made-up-value-1") && !text.contains("bWFkZS11cC12YWx1ZS0x"), "{text}");
        let back: Vault = serde_json::from_str(&text).unwrap();
        assert!(back.reads("id1", &back.fingerprint(b"made-up-value-1")));
        assert!(!back.reads("id1", &back.fingerprint(b"made-up-value-2")));
        assert!(back.value("id1").is_none());
        assert_ne!(Vault::new().fingerprint(b"x").0, Vault::new().fingerprint(b"x").0);
    }
}
