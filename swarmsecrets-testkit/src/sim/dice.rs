//! The only source of chance in a world: a small generator with a seed (SplitMix64).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Chance that can be run again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 if that is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// Whether something happens that happens in so many of a hundred cases.
    pub(crate) fn percent(&mut self, of: u64) -> bool {
        self.below(100) < of
    }

    /// One of several; `None` if there is none.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(at)
    }

    /// An id as Swarm makes them: 25 of `0-9a-z`.
    pub(crate) fn swarm_id(&mut self) -> String {
        self.text(b"0123456789abcdefghijklmnopqrstuvwxyz", 25)
    }

    /// An id as containers and execs have them: 64 hexadecimal digits.
    pub(crate) fn container_id(&mut self) -> String {
        self.text(b"0123456789abcdef", 64)
    }

    /// A process id.
    pub(crate) fn pid(&mut self) -> u64 {
        1000 + self.below(30_000)
    }

    /// Between 80 % and 120 % of `about`.
    pub(crate) fn about(&mut self, about: Duration) -> Duration {
        let percent = 80 + u32::try_from(self.below(41)).unwrap_or(20);
        about.saturating_mul(percent) / 100
    }

    fn text(&mut self, letters: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| {
                let at = usize::try_from(self.below(letters.len() as u64)).unwrap_or(0);
                char::from(letters[at])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        let (mut a, mut b, mut c) = (Dice::new(7), Dice::new(7), Dice::new(8));
        let id = a.swarm_id();
        assert_eq!(id, b.swarm_id());
        assert_ne!(id, c.swarm_id());
        assert_eq!(id.len(), 25);
        let about = a.about(Duration::from_secs(10));
        assert!((8..=12).contains(&about.as_secs()), "{about:?}");
    }
}
