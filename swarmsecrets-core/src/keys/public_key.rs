//! The public half of an approver's key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{KeyId, quoted};

const PREFIX: &str = "ed25519:";

/// The public half of an approver's key (Ed25519). Written as `ed25519:` and the base64 of its 32 bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    pub(crate) fn of(key: VerifyingKey) -> Self {
        Self(key)
    }

    /// Its name: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::from_sha256(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Whether the signature is that of this key. Signatures that could be of several messages or keys are not.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            let text = format!("{} is not a public key: {why}", quoted(text));
            Error::new(ErrorKind::Invalid, text)
        };
        let form = "write `ed25519:` and the base64 of its 32 bytes";
        let encoded = text.trim().strip_prefix(PREFIX).ok_or_else(|| bad(form))?;
        let bytes = STANDARD.decode(encoded).map_err(|_| bad(form))?;
        let bytes = bytes.try_into().map_err(|_| bad(form))?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| bad("its bytes are no point of the curve"))?;
        if key.is_weak() {
            return Err(bad("it is a weak one, for which anybody can sign"));
        }
        Ok(Self(key))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key of the first test of RFC 8032.
    const RFC: &str = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn keys_read_back_and_have_an_id() {
        let key: PublicKey = RFC.parse().unwrap();
        assert_eq!(key.to_string(), RFC);
        assert_eq!(format!("{RFC}\n").parse::<PublicKey>().unwrap(), key);
        assert_eq!(key.id().as_str(), "21fe31dfa154a261");
        assert_eq!(serde_json::from_str::<PublicKey>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
    }

    #[test]
    fn the_signature_of_rfc_8032_is_known_and_a_changed_one_is_not() {
        let key: PublicKey = RFC.parse().unwrap();
        let known = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==";
        let signature: [u8; 64] = STANDARD.decode(known).unwrap().try_into().unwrap();
        assert!(key.signed(b"", &signature));
        assert!(!key.signed(b"x", &signature));
        for at in 0..64 {
            let mut other = signature;
            other[at] ^= 1;
            assert!(!key.signed(b"", &other), "byte {at}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_said() {
        let weak = format!("{PREFIX}{}", STANDARD.encode([0; 32]));
        let no_point = format!("{PREFIX}{}", STANDARD.encode([2; 32]));
        for (text, why) in [
            ("", "`ed25519:`"),
            ("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "`ed25519:`"),
            ("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR", "32 bytes"),
            ("ed25519:AAAA", "32 bytes"),
            ("rsa:\u{1b}[31m", "\\u{1b}"),
            (weak.as_str(), "weak"),
            (no_point.as_str(), "no point"),
        ] {
            let error = text.parse::<PublicKey>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(why), "{error}");
        }
    }
}
