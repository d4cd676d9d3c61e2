//! What reads, plans and asks people, and can do nothing else.

use std::sync::Arc;

use pyo3::prelude::*;
use swarmsecrets_client::Operations;

use crate::approval::ChangeRequest;
use crate::error::{OrRaise as _, invalid};
use crate::inventory::Inventory;
use crate::order::Cancellation;
use crate::plan::Plan;
use crate::policy::AskedAct;
use crate::request::{Asked, AskedFirst, Given};
use crate::runtime::run;

/// What all clients ask that changes nothing: each method waits, or gives an awaitable. There is no way from here to one that changes.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Reading(Arc<dyn Operations>);

fn plan(py: Python<'_>, plan: swarmsecrets_core::plan::Plan) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Plan(plan))?.into_any())
}

/// Reports and judgements, as JSON.
pub(crate) fn json(py: Python<'_>, document: impl serde::Serialize) -> PyResult<Py<PyAny>> {
    let written = serde_json::to_string(&document);
    let text = written.map_err(|e| invalid(format!("the answer cannot be written: {e}"))).or_raise(py)?;
    Ok(text.into_pyobject(py)?.into_any().unbind())
}

impl Reading {
    /// The reading part of what a client can do.
    pub(crate) fn of(operations: Arc<dyn Operations>) -> Self {
        Self(operations)
    }
}

#[pymethods]
impl Reading {
    fn inventory<'py>(&self, py: Python<'py>, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        let client = self.0.clone();
        let work = async move { client.inventory().await };
        run(py, wait, Cancellation::default(), work, |py, seen| Ok(Py::new(py, Inventory::of(seen))?.into_any()))
    }

    fn plan<'py>(&self, py: Python<'py>, wait: bool, asked: Asked<'_>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.0.clone();
        let wanted = asked.wanted().or_raise(py)?;
        run(py, wait, Cancellation::default(), async move { client.plan(wanted).await }, plan)
    }

    fn plan_create<'py>(&self, py: Python<'py>, wait: bool, asked: AskedFirst<'_>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.0.clone();
        let wanted = asked.wanted();
        run(py, wait, Cancellation::default(), async move { client.plan_create(wanted).await }, plan)
    }

    fn explain<'py>(&self, py: Python<'py>, wait: bool, asked: AskedAct) -> PyResult<Bound<'py, PyAny>> {
        let client = self.0.clone();
        let question = asked.question().or_raise(py)?;
        run(py, wait, Cancellation::default(), async move { client.explain(&question).await }, json)
    }

    fn due<'py>(&self, py: Python<'py>, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        let client = self.0.clone();
        run(py, wait, Cancellation::default(), async move { client.due().await }, json)
    }

    fn request_change<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        plan: PyRef<'_, Plan>,
        values: Option<Given<'_>>,
        reason: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (client, plan, values) = (self.0.clone(), plan.0.clone(), Given::values(values));
        let work = async move { client.ask_people(&plan, &values, reason.as_deref()).await };
        run(py, wait, Cancellation::default(), work, |py, request| Ok(Py::new(py, ChangeRequest(request))?.into_any()))
    }

    fn unfinished<'py>(&self, py: Python<'py>, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        let client = self.0.clone();
        run(py, wait, Cancellation::default(), async move { client.unfinished().await }, json)
    }
}
