//! The command with its journals in a real PostgreSQL, on a simulated Swarm that is served over HTTP. Run by `cargo xtask test`, which starts
//! the server; plain `cargo test` leaves these tests out, and run by hand without a server they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod audited;
mod database;
mod host;
mod refusals;
mod served;
mod takeover;
mod two_hosts;
