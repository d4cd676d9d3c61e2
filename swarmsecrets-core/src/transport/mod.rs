//! How requests reach Portainer: requests as plain values, and the trait that carries them.
//!
//! A [`Read`] changes nothing and may be sent again. A [`Write`] is made by the executor alone and is sent with a
//! [`Permit`], so a caller that is given only a `&dyn Transport` can look but not touch.

mod containers;
mod refusal;
mod request;
mod requests;
mod world;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::refusal::refusal;
pub(crate) use self::refusal::services_named;
pub use self::request::{Method, Node, RequestView};
pub use self::requests::{LogRange, Read, TaskFilter, Write};
pub use self::world::World;
use crate::error::Result;
use crate::policy::Permit;

/// The header that a simulation puts on every answer, so that a transport over HTTP knows what it talks to.
pub const SIMULATED_HEADER: &str = "x-swarmsecrets-simulated";

/// A good answer (2xx). Anything else is an [`Error`](crate::Error), made by [`refusal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The whole body. A clone of it is no copy.
    pub body: Bytes,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response {{ status: {}, body: {} bytes }}", self.status, self.body.len())
    }
}

/// A body that is read piece by piece: logs, events.
#[async_trait]
pub trait Chunks: Send {
    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// As [`Transport::read`].
    async fn next(&mut self) -> Result<Option<Vec<u8>>>;
}

/// The way to one Portainer.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request that changes nothing, and reads the whole answer. May send it again on its own when no answer came.
    ///
    /// # Errors
    /// The kinds from `Unauthorized` to `Protocol`, with the server's message and never a request's body.
    async fn read(&self, request: &Read) -> Result<Response>;

    /// Sends a request that changes nothing, and gives the answer piece by piece.
    ///
    /// # Errors
    /// As [`Transport::read`].
    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>>;

    /// Sends a mutation, exactly once, never again on its own.
    ///
    /// # Errors
    /// As [`Transport::read`]. `Unreachable` says that nothing was sent; after `Timeout` or `Protocol` it may have been done.
    async fn write(&self, request: Write, permit: Permit) -> Result<Response>;

    /// Whether what answers is a simulation. Stands in every report.
    fn simulated(&self) -> bool;
}
