//! Keys for tests.

use super::SigningKey;
use crate::error::Result;
use crate::generate::Random;

/// Gives the bytes of a counter through a mixing function: no two draws are alike.
pub(crate) struct Counter(pub(crate) u64);

impl Random for Counter {
    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        for byte in into {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

pub(crate) fn key(n: u64) -> SigningKey {
    SigningKey::generate(&mut Counter(n)).unwrap()
}
