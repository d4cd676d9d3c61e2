//! When a read is sent again, and how long that waits.

use std::time::Duration;

use swarmsecrets_core::{Error, ErrorKind};

use crate::failure::{Again, Failure};

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(200);
/// The longest pause that we choose ourselves.
const LONGEST: Duration = Duration::from_secs(5);
/// The longest pause that a server may ask for. Beyond it, the user is told instead.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// How often a read is sent again.
#[derive(Clone, Copy)]
pub(crate) struct Retries(pub(crate) u32);

impl Retries {
    /// How long to wait before attempt number `done + 1`, or the error when there is none. `random` lies in 0..=1.
    pub(crate) fn pause(self, failure: Failure, done: u32, random: f64) -> Result<Duration, Error> {
        match failure.again {
            Again::Never => Err(failure.error),
            _ if done > self.0 => Err(tried(failure.error, done)),
            Again::Later => Ok(backoff(done, random)),
            Again::After(asked) if asked > LONGEST_ASKED => Err(waits(failure.error, asked)),
            // The jitter comes on top: sooner than asked would be refused again.
            Again::After(asked) => Ok(asked + backoff(done, random)),
        }
    }
}

/// Half of the pause is fixed and half is random, so that many clients do not come back at once.
fn backoff(done: u32, random: f64) -> Duration {
    let whole = FIRST.saturating_mul(2u32.saturating_pow(done.saturating_sub(1))).min(LONGEST);
    whole.div_f64(2.0).mul_f64(1.0 + random.clamp(0.0, 1.0))
}

fn tried(error: Error, times: u32) -> Error {
    if times < 2 { error } else { error.context(format!("after {times} attempts")) }
}

fn waits(error: Error, asked: Duration) -> Error {
    let seconds = asked.as_secs();
    Error::new(ErrorKind::RateLimited, format!("{}: the server asks to wait {seconds} seconds", error.message()))
}

/// A number in 0..=1 that need not be secret, only different between clients.
pub(crate) fn random() -> f64 {
    getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(again: Again) -> Failure {
        Failure { error: Error::new(ErrorKind::RateLimited, "slow down"), again }
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let pause = |done, random| Retries(20).pause(failure(Again::Later), done, random).unwrap().as_millis();
        assert_eq!([pause(1, 0.0), pause(1, 1.0)], [100, 200]);
        assert_eq!([pause(2, 0.0), pause(2, 0.5), pause(2, 1.0)], [200, 300, 400]);
        assert_eq!([pause(6, 1.0), pause(19, 1.0)], [5000, 5000]);
        assert_eq!(backoff(u32::MAX, 9.0), LONGEST);
    }

    #[test]
    fn a_server_may_ask_for_a_pause_but_not_for_an_hour() {
        let asked = Retries(1).pause(failure(Again::After(Duration::from_secs(7))), 1, 0.0).unwrap();
        assert_eq!(asked, Duration::from_millis(7100));
        let error = Retries(1).pause(failure(Again::After(Duration::from_secs(3600))), 1, 0.0).unwrap_err();
        assert_eq!(error.message(), "slow down: the server asks to wait 3600 seconds");
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }

    #[test]
    fn it_ends_and_says_how_often_it_was_tried() {
        assert_eq!(Retries(0).pause(failure(Again::Later), 1, 0.0).unwrap_err().message(), "slow down");
        assert!(Retries(2).pause(failure(Again::Later), 2, 0.0).is_ok());
        let error = Retries(2).pause(failure(Again::Later), 3, 0.0).unwrap_err();
        assert_eq!(error.message(), "after 3 attempts: slow down");
        assert_eq!(Retries(9).pause(failure(Again::Never), 1, 0.0).unwrap_err().message(), "slow down");
    }
}
