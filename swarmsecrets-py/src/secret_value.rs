//! A value, which Python can hand over and not read by accident.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use swarmsecrets_core::policy::Guard;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_host::policies_in_force;

use crate::error::OrRaise as _;

static FORBIDDEN: AtomicBool = AtomicBool::new(false);

/// Whether values may come back to Python: unless this process, a policy of its clients or the installed one forbids it.
pub(crate) fn may_expose() -> Result<()> {
    static INSTALLED: LazyLock<Result<Vec<Guard>, String>> =
        LazyLock::new(|| policies_in_force(&[], false).map_err(|error| error.to_string()));
    let denied = |why: &str| Err(Error::new(ErrorKind::Denied, why.to_owned()));
    match &*INSTALLED {
        Err(unread) => {
            return denied(&format!("no value is exposed to Python while the policy cannot be read: {unread}"));
        }
        Ok(installed) => heed(installed),
    }
    match FORBIDDEN.load(Ordering::Relaxed) {
        true => denied("this process, or a policy in force, has forbidden that values are exposed to Python"),
        false => Ok(()),
    }
}

/// From now on what these policies say of exposing holds, for the whole process: a value does not know whose it is.
pub(crate) fn heed(policies: &[Guard]) {
    if policies.iter().any(|guard| !guard.policy().lets_values_be_exposed()) {
        FORBIDDEN.store(true, Ordering::Relaxed);
    }
}

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
    fn expose<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        may_expose().or_raise(py)?;
        Ok(PyBytes::new(py, self.0.expose()))
    }

    /// From now on, no value comes back to Python in this process, and nothing takes that back.
    #[staticmethod]
    fn forbid_expose() {
        FORBIDDEN.store(true, Ordering::Relaxed);
    }

    fn __repr__(&self) -> &'static str {
        "SecretValue([REDACTED])"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a SecretValue is not pickled or copied: hand over the value itself"))
    }
}
