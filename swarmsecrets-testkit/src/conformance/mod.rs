//! What every implementation of a plugin trait must do. A plugin's tests call the suite of its trait.
//!
//! A suite panics where the implementation breaks the trait's promise, and says which.

pub mod approver;
pub mod audit_sink;
pub mod credential_setter;
pub mod health_probe;
pub mod journal_store;
pub mod nonces;
pub mod secret_source;
pub mod transport;

use std::fmt::Display;

use swarmsecrets_core::error::{ErrorKind, Result};

/// What must have worked.
#[allow(clippy::panic, reason = "a suite is for tests alone, which fail by panicking")]
fn must<T>(promise: &str, result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{promise}: {error}"),
    }
}

/// What must have been refused for this reason.
#[allow(clippy::panic, reason = "a suite is for tests alone, which fail by panicking")]
fn must_not<T>(promise: impl Display, kind: ErrorKind, result: Result<T>) {
    match result {
        Ok(_) => panic!("{promise}: it was not refused"),
        Err(error) => assert_eq!(error.kind(), kind, "{promise}: {error}"),
    }
}
