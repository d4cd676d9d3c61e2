//! What a client works on: a Portainer, or a simulation; and its records.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use swarmsecrets_core::audit::AuditSink;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::executor::{Executor, Parts, Supply, check_reach, read_inventory};
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::ids::{EnvironmentId, RotationId};
use swarmsecrets_core::journal::JournalStore;
use swarmsecrets_core::plan::{RotationRequest, plan_create, plan_rotation};
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_git::HttpRemotes;
use swarmsecrets_host::{OsRandom, SystemClock};
use swarmsecrets_portainer::PortainerTransport;
use swarmsecrets_settings::{Credentials, ProbeSet};

use crate::error::{OrRaise as _, invalid};
use crate::inventory::Inventory;
use crate::order::{Cancellation, Order};
use crate::plan::Plan;
use crate::plugins::{Plugin, Way};
use crate::request::{Asked, AskedFirst, Given, Wanted};
use crate::runtime::run;
use crate::secret_value::SecretValue;
use crate::settings;

/// All that a client needs. Shared with what is under way.
pub(crate) struct World {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) environment: EnvironmentId,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) remotes: Arc<dyn GitRemotes>,
    pub(crate) journal: Box<dyn JournalStore>,
    pub(crate) audit: Box<dyn AuditSink>,
    pub(crate) agent: Option<String>,
    pub(crate) probes: ProbeSet,
    pub(crate) credentials: Credentials,
}

impl World {
    /// A real one.
    fn real(transport: impl Transport + 'static, endpoint: u64, given: settings::Given<'_>) -> Result<Self> {
        let (probes, credentials) = (given.probes(), given.credentials(false)?);
        let (journal, audit) = given.records()?;
        Ok(Self {
            transport: Box::new(transport),
            environment: EnvironmentId(endpoint),
            clock: Box::new(SystemClock::new()),
            remotes: Arc::new(HttpRemotes::default()),
            journal,
            audit,
            agent: given.agent_id,
            probes,
            credentials,
        })
    }

    fn executor<'a>(&'a self, order: &'a Order) -> Result<Executor<'a>> {
        let executor = Executor::new(Parts {
            transport: &*self.transport,
            environment: self.environment,
            clock: &*self.clock,
            journal: &*self.journal,
            audit: &*self.audit,
            observer: order,
            cancellation: order.cancellation.0.clone(),
            agent: self.agent.clone(),
            reason: order.reason.clone(),
            word: order.word(),
        });
        let probes = self.probes.of(&*self.transport, self.environment, &*self.clock)?;
        let executor = executor.with_passwords(self.credentials.changes()).with_probes(probes).with_git(&*self.remotes);
        Ok(if order.accept_inconclusive { executor.accepting_inconclusive() } else { executor })
    }

    async fn inventory(&self) -> Result<swarmsecrets_core::inventory::Inventory> {
        read_inventory(&*self.transport, self.environment, &*self.clock).await
    }

    async fn plan(&self, wanted: Wanted) -> Result<swarmsecrets_core::plan::Plan> {
        // Over HTTP it is known after the first answer whether the world is simulated.
        let inventory = self.inventory().await?;
        let probes = self.probes.of(&*self.transport, self.environment, &*self.clock)?.requested();
        let request = wanted.in_world(&inventory, &self.credentials)?;
        let plan = plan_rotation(&inventory, &RotationRequest { probes, ..request })?;
        check_reach(&*self.transport, self.environment, &plan).await?;
        Ok(plan)
    }
}

/// What `Client` and `AsyncClient` ask: each method waits, or gives an awaitable.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Session(pub(crate) Arc<World>);

fn plan(py: Python<'_>, plan: swarmsecrets_core::plan::Plan) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Plan(plan))?.into_any())
}

/// Reports, as JSON.
fn json(py: Python<'_>, document: impl serde::Serialize) -> PyResult<Py<PyAny>> {
    let written = serde_json::to_string(&document);
    let text = written.map_err(|e| invalid(format!("the report cannot be written: {e}"))).or_raise(py)?;
    Ok(text.into_pyobject(py)?.into_any().unbind())
}

