//! The setter and the journals on a real PostgreSQL. Run by `cargo xtask test`, which starts one; plain `cargo test` leaves these tests out, and
//! run by hand without a server they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod audit;
mod encryption;
mod journal;
mod logs;
mod place;
mod roles;
mod suite;
mod wire;
