//! What the tests of transports need and nobody else may have: any request at all, and leave to send it.
//!
//! The feature `testing` is off by default and belongs in `dev-dependencies` alone: with it a program could write to a
//! Swarm past the guardrails.

use async_trait::async_trait;

use crate::error::Result;
use crate::exec::Leave;
use crate::ids::PlanDigest;
use crate::policy::{Direction, Permit};
use crate::transport::{Method, Read, Write};

/// A query, not yet encoded.
pub type Query = Vec<(&'static str, String)>;

/// A `GET` of any path.
#[must_use]
pub fn read(path: &str, query: Query, what: &str) -> Read {
    Read::any(path, query, what)
}

/// A mutation of any path.
#[must_use]
pub fn write(method: Method, path: &str, query: Query, body: Option<Vec<u8>>, what: &str) -> Write {
    Write::any(method, path, query, body, what)
}

/// A permit for a plan that does not exist: its digest is all zeros.
#[must_use]
pub fn permit(direction: Direction) -> Permit {
    Permit::grant(PlanDigest::from_sha256([0; 32]), direction)
}

/// Leave for every command, and no audit trail.
#[derive(Clone, Copy, Debug, Default)]
pub struct FreeLeave;

#[async_trait]
impl Leave for FreeLeave {
    async fn take(&self, _: &str) -> Result<Permit> {
        Ok(permit(Direction::Forward))
    }

    async fn tell(&self, _: &str, _: &Result<()>) {}
}
