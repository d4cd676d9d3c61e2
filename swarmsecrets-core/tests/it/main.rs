//! Tests of the core against the recorded exchanges.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "clippy excepts test functions by itself, but not what they call; fixtures are read from files"
)]

mod fixtures;
mod patches;
mod recorded_answers;
mod recorded_world;
mod redeploys;
mod verdicts;
