//! What approvals need from outside: a way to people and back, and a memory of what was used.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{ChangeRequest, Given};
use crate::error::Result;
use crate::ids::Nonce;

/// Carries change requests to those who approve, and their decisions back: a folder, a chat, a ticket. One that brings signed
/// decisions need not be trusted: they are believed for their signatures alone. One that reads decisions back from a system is
/// trusted as far as the policy names it and its accounts.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Makes the request known to those who may approve it, and returns when it is. A request of the same digest that is
    /// known already is not made known twice.
    ///
    /// # Errors
    /// When it could not be made known.
    async fn request(&self, request: &ChangeRequest) -> Result<()>;

    /// What was decided on the request so far, in any order. None is no error: then nobody has decided yet.
    ///
    /// # Errors
    /// When it cannot be told, or something stands where a decision should.
    async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>>;

    /// What it is called, for people.
    fn name(&self) -> &str;
}

/// Remembers which approvals were used, and how late it has been, across processes and their ends.
#[async_trait]
pub trait Nonces: Send + Sync {
    /// Spends the nonce of an approved request, before anything is done on the strength of it. Returns when that is durable.
    /// It must be remembered until `until` at least, when the request expires.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it was spent before, by whichever process: of several at once
    /// exactly one succeeds. With any other error it may be spent or not, and must not be used.
    async fn spend(&self, nonce: &Nonce, until: Timestamp) -> Result<()>;

    /// The latest time that was ever seen here, `now` among them; it is durable before it is given.
    ///
    /// Requests are judged by this time and not by the clock's own. So a clock that is set back, by mistake or to make
    /// an expired approval good again, is noticed: the time that is given is then later than `now`. A clock that was wrong the
    /// other way once, far in the future, lets every request expire until a person puts that right here.
    ///
    /// # Errors
    /// When it cannot be read or written; then nothing must be judged.
    async fn latest(&self, now: Timestamp) -> Result<Timestamp>;
}
