//! Errors, as Python's: `swarmsecrets.errors` has a class for each kind.

use std::error::Error as _;

use pyo3::prelude::*;
use pyo3::types::PyList;
use swarmsecrets_core::{Error, ErrorKind};

/// The Python exception that says the same, chained to its causes.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).unwrap_or_else(|failed| failed)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let of = py.import("swarmsecrets.errors")?.getattr("_raised")?;
    let exception = of.call1((error.kind().as_str(), error.message(), PyList::new(py, causes)?))?;
    Ok(PyErr::from_value(exception))
}

/// What Python gave that is not acceptable.
pub(crate) fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, text)
}

/// An error as it is handed to Python.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error))
    }
}
