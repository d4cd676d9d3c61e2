//! The files on a real disk: torn writes, damage, locks, permissions, a full disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod approver;
mod audit;
mod audit_open;
mod audit_sinks;
mod checkpoint;
mod counters;
mod journal;
mod nonces;
mod past;
mod state_dir;
