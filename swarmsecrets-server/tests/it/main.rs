//! A server before a simulated Swarm, and those who call it over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod attacks;
mod calls;
mod desk;
