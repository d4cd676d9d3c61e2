//! A plan, sealed.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{OrRaise as _, invalid};

/// What a rotation would do. It cannot be changed, and a pickled one that was is not taken.
#[pyclass(frozen, module = "swarmsecrets._native", name = "Plan")]
pub(crate) struct Plan(pub(crate) swarmsecrets_core::plan::Plan);

#[pymethods]
impl Plan {
    /// Reads a plan from its JSON, and checks that it is as it was made.
    #[staticmethod]
    pub(crate) fn from_json(py: Python<'_>, text: &[u8]) -> PyResult<Self> {
        swarmsecrets_core::plan::Plan::from_json(text).or_raise(py).map(Self)
    }

    /// Its document.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let written = serde_json::to_vec(&self.0).map_err(|e| invalid(format!("the plan cannot be written: {e}")));
        written.or_raise(py).map(|text| PyBytes::new(py, &text))
    }

    /// Its digest.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// What it changes, for people: a sign and words in each line.
    fn diff(&self) -> String {
        self.0.diff().to_string()
    }
}
