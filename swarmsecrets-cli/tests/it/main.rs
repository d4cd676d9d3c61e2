//! The command as its users meet it: arguments, standard streams, exit codes, files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod approvals;
mod attacks;
mod audit;
mod command;
mod due;
mod golden;
mod hostile;
mod limits;
mod probes;
mod refusals;
mod remembered;
mod rotation;
#[cfg(unix)]
mod run;
mod served;
mod settings;
mod sinks;
mod sources;
mod tickets;
mod usage;
