//! What a client works on: a Portainer, or a simulation; and its records.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use swarmsecrets_client::{Change, Client, Equipment, Operations};
use swarmsecrets_core::ids::{EnvironmentId, RotationId};
use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_git::HttpRemotes;
use swarmsecrets_host::SystemClock;
use swarmsecrets_portainer::PortainerTransport;
use swarmsecrets_server::Remote;

use crate::approval::Given as GivenApproval;
use crate::error::OrRaise as _;
use crate::order::Order;
use crate::plan::Plan;
use crate::plugins::{Plugin, Way};
use crate::read_only::{Reading, json};
use crate::request::Given;
use crate::runtime::run;
use crate::secret_value::SecretValue;
use crate::settings::{self, World};

/// What `Client` and `AsyncClient` ask that changes something: each method waits, or gives an awaitable.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Session(Arc<dyn Operations>);

impl Session {
    /// A session with a client of this equipment.
    pub(crate) fn of(equipment: Equipment) -> Self {
        Self(Arc::new(Client::new(equipment)))
    }

    /// One with a real world.
    fn real(
        transport: impl Transport + 'static,
        instance: String,
        endpoint: u64,
        given: settings::Given<'_>,
    ) -> Result<Self> {
        let world = World {
            transport: Arc::new(transport),
            environment: EnvironmentId(endpoint),
            clock: Arc::new(SystemClock::new()),
            remotes: Arc::new(HttpRemotes::default()),
            instance,
            simulated: false,
        };
        given.equipment(world, settings::Given::records).map(Self::of)
    }

    /// Carries something out.
    fn carry<'py, T, F>(
        &self,
        py: Python<'py>,
        wait: bool,
        order: Order,
        work: impl FnOnce(Arc<dyn Operations>, Order) -> F,
    ) -> PyResult<Bound<'py, PyAny>>
    where
        T: serde::Serialize + Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let cancellation = order.cancellation.clone();
        run(py, wait, cancellation, work(self.0.clone(), order), json)
    }
}

#[pymethods]
impl Session {
    /// A session with a Portainer. Nothing is sent yet.
    #[staticmethod]
    fn portainer(
        py: Python<'_>,
        url: &str,
        api_key: PyRef<'_, SecretValue>,
        endpoint: u64,
        ca_file: Option<PathBuf>,
        given: settings::Given<'_>,
    ) -> PyResult<Self> {
        let mut builder = PortainerTransport::builder(url).api_key(api_key.0.clone());
        if let Some(agent) = &given.agent_id {
            builder = builder.agent_id(agent);
        }
        if let Some(path) = ca_file {
            let read = std::fs::read(&path).map_err(|e| {
                Error::new(ErrorKind::Settings, format!("cannot read the CA file `{}`: {e}", path.display()))
            });
            builder = builder.ca_certificate(&read.or_raise(py)?);
        }
        let transport = builder.build().or_raise(py)?;
        let instance = transport.instance();
        Self::real(transport, instance, endpoint, given).or_raise(py)
    }

    /// A session with a server that holds the API key. Nothing is sent yet.
    #[staticmethod]
    fn connect(py: Python<'_>, address: &str, token: PyRef<'_, SecretValue>) -> PyResult<Self> {
        Remote::new(address, &token.0).or_raise(py).map(|remote| Self(Arc::new(remote)))
    }

    /// What reads, plans and asks, and can do nothing else.
    fn read_only(&self) -> Reading {
        Reading::of(self.0.clone())
    }

    /// A session over a transport of Python's.
    #[staticmethod]
    fn over(py: Python<'_>, transport: Plugin, endpoint: u64, given: settings::Given<'_>) -> PyResult<Self> {
        // Where it leads is not known: requests are bound to the Swarm behind it.
        Self::real(Way::new(transport), "transport".to_owned(), endpoint, given).or_raise(py)
    }

    fn apply<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        order: Order,
        plan: PyRef<'_, Plan>,
        values: Option<Given<'_>>,
        approval: Option<GivenApproval<'_>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (plan, values) = (plan.0.clone(), Given::values(values));
        let approval = approval.map(GivenApproval::taken);
        self.carry(py, wait, order, |client, order| async move {
            let approval = approval.as_ref().map(|(request, in_hand)| (request, in_hand.clone()));
            client.apply(Change { plan: &plan, values, approval }, &order.given()).await
        })
    }

    fn resume<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        order: Order,
        id: &str,
        values: Option<Given<'_>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (id, values) = (RotationId::new(id).or_raise(py)?, Given::values(values));
        self.carry(py, wait, order, |client, order| async move { client.resume(&id, values, &order.given()).await })
    }

    fn rollback<'py>(&self, py: Python<'py>, wait: bool, order: Order, id: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = RotationId::new(id).or_raise(py)?;
        self.carry(py, wait, order, |client, order| async move { client.rollback(&id, &order.given()).await })
    }

    fn close<'py>(&self, py: Python<'py>, wait: bool, order: Order, id: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = RotationId::new(id).or_raise(py)?;
        self.carry(py, wait, order, |client, order| async move { client.close(&id, &order.given()).await })
    }

    fn retire<'py>(&self, py: Python<'py>, wait: bool, order: Order) -> PyResult<Bound<'py, PyAny>> {
        self.carry(py, wait, order, |client, order| async move { client.retire(&order.given()).await })
    }
}
