//! Seeds of the deterministic simulation. `cargo xtask sim` plays more of them.

use swarmsecrets_testkit::schedule::{Seeds, simulate};

#[test]
fn two_thousand_seeds_end_as_they_must() {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let done = simulate(Seeds { from: 0, count: 2_000 }, threads);
    println!("{}", done.tally);
    for failure in &done.failures {
        println!("{failure}");
    }
    let seeds: Vec<u64> = done.failures.iter().map(|failure| failure.seed).collect();
    assert!(seeds.is_empty(), "these seeds fail: {seeds:?}; `cargo xtask sim --seeds 1 --from SEED` plays one alone");
    assert_eq!(done.tally.worlds, 2_000);
}

#[test]
fn a_seed_plays_the_same_each_time_whatever_the_number_of_threads() {
    let seeds = Seeds { from: 70_000, count: 12 };
    let (one, two) = (simulate(seeds, 1), simulate(seeds, 3));
    assert_eq!(one.tally, two.tally);
}
