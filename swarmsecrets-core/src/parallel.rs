//! Work shared by the cores. What comes out does not depend on how many there are.

use std::num::NonZero;
use std::thread::{Builder, available_parallelism, scope};

/// What `work` makes of each part of the items, in their order. One part for each core, if they are many.
pub(crate) fn parts<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    const WORTH_A_THREAD: usize = 256;
    let work = &work;
    let cores = available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(cores).max(WORTH_A_THREAD);
    let (own, others) = items.split_at(share.min(items.len()));
    scope(|scope| {
        let start = |part| Builder::new().spawn_scoped(scope, move || work(part));
        let started: Vec<_> = others.chunks(share).map(|part| (part, start(part))).collect();
        let mut done = vec![work(own)];
        for (part, thread) in started {
            // A thread that the system does not give is done without.
            let theirs = thread.ok().and_then(|thread| thread.join().ok());
            done.push(theirs.unwrap_or_else(|| work(part)));
        }
        done
    })
}

/// What two works make, both done at once.
pub(crate) fn both<A, B: Send>(own: impl FnOnce() -> A, other: impl Fn() -> B + Sync) -> (A, B) {
    scope(|scope| {
        let started = Builder::new().spawn_scoped(scope, &other);
        let own = own();
        // As above.
        let other = started.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(&other);
        (own, other)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_works_are_done() {
        assert_eq!(super::both(|| 1, || "two"), (1, "two"));
    }

    #[test]
    fn the_order_is_kept_however_many_there_are() {
        for count in [0, 1, 255, 256, 257, 5_000] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(
                super::parts(&items, |part| part.iter().map(|n| n * 2).collect::<Vec<usize>>()).concat(),
                (0..count).map(|n| n * 2).collect::<Vec<_>>()
            );
        }
    }
}
