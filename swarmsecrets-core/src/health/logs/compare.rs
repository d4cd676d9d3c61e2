//! Whether there is more of something than is usual.

/// The shortest time that a baseline is taken to say anything about, in milliseconds: less would make a rate of one line.
const SHORTEST_BASELINE_MS: u64 = 60_000;

/// The most that is still usual: after `before` lines in `watched_before`, so many may come in `watched_now` (milliseconds).
///
/// Lines of a log come like events of a Poisson process at best, and in bursts in truth. So the bound lies at twice what is
/// expected and four standard deviations above that; of nothing before, one line is taken to have been missed.
pub(super) fn usual(before: u64, watched_before: u64, watched_now: u64) -> u64 {
    #[allow(clippy::cast_precision_loss, reason = "counts of lines and milliseconds; no exact bound is meant")]
    let expected = (before + 1) as f64 * watched_now as f64 / watched_before.max(SHORTEST_BASELINE_MS) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and a cast saturates")]
    let bound = (2.0 * expected + 4.0 * expected.sqrt()).floor() as u64;
    bound
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn the_bound_grows_with_the_baseline_and_the_time() {
        assert_eq!(usual(0, 10 * MINUTE, 10_000), 0);
        assert_eq!(usual(0, 10 * MINUTE, MINUTE), 1);
        assert_eq!(usual(99, 10 * MINUTE, MINUTE), 32);
        assert_eq!(usual(99, 10 * MINUTE, 10 * MINUTE), 240);
        assert_eq!(usual(5, 0, MINUTE), usual(5, MINUTE, MINUTE));
        assert_eq!(usual(u64::MAX - 1, 0, u64::MAX), u64::MAX);
    }

    /// A small generator, so that the test needs no source of randomness: Numerical Recipes' constants.
    struct Noise(u64);

    impl Noise {
        fn unit(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }

        /// Events of a Poisson process of this mean, by Knuth's product.
        fn poisson(&mut self, mean: f64) -> u64 {
            let (mut count, mut product) = (0, self.unit());
            while product > (-mean).exp() {
                product *= self.unit();
                count += 1;
            }
            count
        }
    }

    #[test]
    fn steady_noise_raises_no_alarm_and_a_tenfold_rate_does() {
        let mut noise = Noise(7);
        let (mut false_alarms, mut missed) = (0, 0);
        for n in 0..2_000 {
            // From 5 to 300 lines in ten minutes, then one minute of the same.
            let rate = 5.0 + 295.0 * f64::from(n) / 2_000.0;
            let bound = usual(noise.poisson(rate), 10 * MINUTE, MINUTE);
            // As the probe does, with a few lines of slack for a start.
            let slack = bound.max(5);
            false_alarms += u32::from(noise.poisson(rate / 10.0) > slack);
            missed += u32::from(rate > 30.0 && noise.poisson(rate) <= slack);
        }
        assert!(false_alarms <= 2, "{false_alarms} false alarms in 2000 calm minutes");
        assert!(missed <= 20, "{missed} of 2000 tenfold rates were missed");
    }

    proptest! {
        #[test]
        fn more_before_never_makes_it_stricter(a in 0u64..10_000, b in 0u64..10_000, t0: u32, t1: u32) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(usual(less, t0.into(), t1.into()) <= usual(more, t0.into(), t1.into()));
        }
    }
}
