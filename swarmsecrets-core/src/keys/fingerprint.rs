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
        format!("hmac-sha256:{}", hex(&self.over("swarmsecrets fingerprint 1\n", value.expose())))
    }

    /// What tells this key from others, and nothing else of it: the first eight bytes of HMAC-SHA256 over `swarmsecrets fingerprint key 1`
    /// and a line feed, in hexadecimal. Fingerprints by different keys cannot be compared.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.over("swarmsecrets fingerprint key 1\n", &[])[..8])
    }

    fn over(&self, domain: &str, bytes: &[u8]) -> [u8; 32] {
        // A key of any length is taken: only a fixed length could be wrong.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(self.0.expose()) else { return [0; 32] };
        mac.chain_update(domain).chain_update(bytes).finalize().into_bytes().into()
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
        assert_eq!((one.id(), one.id().len()), (key("made-up-key-number-1").id(), 16));
        assert_ne!(one.id(), other.id());
        // As another program would reckon it.
        let known = key("0123456789abcdef");
        let wanted = "hmac-sha256:09a75ab1b662722609d7f1997fb51a5956c388bf4c47d8d1b31aa9d47f5cedcc";
        assert_eq!((known.of(&value("a")).as_str(), known.id().as_str()), (wanted, "47ca6aa734235f4a"));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(FingerprintKey::new(value("short")).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
