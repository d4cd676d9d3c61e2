//! Change requests, what people say to them, and the keys that they say it with.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3_async_runtimes::tokio::get_runtime;
use swarmsecrets_core::approval::{self, SignedDecision, Verdict};
use swarmsecrets_host::{FileApprover, make_key, sign_decision};

use crate::error::{OrRaise as _, invalid};
use crate::plan::Plan;
use crate::secret_value::SecretValue;

/// What is asked for, sealed. It cannot be changed, and one that was is not taken.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct ChangeRequest(pub(crate) approval::ChangeRequest);

#[pymethods]
impl ChangeRequest {
    /// Reads a request from its JSON, and checks that it is as it was made.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &[u8]) -> PyResult<Self> {
        approval::ChangeRequest::from_json(text).or_raise(py).map(Self)
    }

    /// Its document.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.0.to_json().or_raise(py).map(|text| PyBytes::new(py, &text))
    }

    /// Its digest.
    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// The request for a person.
    fn text(&self) -> String {
        self.0.text()
    }

    /// What is to be done.
    fn plan(&self) -> Plan {
        Plan(self.0.plan.clone())
    }
}

/// What one approver says, signed. Whether it is to be believed is seen when it is judged.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Decision(pub(crate) SignedDecision);

#[pymethods]
impl Decision {
    /// Reads a decision from its JSON.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &[u8]) -> PyResult<Self> {
        SignedDecision::from_json(text).or_raise(py).map(Self)
    }

    /// Its document.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.0.to_json().or_raise(py).map(|text| PyBytes::new(py, &text))
    }

    /// Puts it into a folder of change requests.
    fn put(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        let decision = self.0.clone();
        let put = async move { FileApprover::open(&folder)?.answer(&decision).await };
        py.detach(|| get_runtime().block_on(put)).or_raise(py)
    }
}

/// Makes a key: the private half goes into the file, the public half is given.
#[pyfunction]
pub(crate) fn keygen(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    py.detach(|| make_key(&path)).or_raise(py).map(|key| key.to_string())
}

/// Signs a decision, now.
#[pyfunction]
pub(crate) fn sign(
    py: Python<'_>,
    request: PyRef<'_, ChangeRequest>,
    verdict: &str,
    identity: &str,
    comment: Option<String>,
    key: PyRef<'_, SecretValue>,
) -> PyResult<Decision> {
    let verdict = match verdict {
        "approve" => Verdict::Approve,
        "deny" => Verdict::Deny,
        _ => return Err(invalid("a decision is `approve` or `deny`")).or_raise(py),
    };
    sign_decision(&request.0, verdict, identity, comment, &key.0).or_raise(py).map(Decision)
}

/// A request that was decided on, as `swarmsecrets.approval` hands it over.
#[derive(FromPyObject)]
pub(crate) struct Given<'py> {
    request: PyRef<'py, ChangeRequest>,
    /// Decisions in hand, beside those that the approvers have.
    decisions: Vec<PyRef<'py, Decision>>,
}

impl Given<'_> {
    /// The request, and the decisions in hand.
    pub(crate) fn taken(self) -> (approval::ChangeRequest, Vec<approval::Given>) {
        let in_hand = self.decisions.iter().map(|decision| decision.0.clone().into()).collect();
        (self.request.0.clone(), in_hand)
    }
}
