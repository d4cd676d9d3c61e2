//! The files on a real disk: torn writes, damage, locks, permissions, a full disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod audit;
mod journal;
mod state_dir;
