//! The private half of an approver's key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use super::PublicKey;
use crate::error::{Error, ErrorKind, Result};
use crate::generate::Random;
use crate::secret::SecretValue;

/// How the text of a private key begins.
const PREFIX: &[u8] = b"swarmsecrets-private-key-1:";
/// The length of 32 bytes in base64.
const ENCODED: usize = 44;

/// The private half of an approver's key (Ed25519).
///
/// It has no `Serialize`, no `Clone`, prints `[REDACTED]`, and its memory is overwritten when it is dropped. Its text, for
/// the file in which the approver keeps it, is `swarmsecrets-private-key-1:` and the base64 of its seed.
pub struct SigningKey {
    /// In a place of its own, so that moving the key leaves no copy behind.
    key: Box<ed25519_dalek::SigningKey>,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// What the random source says.
    pub fn generate(random: &mut dyn Random) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        draw(random, &mut seed)?;
        Ok(Self { key: Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)) })
    }

    /// Reads a key from its text, as [`SecretValue::expose`] gives it; one line break may stand at its end.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], which tells nothing of what was read.
    pub fn from_text(text: &[u8]) -> Result<Self> {
        let bad = || {
            let text =
                "this is not a private key: its file holds `swarmsecrets-private-key-1:` and the base64 of 32 bytes";
            Error::new(ErrorKind::Invalid, text)
        };
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let encoded = line.strip_prefix(PREFIX).filter(|rest| rest.len() == ENCODED).ok_or_else(bad)?;
        // As long as base64 of any 44 characters can be.
        let mut seed = Zeroizing::new([0; ENCODED / 4 * 3]);
        // The decoder's own error would tell a character of the seed.
        let length = STANDARD.decode_slice(encoded, seed.as_mut()).map_err(|_| bad())?;
        let seed: &[u8; 32] = seed[..length].try_into().map_err(|_| bad())?;
        Ok(Self { key: Box::new(ed25519_dalek::SigningKey::from_bytes(seed)) })
    }

    /// Its text, for the file in which the approver keeps it.
    #[must_use]
    pub fn to_text(&self) -> SecretValue {
        // Of its full size from the start: a vector that grows would leave copies behind.
        let mut text = Vec::with_capacity(PREFIX.len() + ENCODED);
        text.extend_from_slice(PREFIX);
        text.resize(PREFIX.len() + ENCODED, 0);
        // It fits: 32 bytes are always 44 characters.
        let written = STANDARD.encode_slice(self.key.as_bytes(), &mut text[PREFIX.len()..]);
        debug_assert_eq!(written.ok(), Some(ENCODED));
        SecretValue::credential(text)
    }

    /// Its public half, for keyrings.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::of(self.key.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl fmt::Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// Draws 32 random bytes where the caller keeps them. A source that gives one byte again and again is broken.
pub(crate) fn draw(random: &mut dyn Random, into: &mut [u8; 32]) -> Result<()> {
    random.fill(into)?;
    if into.iter().all(|byte| *byte == into[0]) {
        return Err(Error::new(ErrorKind::Io, "the random source gives no usable bytes: it is broken"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Counter;
    use super::*;

    #[test]
    fn a_key_reads_back_and_signs_the_same() {
        let key = SigningKey::generate(&mut Counter(1)).unwrap();
        let text = key.to_text();
        let again = SigningKey::from_text(text.expose()).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(key.public().signed(b"words", &again.sign(b"words")));
        for ending in [&b"\n"[..], b"\r\n"] {
            let line = [text.expose(), ending].concat();
            assert_eq!(SigningKey::from_text(&line).unwrap().public(), key.public());
        }
        assert_ne!(SigningKey::generate(&mut Counter(2)).unwrap().public(), key.public());
    }

    #[test]
    fn nothing_prints_it_and_no_error_tells_of_it() {
        let key = SigningKey::generate(&mut Counter(1)).unwrap();
        assert_eq!(format!("{key} {key:?} {}", key.to_text()), "[REDACTED] [REDACTED] [REDACTED]");
        let text = key.to_text();
        let seed = std::str::from_utf8(&text.expose()[PREFIX.len()..]).unwrap();
        let whole = String::from_utf8(text.expose().to_vec()).unwrap();
        for bad in [
            seed.to_owned(),
            whole.replace("-1:", "-2:"),
            whole[..whole.len() - 1].to_owned(),
            format!("{whole}\n\n"),
            format!(" {whole}"),
            whole.replace('=', "-"),
            whole.replace('=', "A"),
        ] {
            let error = SigningKey::from_text(bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let said = format!("{error} {error:?}");
            assert!(!said.contains(&seed[..6]) && said.contains("private key"), "{said}");
        }
    }

    #[test]
    fn a_source_that_gives_one_byte_again_and_again_makes_no_key() {
        struct Stuck;
        impl Random for Stuck {
            fn fill(&mut self, into: &mut [u8]) -> Result<()> {
                into.fill(7);
                Ok(())
            }
        }
        assert_eq!(SigningKey::generate(&mut Stuck).unwrap_err().kind(), ErrorKind::Io);
    }
}
