//! A value, which Python can hand over and not read by accident.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::error::OrRaise as _;

/// The value of a secret. It never prints, is neither pickled nor copied out, and its memory is overwritten when it goes.
///
/// The string or bytes that it was made from are Python's, and stay in Python's memory until that is used again: read a value
/// from a file (`SecretValue.from_file`) where that matters.
#[pyclass(frozen, module = "swarmsecrets")]
pub(crate) struct SecretValue(pub(crate) swarmsecrets_core::SecretValue);

#[pymethods]
impl SecretValue {
    #[new]
    fn new(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let bytes = if let Ok(text) = value.cast::<PyString>() {
            text.to_cow()?.as_bytes().to_vec()
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            bytes.as_bytes().to_vec()
        } else {
            return Err(PyTypeError::new_err("a value is str or bytes"));
        };
        swarmsecrets_core::SecretValue::new(bytes).or_raise(py).map(Self)
    }

    /// Reads a value from a file, byte for byte. It does not pass through Python's memory.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: std::path::PathBuf) -> PyResult<Self> {
        let read = py.detach(|| swarmsecrets_host::read_value(&path));
        read.or_raise(py).map(|supplied| Self(supplied.value))
    }

    /// The bytes. Call it only where the value leaves for the place that it is meant for.
    fn expose<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.expose())
    }

    fn __repr__(&self) -> &'static str {
        "SecretValue([REDACTED])"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a SecretValue is not pickled or copied: hand over the value itself"))
    }
}
