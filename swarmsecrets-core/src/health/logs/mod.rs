//! Log anomalies: lines that say a credential was refused, and more error lines than usual.
//!
//! A log is read as a stream, in memory that does not grow with it: [`Frames`] takes it apart, and a tally counts. Of what
//! a line says nothing is kept but which pattern it fits, and for error lines sixteen bits of a hash; what is
//! shown of one is its [`excerpt`]: words that are common in logs, and nothing else.

mod auth;
mod auth_table;
#[cfg(test)]
mod auth_tests;
mod compare;
mod errors;
mod excerpt;
mod frames;
mod line;
mod probe;
#[cfg(test)]
mod probe_tests;
mod tally;
mod verdict;
mod words;

pub use self::excerpt::excerpt;
pub use self::frames::{Frames, Source};
pub use self::line::LogLine;
pub use self::probe::LogProbe;
