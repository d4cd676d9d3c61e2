//! What Redis keeps of a password.

use std::fmt;

use sha2::{Digest as _, Sha256};
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::ids::hex;

/// The SHA-256 of a password, as 64 hexadecimal digits. Passwords can be tried on it quickly: it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hash(String);

impl Hash {
    /// The hash of a password.
    pub(crate) fn of(password: &SecretValue) -> Self {
        Self(hex(&Sha256::digest(password.expose())))
    }

    /// What a server keeps.
    pub(crate) fn stored(digits: &str) -> Self {
        Self(digits.to_ascii_lowercase())
    }

    /// The rule of `ACL SETUSER` that adds it.
    pub(crate) fn added(&self) -> String {
        format!("#{}", self.0)
    }

    /// The rule that takes it away.
    pub(crate) fn removed(&self) -> String {
        format!("!{}", self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_redis_computes() {
        // From the manual of ACL SETUSER.
        let hash = Hash::of(&SecretValue::credential(b"p1pp0".to_vec()));
        assert_eq!(hash.added(), "#2d9c75273d72b32df726fb545c8a4edc719f0a95a6fd993950b10c474ad9c927");
        assert_eq!(Hash::stored("2D9c75273d72b32df726fb545c8a4edc719f0a95a6fd993950b10c474ad9c927"), hash);
        assert_eq!(hash.removed().split_at(1).0, "!");
    }
}
