//! The command on a real Docker Engine, through the test gateway. Run by `cargo xtask test`, which starts both; plain `cargo test`
//! leaves these tests out, and run by hand without the two they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod bad_credential;
mod command;
mod commanded;
mod crash;
mod docker;
mod faults;
mod git_stack;
mod health;
mod place;
mod portainer;
mod probed;
mod race;
mod redeploy;
mod retire;
mod rotate;
mod scene;
mod scoped;
mod smoke;
mod stack;
