//! A secret's value: zeroized when dropped, never printed, never serialized.

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice};

use crate::error::{Error, ErrorKind, Result};

/// Largest value that Swarm takes, in bytes: 500 KiB exactly is refused already.
pub const MAX_VALUE_BYTES: usize = 511_999;

/// The value of a secret, or any other credential.
///
/// It has no `Serialize`, prints `[REDACTED]`, and its memory is overwritten when it is dropped. The bytes are reached
/// through [`SecretValue::expose`] alone, which is called at one place for each boundary that a value must cross.
#[derive(Clone)]
pub struct SecretValue(SecretSlice<u8>);

impl SecretValue {
    /// Takes a value for a Swarm secret. The buffer is kept, not copied.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is empty, [`ErrorKind::TooLarge`] above [`MAX_VALUE_BYTES`].
    pub fn new(bytes: Vec<u8>) -> Result<Self> {
        Self::credential(bytes).for_swarm()
    }

    /// The same value, if it can be a Swarm secret's.
    ///
    /// # Errors
    /// As [`SecretValue::new`].
    pub fn for_swarm(self) -> Result<Self> {
        match self.len() {
            0 => Err(Error::new(ErrorKind::Invalid, "the value is empty: a Swarm secret holds 1 to 511999 bytes")),
            n if n > MAX_VALUE_BYTES => Err(Error::new(
                ErrorKind::TooLarge,
                format!("the value has {n} bytes: a Swarm secret holds 1 to {MAX_VALUE_BYTES} bytes"),
            )),
            _ => Ok(self),
        }
    }

    /// Takes any credential, such as an API key, whatever its length.
    #[must_use]
    pub fn credential(bytes: Vec<u8>) -> Self {
        Self(SecretSlice::from(bytes))
    }

    /// The bytes. Call this only where the value leaves for the place that it is meant for.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether it has no bytes; only a credential can be so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_what_swarm_takes() {
        assert_eq!(SecretValue::new(vec![]).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(SecretValue::new(vec![b'x'; 512_000]).unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(SecretValue::new(vec![b'x'; 511_999]).unwrap().len(), 511_999);
    }

    #[test]
    fn nothing_prints_it() {
        let value = SecretValue::new(b"hunter2-made-up".to_vec()).unwrap();
        assert_eq!(format!("{value} {value:?} {:#?}", Some(&value)), "[REDACTED] [REDACTED] Some(\n    [REDACTED],\n)");
    }
}
