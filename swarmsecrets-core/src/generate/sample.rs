//! Characters drawn without bias from random bytes.

use zeroize::Zeroizing;

use super::GenerateSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::SecretValue;

/// Where random bytes come from: the operating system, or a seeded source in tests.
pub trait Random: Send + Sync {
    /// Fills all of `into` with random bytes.
    ///
    /// # Errors
    /// When the source fails; what `into` then holds must not be used.
    fn fill(&mut self, into: &mut [u8]) -> Result<()>;
}

/// How many bytes are drawn at a time.
const BATCH: usize = 64;
/// After so many batches without one usable byte the source is broken: more than half of all bytes are usable.
const BARREN: usize = 16;

impl GenerateSpec {
    /// Makes a value. Each character is equally likely, and nothing of the value is left behind in memory.
    ///
    /// # Errors
    /// What the random source says.
    pub fn generate(&self, random: &mut dyn Random) -> Result<SecretValue> {
        let characters = self.alphabet().characters();
        // A byte at or above the greatest multiple of the alphabet's size would favour the first characters.
        let limit = 256 - 256 % characters.len();
        // Of its full size from the start: a vector that grows would leave copies behind. Its memory is the value's own in
        // the end; until then it is overwritten if a draw fails.
        let mut value = Zeroizing::new(Vec::with_capacity(self.length()));
        let mut barren = 0;
        let mut batch = Zeroizing::new([0; BATCH]);
        while value.len() < self.length() {
            random.fill(batch.as_mut())?;
            let fair = batch.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < limit);
            let drawn = fair.map(|byte| characters[byte % characters.len()]);
            let before = value.len();
            value.extend(drawn.take(self.length() - before));
            barren = if value.len() == before { barren + 1 } else { 0 };
            if barren == BARREN {
                return Err(Error::new(ErrorKind::Io, "the random source gives no usable bytes: it is broken"));
            }
        }
        SecretValue::new(std::mem::take(&mut *value))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Alphabet;
    use super::*;
    use proptest::prelude::*;

    /// Gives the bytes of a counter through a mixing function: even enough to count with.
    struct Counter(u64);

    impl Random for Counter {
        fn fill(&mut self, into: &mut [u8]) -> Result<()> {
            for byte in into {
                self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (self.0 >> 56) as u8;
            }
            Ok(())
        }
    }

    /// Gives each byte as often as every other.
    struct Round(u8);

    impl Random for Round {
        fn fill(&mut self, into: &mut [u8]) -> Result<()> {
            for byte in into {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }

    #[test]
    fn no_character_is_favoured() {
        for name in ["alnum", "digits", "printable", "chars:abc"] {
            let alphabet = Alphabet::new(name).unwrap();
            let size = alphabet.characters().len();
            let fair = 256 - 256 % size;
            let value = GenerateSpec::new(fair * 10, alphabet.clone()).unwrap().generate(&mut Round(0)).unwrap();
            for character in alphabet.characters() {
                let count = value.expose().iter().filter(|b| **b == character).count();
                assert_eq!(count, fair * 10 / size, "{name}");
            }
        }
    }

    #[test]
    fn a_source_that_fails_gives_no_value() {
        struct Broken;
        impl Random for Broken {
            fn fill(&mut self, _: &mut [u8]) -> Result<()> {
                Err(Error::new(ErrorKind::Io, "no entropy"))
            }
        }
        assert_eq!(GenerateSpec::default().generate(&mut Broken).unwrap_err().kind(), ErrorKind::Io);
        struct Stuck;
        impl Random for Stuck {
            fn fill(&mut self, into: &mut [u8]) -> Result<()> {
                into.fill(255);
                Ok(())
            }
        }
        assert_eq!(GenerateSpec::default().generate(&mut Stuck).unwrap_err().kind(), ErrorKind::Io);
    }

    proptest! {
        #[test]
        fn a_value_has_the_length_and_the_characters_asked_for(length in 1_usize..300, seed: u64, which in 0_usize..6) {
            let alphabet = Alphabet::new(["alnum", "hex", "base64url", "digits", "printable", "chars:x,y ="][which]).unwrap();
            let spec = GenerateSpec::new(length, alphabet.clone()).unwrap();
            let value = spec.generate(&mut Counter(seed)).unwrap();
            prop_assert_eq!(value.len(), length);
            prop_assert!(value.expose().iter().all(|b| alphabet.characters().contains(b)));
        }
    }
}
