//! Plays seeds of the deterministic simulation. `cargo xtask sim` builds it with optimizations and runs it.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use swarmsecrets_testkit::schedule::{Seeds, simulate};

/// Plays seeds of the deterministic simulation.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

fn main() -> ExitCode {
    let Args { seeds: count, from } = Args::parse();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let begun = Instant::now();
    let done = simulate(Seeds { from, count }, threads);
    let seconds = begun.elapsed().as_secs_f64();
    for failure in &done.failures {
        println!("{failure}");
    }
    print!("{}", done.tally);
    println!("{} seeds in {seconds:.1} s: {:.0} a second", done.tally.worlds, done.tally.worlds as f64 / seconds);
    if done.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
