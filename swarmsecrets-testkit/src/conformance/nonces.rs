//! What every [`Nonces`] must do.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use jiff::{SignedDuration, Timestamp};
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::approval::Nonces;
use swarmsecrets_core::ids::Nonce;

use super::{must, must_not};

/// Runs the suite. Each call of `open` opens the same place anew, as another process would; the place is empty at first.
///
/// # Panics
/// If the memory breaks a promise of the trait.
pub async fn check<N: Nonces>(open: impl Fn() -> N) {
    each_is_spent_once(&open).await;
    of_two_at_once_one_spends_it(&open).await;
    time_does_not_go_back(&open).await;
}

fn nonce(n: u8) -> Nonce {
    Nonce::from_random([n; 32])
}

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + second)
}

async fn each_is_spent_once<N: Nonces>(open: &impl Fn() -> N) {
    let here = open();
    must("a nonce is spent", here.spend(&nonce(1), at(60)).await);
    must_not("the same nonce", ErrorKind::Conflict, here.spend(&nonce(1), at(60)).await);
    must_not("the same nonce for longer", ErrorKind::Conflict, here.spend(&nonce(1), at(3600)).await);
    must_not("the same nonce elsewhere", ErrorKind::Conflict, open().spend(&nonce(1), at(60)).await);
    drop(here);
    must_not("the same nonce after an end", ErrorKind::Conflict, open().spend(&nonce(1), at(60)).await);
    must("another nonce is spent besides", open().spend(&nonce(2), at(60)).await);
    // Time that goes on forgets none that is good still.
    must("time can be told", open().latest(at(59)).await);
    must_not("the same nonce later", ErrorKind::Conflict, open().spend(&nonce(1), at(60)).await);
}

async fn of_two_at_once_one_spends_it<N: Nonces>(open: &impl Fn() -> N) {
    for n in 10..30 {
        let (nonce, one, other) = (nonce(n), open(), open());
        let (mut one, mut other) = (pin!(one.spend(&nonce, at(60))), pin!(other.spend(&nonce, at(60))));
        let (mut first, mut second) = (None, None);
        poll_fn(|context| {
            // By turns, so that neither has done it all before the other one begins.
            if first.is_none()
                && let Poll::Ready(answer) = one.as_mut().poll(context)
            {
                first = Some(answer);
            }
            if second.is_none()
                && let Poll::Ready(answer) = other.as_mut().poll(context)
            {
                second = Some(answer);
            }
            if first.is_some() && second.is_some() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let answers = [first, second].into_iter().flatten();
        let (spent, lost): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
        assert_eq!((spent.len(), lost.len()), (1, 1), "of two at once one spends it");
        for answer in lost {
            must_not("the one that lost", ErrorKind::Conflict, answer);
        }
    }
}

async fn time_does_not_go_back<N: Nonces>(open: &impl Fn() -> N) {
    for (now, latest) in [(100, 100), (90, 100), (110, 110), (0, 110)] {
        let told = must("the latest time is told", open().latest(at(now)).await);
        assert_eq!(told, at(latest), "the latest time that was ever seen is told, here or elsewhere");
    }
    let later = must("time goes on", open().latest(at(111)).await);
    assert_eq!(later, at(111), "and with it the latest");
}
