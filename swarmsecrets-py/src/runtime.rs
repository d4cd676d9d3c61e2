//! Where Rust's work is done: threads of its own, while the interpreter goes on.

use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::{future_into_py, get_runtime};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::error::{OrRaise as _, raised};
use crate::order::Cancellation;

/// How often a thread that waits looks whether Python was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// Does the work and waits for it, or gives an awaitable for it. What it gives is turned into Python's by `into`.
///
/// An interrupt (Ctrl-C), or the cancellation of the awaitable, asks the work to stop: no further consumer is begun, and the
/// one in hand is finished or undone.
pub(crate) fn run<'py, T: Send + 'static>(
    py: Python<'py>,
    wait: bool,
    cancellation: Cancellation,
    work: impl Future<Output = Result<T>> + Send + 'static,
    into: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let runtime = get_runtime();
    if wait {
        let (done, result) = mpsc::channel();
        runtime.spawn(async move { drop(done.send(work.await)) });
        return waited(py, &cancellation, result, into);
    }
    let task = runtime.spawn(work);
    let asked = Asked(Some(cancellation));
    future_into_py(py, async move {
        let ended = task.await;
        asked.answered();
        let broken = |_| Error::new(ErrorKind::Io, "the work ended without a result: this is a fault of swarmsecrets");
        Python::attach(|py| match ended.map_err(broken) {
            Ok(Ok(value)) => into(py, value),
            Ok(Err(error)) | Err(error) => Err(raised(py, &error)),
        })
    })
}

fn waited<'py, T: Send>(
    py: Python<'py>,
    cancellation: &Cancellation,
    mut result: mpsc::Receiver<Result<T>>,
    into: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut interrupted = None;
    loop {
        let receiver = &mut result;
        match (py.detach(move || receiver.recv_timeout(LOOK)), interrupted.take()) {
            // It was asked to stop, and has; the interrupt itself goes on its way.
            (Ok(_), Some(signal)) => return Err(signal),
            (Ok(ended), None) => return into(py, ended.or_raise(py)?).map(|value| value.into_bound(py)),
            (Err(mpsc::RecvTimeoutError::Timeout), before) => {
                interrupted = before.or(py.check_signals().err());
                if interrupted.is_some() {
                    cancellation.0.cancel();
                }
            }
            (Err(mpsc::RecvTimeoutError::Disconnected), _) => {
                let text = "the work ended without a result: this is a fault of swarmsecrets";
                return Err(raised(py, &Error::new(ErrorKind::Io, text)));
            }
        }
    }
}

/// Asks the work to stop when nobody waits for it any more.
struct Asked(Option<Cancellation>);

impl Asked {
    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(cancellation) = &self.0 {
            cancellation.0.cancel();
        }
    }
}
