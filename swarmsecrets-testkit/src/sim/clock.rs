//! Virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::clock::{Clock, Now};

/// A clock that stands still until somebody sleeps on it or moves it. Clones show the same time.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: Timestamp,
    elapsed: AtomicU64,
}

impl SimClock {
    /// A clock that shows `base`.
    #[must_use]
    pub fn starting_at(base: Timestamp) -> Self {
        Self(Arc::new(Inner { base, elapsed: AtomicU64::new(0) }))
    }

    /// The time of day.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        after(self.0.base, self.elapsed())
    }

    /// Moves the clock forward. What is due until then happens before the next answer of the simulated Engine.
    pub fn advance(&self, by: Duration) {
        self.0.elapsed.fetch_add(nanos(by), Ordering::SeqCst);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.0.elapsed.load(Ordering::SeqCst))
    }
}

impl Default for SimClock {
    /// A clock that shows the first moment of 2026.
    fn default() -> Self {
        Self::starting_at(default_base())
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Now {
        Now { wall: self.wall(), mono: self.elapsed() }
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

/// The moment at which a world begins unless it is told otherwise: 2026-01-01T00:00:00Z.
pub(crate) fn default_base() -> Timestamp {
    Timestamp::constant(1_767_225_600, 0)
}

/// The moment `by` after `moment`.
pub(crate) fn after(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_their_time_and_both_clocks_move_together() {
        let clock = SimClock::default();
        let other = clock.clone();
        other.advance(Duration::from_millis(1500));
        let now = clock.now();
        assert_eq!(now.wall.to_string(), "2026-01-01T00:00:01.5Z");
        assert_eq!(now.mono, Duration::from_millis(1500));
    }
}
