//! How quickly a service answers, now and before.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An answer may take this many times as long as before …
pub(crate) const TIMES: u32 = 3;
/// … and this much longer on top, so that a service that answers in a millisecond may take some more.
pub(crate) const SLACK: Duration = Duration::from_millis(250);

/// What a baseline keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usual {
    /// The 95th percentile, in microseconds.
    p95_us: u64,
}

impl Usual {
    pub(crate) fn of(times: &[Duration]) -> Self {
        Self { p95_us: u64::try_from(p95(times).as_micros()).unwrap_or(u64::MAX) }
    }

    pub(crate) fn p95(self) -> Duration {
        Duration::from_micros(self.p95_us)
    }

    /// The longest that is not yet worth a person's look.
    pub(crate) fn bound(self) -> Duration {
        self.p95().saturating_mul(TIMES).saturating_add(SLACK)
    }
}

/// The smallest of the times that 95 of 100 do not exceed (nearest rank); of a few it is the longest.
pub(crate) fn p95(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 95).div_ceil(100);
    rank.checked_sub(1).and_then(|at| sorted.get(at)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_a_time_that_was_measured() {
        let ms = |times: &[u64]| times.iter().map(|t| Duration::from_millis(*t)).collect::<Vec<_>>();
        assert_eq!(p95(&[]), Duration::ZERO);
        assert_eq!(p95(&ms(&[7])), Duration::from_millis(7));
        assert_eq!(p95(&ms(&[3, 9, 1, 2, 5])), Duration::from_millis(9));
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(p95(&ms(&hundred)), Duration::from_millis(95));
    }

    #[test]
    fn the_bound_has_room_for_quick_services() {
        let usual = Usual::of(&[Duration::from_millis(1)]);
        assert_eq!(usual.bound(), Duration::from_millis(253));
        assert_eq!(Usual::of(&[Duration::from_secs(2)]).bound(), Duration::from_millis(6_250));
        assert_eq!(Usual { p95_us: u64::MAX }.bound(), Usual { p95_us: u64::MAX }.bound());
    }
}
