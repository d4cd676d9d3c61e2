//! The simulation's faults on the real Engine: rotations through a proxy that breaks what a seed says, and processes that die.
//! When nothing goes wrong any more, `resume` must end all-new or all-old, and say so.
//!
//! `SWARMSECRETS_TEST_SEED=7 cargo xtask test faults` plays one seed alone, `7..90` those from 7 to 89.

mod oracle;
mod play;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use swarmsecrets_testkit::faults::Script;

use self::play::Play;
use crate::scene::RETIRING;

/// The seeds that are played.
const SEEDS: std::ops::Range<u64> = 0..32;
/// How many are played at the same time: most of the time of a rotation is waiting.
const AT_ONCE: usize = 6;

/// What happened in all of them.
#[derive(Default)]
struct Tally {
    faults: BTreeMap<&'static str, usize>,
    outcomes: BTreeMap<String, usize>,
    failed: Vec<u64>,
}

/// Plays one seed; fails with all that is to know of it.
fn play(seed: u64, runtime: &tokio::runtime::Handle, tally: &Mutex<Tally>) {
    let script = Script::of(seed);
    let _undisturbed = (!script.grace).then(|| RETIRING.read().unwrap_or_else(PoisonError::into_inner));
    let mut play = Play::set(seed, script, runtime);
    // What is not met yet is worth seeing too when something fails half-way.
    let played = catch_unwind(AssertUnwindSafe(|| {
        let last = play.run();
        oracle::check(&play, last.as_ref());
        last
    }));
    println!("{}", play.story());
    let mut tally = tally.lock().unwrap();
    for (what, _) in play.met() {
        *tally.faults.entry(what.name()).or_default() += 1;
    }
    match played {
        Ok(last) => {
            let outcome = last.map_or_else(|| "ended unheard".to_owned(), |json| json["outcome"].to_string());
            *tally.outcomes.entry(outcome).or_default() += 1;
        }
        Err(_) => tally.failed.push(seed),
    }
}

/// The seeds that the environment asks for.
fn chosen() -> Option<std::ops::Range<u64>> {
    let text = std::env::var("SWARMSECRETS_TEST_SEED").ok()?;
    let number = |part: &str| -> u64 {
        part.parse().unwrap_or_else(|_| panic!("SWARMSECRETS_TEST_SEED is `{text}`: give it like `7` or `7..90`"))
    };
    Some(match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&text)..number(&text) + 1,
    })
}

#[test]
fn whatever_goes_wrong_ends_all_new_or_all_old() {
    let chosen = chosen();
    let seeds = chosen.clone().unwrap_or(SEEDS);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (next, tally) = (AtomicU64::new(seeds.start), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    // Setting the scene may fail, too.
                    if catch_unwind(AssertUnwindSafe(|| play(seed, runtime.handle(), &tally))).is_err() {
                        tally.lock().unwrap().failed.push(seed);
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("faults that were met: {:#?}\nhow it ended: {:#?}", tally.faults, tally.outcomes);
    assert!(
        tally.failed.is_empty(),
        "{:?} failed: what was played stands above; `SWARMSECRETS_TEST_SEED={} cargo xtask test faults` plays it again",
        tally.failed,
        tally.failed[0]
    );
    if chosen.is_none() {
        let met: usize = tally.faults.values().sum();
        assert!(met > SEEDS.count() && tally.faults.len() >= 8, "hardly anything went wrong: {:?}", tally.faults);
        assert!(tally.outcomes.len() > 1, "all ended alike: {:?}", tally.outcomes);
    }
}
