//! The machine's clock, for the gateway before a real Engine.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::clock::{Clock, Now};

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct WallClock(Instant);

impl Default for WallClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

#[async_trait]
impl Clock for WallClock {
    fn now(&self) -> Now {
        Now { wall: Timestamp::now(), mono: self.0.elapsed() }
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
