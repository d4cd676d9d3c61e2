//! How something is to be carried out.

use pyo3::prelude::*;
use swarmsecrets_client::Told;
use swarmsecrets_core::executor::{Observer, Progress};
use swarmsecrets_core::policy::Word;

/// An order as `swarmsecrets.order` writes it down.
#[derive(FromPyObject)]
pub(crate) struct Order {
    confirm: bool,
    reason: Option<String>,
    accept_inconclusive: bool,
    tell: Option<Py<PyAny>>,
    pub(crate) cancellation: Cancellation,
}

impl Order {
    /// The order, as a client takes it.
    pub(crate) fn given(&self) -> swarmsecrets_client::Order<'_> {
        swarmsecrets_client::Order {
            word: if self.confirm { Word::Given } else { Word::NotGiven },
            reason: self.reason.clone(),
            observer: self,
            cancellation: self.cancellation.0.clone(),
            accept_inconclusive: self.accept_inconclusive,
        }
    }
}

/// Tells a callable of Python's what happens, as JSON.
impl Observer for Order {
    fn tell(&self, progress: &Progress<'_>) {
        let Some(tell) = &self.tell else { return };
        let Some(Ok(text)) = Told::of(progress).map(|told| serde_json::to_string(&told)) else { return };
        Python::attach(|py| {
            if let Err(error) = tell.call1(py, (text,)) {
                error.write_unraisable(py, None);
            }
        });
    }
}

/// Asks what is under way to stop: no further consumer is begun, and the one in hand is finished or undone.
#[pyclass(frozen, from_py_object, module = "swarmsecrets")]
#[derive(Clone, Default)]
pub(crate) struct Cancellation(pub(crate) swarmsecrets_core::executor::Cancellation);

#[pymethods]
impl Cancellation {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Asks. Does nothing when all is done.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether it was asked.
    #[getter]
    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    fn __repr__(&self) -> &'static str {
        if self.cancelled() { "<Cancellation: asked>" } else { "<Cancellation>" }
    }
}
