//! Many seeds, on all cores.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::play::play;
use super::script::Script;
use super::shrink::shrink;
use super::tally::Tally;

/// Which seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub from: u64,
    /// How many.
    pub count: u64,
}

/// How the seeds went.
#[derive(Debug, Default)]
pub struct Simulated {
    /// All that was simulated.
    pub tally: Tally,
    /// The seeds that failed, in order; no more than a few.
    pub failures: Vec<Failure>,
}

/// A seed that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What was not as it must be.
    pub violation: String,
    /// A smaller script that fails too.
    pub script: String,
    /// What was violated in that one.
    pub shrunk_violation: String,
    /// What happened in that one, line by line.
    pub trace: Vec<String>,
}

/// After so many failures no more seeds are begun.
const ENOUGH: usize = 5;

/// Plays the seeds on this many threads. The result does not depend on their number, unless there are failures enough to stop.
#[must_use]
pub fn simulate(seeds: Seeds, threads: usize) -> Simulated {
    let next = AtomicU64::new(0);
    let done = Mutex::new(Simulated::default());
    let work = || {
        let mut tally = Tally::default();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= seeds.count {
                break;
            }
            let seed = seeds.from.wrapping_add(n);
            let played = play(&Script::of(seed), false);
            tally.add(played.tally);
            if let Some(violation) = played.violation {
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                if done.failures.len() >= ENOUGH {
                    break;
                }
                done.failures.push(Failure::of(seed, violation));
            }
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).tally.add(tally);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.failures.sort_by_key(|failure| failure.seed);
    done
}

impl Failure {
    fn of(seed: u64, violation: String) -> Self {
        let script = shrink(&Script::of(seed), &violation);
        let played = play(&script, true);
        Self {
            seed,
            violation,
            script: format!("{script:#?}"),
            shrunk_violation: played.violation.unwrap_or_default(),
            trace: played.trace,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} failed: {}", self.seed, self.violation)?;
        writeln!(f, "cut down: {}", self.shrunk_violation)?;
        writeln!(f, "{}", self.script)?;
        self.trace.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
