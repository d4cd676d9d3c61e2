//! Deterministic simulation: a seed gives a world, what is tried in it, and all that goes wrong. Everything is played in
//! virtual time by one thread, so that a seed that fails can be run again, step by step.
//!
//! ```
//! use swarmsecrets_testkit::schedule::{Seeds, simulate};
//!
//! let done = simulate(Seeds { from: 1, count: 3 }, 1);
//! assert!(done.failures.is_empty());
//! assert_eq!(done.tally.worlds, 3);
//! ```
//!
//! [`scene`](self) draws the world, `script` the operations, the faults and what other people do; `play` carries them
//! out with core's own executor; `wire` and `records` stand where the network and the disk are, and are where faults and
//! crashes happen; `watch` looks at the world after each step; `oracle` compares reports with it; `shrink` cuts a failing
//! script down.

mod ask;
mod begun;
mod disk;
mod door;
mod late;
mod lockouts;
mod logins;
mod manner;
mod many;
mod oracle;
mod people;
mod play;
#[cfg(test)]
mod play_tests;
mod probes;
mod process;
mod providers;
mod reasons;
mod records;
mod rules;
mod scene;
mod script;
mod shrink;
mod stage;
mod tally;
mod trouble;
mod truth;
mod values;
mod watch;
mod wire;

pub use self::many::{Failure, Seeds, Simulated, simulate};
pub use self::tally::Tally;
