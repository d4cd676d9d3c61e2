//! Transports.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use swarmsecrets_core::Result;
use swarmsecrets_core::policy::Permit;
use swarmsecrets_core::transport::{Chunks, Read, RequestView, Response, Transport, World, Write, refusal};

use super::Plugin;
use crate::error::OrRaise as _;
use crate::secret_value::may_expose;

/// `swarmsecrets.transport.Transport`.
pub(crate) struct Way {
    plugin: Plugin,
    world: World,
}

impl Way {
    pub(crate) fn new(plugin: Plugin) -> Self {
        Self { plugin, world: World::default() }
    }

    /// An answer, if it is a good one.
    fn good(&self, what: &str, (status, simulated, body): Answered) -> Result<Response> {
        if !(200..300).contains(&status) {
            return Err(refusal(what, status, &body));
        }
        self.world.saw(simulated, what)?;
        // The bytes stay where Python has them.
        Ok(Response { status, body: Bytes::from_owner(body) })
    }
}

/// What came back: the status, whether a simulation said it, and the body.
type Answered = (u16, bool, PyBackedBytes);

/// What is to be sent.
#[pyclass(frozen, module = "swarmsecrets.transport", name = "Request")]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    header: Option<(&'static str, String)>,
    body: Option<Body>,
    what: String,
}

/// A mutation keeps its body, which may hold a value, and overwrites it when it goes.
struct Body(Write);

impl Request {
    fn of(view: RequestView<'_>) -> Self {
        Self {
            method: view.method.as_str(),
            path: view.path.to_owned(),
            query: view.query.to_vec(),
            header: view.node.header(view.path).map(|(name, value)| (name, value.to_owned())),
            body: None,
            what: view.what.to_owned(),
        }
    }

    fn mutation(write: Write) -> Self {
        let told = Self::of(write.view());
        Self { body: Some(Body(write)), ..told }
    }
}

#[pymethods]
impl Request {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    #[getter]
    fn method(&self) -> &'static str {
        self.method
    }

    /// The path from the server's root, as `/api/…`, encoded.
    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    /// The query, not yet encoded.
    #[getter]
    fn query(&self) -> Vec<(&'static str, String)> {
        self.query.clone()
    }

    /// The headers that it needs beside the credential.
    #[getter]
    fn headers(&self) -> std::collections::BTreeMap<&'static str, String> {
        self.header.iter().cloned().collect()
    }

    /// What it does, for messages.
    #[getter]
    fn what(&self) -> &str {
        &self.what
    }

    /// The JSON body, which may hold a value: send it, and print nothing of it.
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Some(body) = self.body.as_ref().and_then(|Body(write)| write.view().body) else { return Ok(None) };
        may_expose().or_raise(py)?;
        Ok(Some(PyBytes::new(py, body)))
    }

    fn __repr__(&self) -> String {
        format!("<Request: {}>", self.what)
    }
}

#[async_trait]
impl Transport for Way {
    async fn read(&self, request: &Read) -> Result<Response> {
        let answer = self.plugin.ask("send", (Request::of(request.view()),)).await?;
        self.good(request.view().what, answer)
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        let (what, plugin) = (request.view().what, self.plugin.clone());
        let (status, simulated, pieces) = plugin.ask("open", (Request::of(request.view()),)).await?;
        let mut pieces = Pieces { plugin, pieces: Arc::new(pieces) };
        if (200..300).contains(&status) {
            self.world.saw(simulated, what)?;
            return Ok(Box::new(pieces));
        }
        Err(refusal(what, status, &pieces.next().await?.unwrap_or_default()))
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        let what = request.view().what.to_owned();
        tracing::debug!(what, plan = %permit.plan(), "sends a mutation");
        let answer = self.plugin.ask("send", (Request::mutation(request),)).await?;
        self.good(&what, answer)
    }

    fn simulated(&self) -> bool {
        self.world.is_simulated()
    }
}

/// A body of which Python gives one piece after the other.
struct Pieces {
    plugin: Plugin,
    pieces: Arc<Py<PyAny>>,
}

#[async_trait]
impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let pieces = self.pieces.clone();
        let piece: Option<PyBackedBytes> = self.plugin.ask("next", (Shared(pieces),)).await?;
        Ok(piece.map(|piece| piece.to_vec()))
    }
}

struct Shared(Arc<Py<PyAny>>);

impl<'py> IntoPyObject<'py> for Shared {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = std::convert::Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.0.bind(py).clone())
    }
}
