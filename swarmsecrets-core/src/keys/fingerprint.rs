//! Keyed fingerprints: whether two values are the same can be told by whoever has the key, and by nobody else.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::hex;
use crate::secret::SecretValue;

/// The key of fingerprints. Without it a fingerprint tells nothing of a value, also not by trying out likely ones.
#[derive(Clone, Debug)]
pub struct FingerprintKey(SecretValue);

impl FingerprintKey {
    /// Takes a key of at least 16 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is shorter.
    pub fn new(key: SecretValue) -> Result<Self> {
        const SHORTEST: usize = 16;
        if key.expose().len() < SHORTEST {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the key of fingerprints is shorter than 16 bytes: make a longer one",
            ));
        }
        Ok(Self(key))
    }

    /// The fingerprint of a value: HMAC-SHA256 over `swarmsecrets fingerprint 1`, a line feed, and the value.
    #[must_use]
    pub fn of(&self, value: &SecretValue) -> String {
        // A key of any length is taken: only a fixed length could be wrong.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(self.0.expose()) else { return String::new() };
        let mac = mac.chain_update("swarmsecrets fingerprint 1\n").chain_update(value.expose());
        format!("hmac-sha256:{}", hex(&mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.into()).unwrap()
    }

    fn key(text: &str) -> FingerprintKey {
        FingerprintKey::new(value(text)).unwrap()
    }

    #[test]
    fn it_tells_values_and_keys_apart_and_shows_neither() {
        let (one, other) = (key("made-up-key-number-1"), key("made-up-key-number-2"));
        assert_eq!(one.of(&value("a")), one.of(&value("a")));
        assert_ne!(one.of(&value("a")), one.of(&value("b")));
        assert_ne!(one.of(&value("a")), other.of(&value("a")));
        assert!(one.of(&value("a")).starts_with("hmac-sha256:") && one.of(&value("a")).len() == 76);
        assert!(!format!("{one:?}").contains("made-up"));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(FingerprintKey::new(value("short")).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
