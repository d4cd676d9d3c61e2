//! What a generated value is to be like.

use pyo3::prelude::*;
use swarmsecrets_core::generate::{Alphabet, GenerateSpec};

use crate::error::OrRaise as _;

/// A value that is made at random: how many characters, of which alphabet (`alnum`, `hex`, `base64url`, `ascii` or `chars:…`).
#[pyclass(frozen, eq, module = "swarmsecrets")]
#[derive(PartialEq)]
pub(crate) struct Generate(pub(crate) GenerateSpec);

#[pymethods]
impl Generate {
    #[new]
    #[pyo3(signature = (length = 32, alphabet = "alnum"))]
    fn new(py: Python<'_>, length: usize, alphabet: &str) -> PyResult<Self> {
        let alphabet = Alphabet::new(alphabet).or_raise(py)?;
        GenerateSpec::new(length, alphabet).or_raise(py).map(Self)
    }

    /// How many characters.
    #[getter]
    fn length(&self) -> usize {
        self.0.length()
    }

    /// Of which alphabet.
    #[getter]
    fn alphabet(&self) -> String {
        self.0.alphabet().to_string()
    }

    fn __repr__(&self) -> String {
        format!("Generate(length={}, alphabet='{}')", self.length(), self.alphabet())
    }
}
