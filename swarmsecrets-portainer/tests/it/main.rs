//! The transport against servers that answer well, badly, slowly, endlessly or not at all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bodies;
mod certificates;
mod manners;
mod proxied;
mod recordings;
mod retries;
mod secrecy;
mod server;
mod simswarm;

use swarmsecrets_core::policy::{Direction, Permit};
use swarmsecrets_core::transport::{Method, Read, Write};
use swarmsecrets_core::{SecretValue, testing};
use swarmsecrets_portainer::{Builder, PortainerTransport};

/// The key of all tests. Must never be seen but in the header.
const KEY: &str = "ptr_made-up-key-4711";
/// What the body of a mutation holds. Must never be seen at all.
const VALUE: &str = "made-up-value-0815";

fn builder(url: &str) -> Builder {
    PortainerTransport::builder(url).api_key(SecretValue::credential(KEY.into()))
}

fn look() -> Read {
    testing::read("/api/look", vec![], "look")
}

fn change() -> Write {
    testing::write(Method::Post, "/api/change", vec![], Some(format!("{{\"Data\":\"{VALUE}\"}}").into()), "change it")
}

fn permit() -> Permit {
    testing::permit(Direction::Forward)
}
