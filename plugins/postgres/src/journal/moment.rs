//! How long ago something was, also for a machine that slept.

use std::time::{Duration, Instant, SystemTime};

/// A moment of the past, on both clocks of this machine. Each is right where the other is not: the first one stands still while a
/// machine sleeps, the second one can be set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// How long it is ago at most.
    pub(super) fn age(&self) -> Duration {
        // A clock that was set back says nothing; the other one does.
        self.steady.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_went_further_counts() {
        let hour = Duration::from_secs(3600);
        let slept = Moment { steady: Instant::now(), wall: SystemTime::now() - hour };
        assert!(slept.age() >= hour);
        let set_back = Moment { steady: Instant::now(), wall: SystemTime::now() + hour };
        assert!(set_back.age() < hour);
    }
}
