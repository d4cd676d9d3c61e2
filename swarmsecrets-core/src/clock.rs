//! Time as an argument.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// One moment, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time of day. May jump; used for labels, records and the grace period.
    pub wall: Timestamp,
    /// Time since an arbitrary start. Never goes back; used for windows and deadlines within one run.
    pub mono: Duration,
}

impl Now {
    /// The moment `later` after this one, on both clocks.
    #[must_use]
    pub fn after(self, later: Duration) -> Self {
        let wall = self.wall.saturating_add(later).unwrap_or(Timestamp::MAX);
        Self { wall, mono: self.mono.saturating_add(later) }
    }
}

/// Where the executor gets its time from: the machine's, or a simulation's.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Now;
    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}
