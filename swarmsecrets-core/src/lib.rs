//! The pure part of swarmsecrets.

pub mod error;
pub mod ids;
pub mod secret;

pub mod clock;
pub mod duration;
pub mod model;

pub mod git;

pub mod stack;

mod parallel;

pub mod inventory;

pub mod generate;

pub mod source;

pub mod keys;

pub mod policy;

pub mod transport;

pub mod exec;

pub mod credential;

pub mod plan;

pub mod approval;

pub mod audit;

pub mod health;

pub mod journal;

pub mod rotation;

pub mod executor;

#[cfg(feature = "testing")]
pub mod testing;

pub use crate::error::{Error, ErrorKind, Result};
pub use crate::secret::SecretValue;
