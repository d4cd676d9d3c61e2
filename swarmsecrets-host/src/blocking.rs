//! Waiting for the disk without holding up the other tasks of the program.

use swarmsecrets_core::{Error, ErrorKind, Result};

/// Runs `work` where it may block. If the caller is cancelled the work still goes on to its end.
pub(crate) async fn blocking<T: Send + 'static>(
    kind: ErrorKind,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::new(kind, "the work on a file was broken off").with_source(error)),
    }
}
