//! The hashes of `mysql_native_password`.

use std::fmt;

use sha1::{Digest as _, Sha1};
use swarmsecrets_core::SecretValue;
use zeroize::Zeroizing;

/// What MariaDB keeps of a password: `*` and 40 hexadecimal digits. Whoever has it cannot log in with it, but can try passwords
/// on it quickly: it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hash(Zeroizing<String>);

impl Hash {
    /// The hash of a password.
    pub(crate) fn of(password: &SecretValue) -> Self {
        let twice = Sha1::digest(Sha1::digest(password.expose()));
        let digits = twice.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        Self(Zeroizing::new(format!("*{digits}")))
    }

    /// Takes what a server keeps, if it is a hash.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('*')?;
        let good = digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        good.then(|| Self(Zeroizing::new(text.to_ascii_uppercase())))
    }

    /// The text, which needs no quoting.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
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
    fn it_is_what_the_server_computes() {
        // From MySQL's manual of PASSWORD().
        let hash = Hash::of(&SecretValue::credential(b"mypass".to_vec()));
        assert_eq!(hash.as_str(), "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
        assert!(Hash::stored("*6c8989366eaf75bb670ad8ea7a7fc1176a95cef4") == Some(hash));
    }

    #[test]
    fn nothing_else_passes_for_one() {
        for bad in
            ["", "invalid", "*", "6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4", "*6C8989366EAF75BB670AD8EA7A7FC1176A95CE'"]
        {
            assert!(Hash::stored(bad).is_none(), "{bad}");
        }
    }
}
