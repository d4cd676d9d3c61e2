//! Futures that are ready at once, without a runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use swarmsecrets_core::error::{Error, ErrorKind, Result};

/// The outcome of a future that never waits, as those of a simulation do not: their time passes by itself.
///
/// # Errors
/// [`ErrorKind::Protocol`] if it waits after all, which only a real Engine makes it do.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Ok(outcome),
        Poll::Pending => Err(Error::new(ErrorKind::Protocol, "the simulation waits for something outside of it")),
    }
}
