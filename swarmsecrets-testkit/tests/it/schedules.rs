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

/// Each of these has found something once.
#[test]
fn seeds_that_have_failed_end_as_they_must() {
    const SEEDS: [u64; 40] = [
        2_429, 2_925, 3_186, 3_389, 3_694, 3_912, 3_924, 4_155, 4_249, 4_872, 4_915, 6_438, 6_972, 7_431, 9_314,
        10_457, 11_280, 12_215, 13_775, 17_231, 18_649, 19_693, 22_925, 28_329, 29_236, 31_869, 32_320, 34_221, 36_273,
        36_918, 36_964, 40_159, 60_329, 63_830, 74_411, 89_256, 104_181, 116_934, 118_286, 130_049,
    ];
    let failures = SEEDS.into_iter().flat_map(|from| simulate(Seeds { from, count: 1 }, 1).failures);
    let failed: Vec<String> = failures.map(|failure| failure.to_string()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_seed_plays_the_same_each_time_whatever_the_number_of_threads() {
    let seeds = Seeds { from: 70_000, count: 12 };
    let (one, two) = (simulate(seeds, 1), simulate(seeds, 3));
    assert_eq!(one.tally, two.tally);
}
