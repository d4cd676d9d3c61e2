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
    let causes = PyList::empty(py);
    let mut source = error.source();
    while let Some(cause) = source {
        match cause.downcast_ref::<PyErr>() {
            Some(own) => causes.append(own.clone_ref(py))?,
            None => causes.append(cause.to_string())?,
        }
        source = cause.source();
    }
    let of = py.import("swarmsecrets.errors")?.getattr("raised")?;
    let exception = of.call1((error.kind().as_str(), error.message(), causes))?;
    Ok(PyErr::from_value(exception))
}

/// What a plugin raised, as an error of core: of the kind and with the words that its adapter gave it. The exception itself
/// is its cause.
pub(crate) fn plain(py: Python<'_>, raised: PyErr) -> Error {
    let value = raised.value(py);
    let said = || Some((value.getattr("kind").ok()?.extract::<String>().ok()?, value.str().ok()?.to_string()));
    let kind = |name: String| serde_json::from_value(name.into()).ok();
    match said().and_then(|(name, message)| Some((kind(name)?, message))) {
        Some((kind, message)) => match raised.cause(py) {
            Some(cause) => Error::new(kind, message).with_source(cause),
            None => Error::new(kind, message),
        },
        // Its words may hold a value.
        None => {
            let what = value.get_type().name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
            Error::new(ErrorKind::Protocol, format!("a plugin failed with {what}")).with_source(raised)
        }
    }
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