impl Session {
    /// Carries something out.
    fn carry<'py, T, W>(&self, py: Python<'py>, wait: bool, order: Order, work: W) -> PyResult<Bound<'py, PyAny>>
    where
        T: serde::Serialize + Send + 'static,
        W: for<'e> FnOnce(Executor<'e>, Option<String>) -> Doing<'e, T> + Send + 'static,
    {
        let (world, cancellation) = (self.0.clone(), order.cancellation.clone());
        let doing = async move { work(world.executor(&order)?, order.reason.clone()).await };
        run(py, wait, cancellation, doing, json)
    }
}

type Doing<'e, T> = std::pin::Pin<Box<dyn Future<Output = Result<T>> + Send + 'e>>;

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
        let world = World::real(transport, endpoint, given);
        world.or_raise(py).map(|world| Self(Arc::new(world)))
    }

    /// A session over a transport of Python's.
    #[staticmethod]
    fn over(py: Python<'_>, transport: Plugin, endpoint: u64, given: settings::Given<'_>) -> PyResult<Self> {
        let world = World::real(Way::new(transport), endpoint, given);
        world.or_raise(py).map(|world| Self(Arc::new(world)))
    }

    fn inventory<'py>(&self, py: Python<'py>, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        let work = async move { world.inventory().await };
        run(py, wait, Cancellation::default(), work, |py, read| Ok(Py::new(py, Inventory(Arc::new(read)))?.into_any()))
    }

    fn plan<'py>(&self, py: Python<'py>, wait: bool, asked: Asked<'_>) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        let wanted = asked.wanted(world.agent.clone()).or_raise(py)?;
        run(py, wait, Cancellation::default(), async move { world.plan(wanted).await }, plan)
    }

    fn plan_create<'py>(&self, py: Python<'py>, wait: bool, asked: AskedFirst<'_>) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        let request = asked.request(world.agent.clone());
        let work = async move { plan_create(&world.inventory().await?, &request) };
        run(py, wait, Cancellation::default(), work, plan)
    }

    fn apply<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        order: Order,
        plan: PyRef<'_, Plan>,
        values: Option<Given<'_>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (plan, values) = (plan.0.clone(), Given::values(values));
        self.carry(py, wait, order, |executor, _| {
            Box::pin(async move { executor.apply(&plan, &mut Supply { values, random: &mut OsRandom }).await })
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
        self.carry(py, wait, order, |executor, _| {
            Box::pin(async move { executor.resume(&id, &mut Supply { values, random: &mut OsRandom }).await })
        })
    }

    fn rollback<'py>(&self, py: Python<'py>, wait: bool, order: Order, id: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = RotationId::new(id).or_raise(py)?;
        self.carry(py, wait, order, |executor, reason| {
            let why = reason.unwrap_or_else(|| "a person asked for it".to_owned());
            Box::pin(async move { executor.rollback(&id, &why).await })
        })
    }

    fn close<'py>(&self, py: Python<'py>, wait: bool, order: Order, id: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = RotationId::new(id).or_raise(py)?;
        self.carry(py, wait, order, |executor, reason| {
            Box::pin(async move { executor.close(&id, &reason.unwrap_or_default()).await })
        })
    }

    fn retire<'py>(&self, py: Python<'py>, wait: bool, order: Order) -> PyResult<Bound<'py, PyAny>> {
        self.carry(py, wait, order, |executor, _| Box::pin(async move { executor.retire().await }))
    }

    fn unfinished<'py>(&self, py: Python<'py>, wait: bool, order: Order) -> PyResult<Bound<'py, PyAny>> {
        self.carry(py, wait, order, |executor, _| {
            Box::pin(async move { Ok(executor.unfinished().await?.iter().map(Report::of).collect::<Vec<Report>>()) })
        })
    }
}
