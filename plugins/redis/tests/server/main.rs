//! The setter on a real Redis. Run by `cargo xtask test`, which starts one; plain `cargo test` leaves these tests out, and
//! run by hand without a server they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod encryption;
mod place;
mod rotation;
mod saved;
mod suite;
