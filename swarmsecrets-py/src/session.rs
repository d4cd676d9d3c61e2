//! What a client works on: a Portainer, or a simulation; and its records.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use swarmsecrets_core::audit::AuditSink;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::executor::{Cancellation, Executor, Observer, Parts, Progress, Supply, read_inventory};
use swarmsecrets_core::ids::{EnvironmentId, RotationId};
use swarmsecrets_core::journal::JournalStore;
use swarmsecrets_core::plan::plan_rotation;
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_host::{FileAudit, FileJournal, OsRandom, SystemClock, state_dir};
use swarmsecrets_portainer::PortainerTransport;

use crate::error::{OrRaise as _, invalid};
use crate::inventory::Inventory;
use crate::plan::Plan;
use crate::request::{Asked, Given};
use crate::runtime::run;

/// All that a client needs. Shared with what is under way.
pub(crate) struct World {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) environment: EnvironmentId,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) journal: Box<dyn JournalStore>,
    pub(crate) audit: Box<dyn AuditSink>,
    pub(crate) agent: Option<String>,
}

/// How something is to be carried out.
struct Order {
    cancellation: Cancellation,
    observer: Teller,
    word: Word,
    reason: Option<String>,
}

impl Order {
    fn new(confirm: bool, reason: Option<String>, tell: Option<Py<PyAny>>) -> Self {
        let word = if confirm { Word::Given } else { Word::NotGiven };
        Self { cancellation: Cancellation::default(), observer: Teller(tell), word, reason }
    }
}

/// Tells a callable of Python's what happens, as JSON.
struct Teller(Option<Py<PyAny>>);

impl Observer for Teller {
    fn tell(&self, progress: &Progress<'_>) {
        let Some(tell) = &self.0 else { return };
        let text = match progress {
            Progress::Event { rotation, event } => {
                serde_json::json!({"kind": "event", "rotation": rotation.as_str(), "event": event})
            }
            Progress::Sending { words } => serde_json::json!({"kind": "sending", "text": words}),
            Progress::Trouble { message } => serde_json::json!({"kind": "trouble", "text": message}),
            _ => return,
        };
        Python::attach(|py| {
            if let Err(error) = tell.call1(py, (text.to_string(),)) {
                error.write_unraisable(py, None);
            }
        });
    }
}

impl World {
    fn executor<'a>(&'a self, order: &'a Order) -> Executor<'a> {
        Executor::new(Parts {
            transport: &*self.transport,
            environment: self.environment,
            clock: &*self.clock,
            journal: &*self.journal,
            audit: &*self.audit,
            observer: &order.observer,
            cancellation: order.cancellation.clone(),
            agent: self.agent.clone(),
            reason: order.reason.clone(),
            word: order.word,
        })
    }
}

/// What `Client` and `AsyncClient` ask: each method waits, or gives an awaitable.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Session(pub(crate) Arc<World>);

fn report(py: Python<'_>, report: Report) -> PyResult<Py<PyAny>> {
    Ok(json(&report).or_raise(py)?.into_pyobject(py)?.into_any().unbind())
}

fn reports(py: Python<'_>, reports: Vec<Report>) -> PyResult<Py<PyAny>> {
    Ok(json(&reports).or_raise(py)?.into_pyobject(py)?.into_any().unbind())
}

fn json(document: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(document).map_err(|e| invalid(format!("the report cannot be written: {e}")))
}

#[pymethods]
impl Session {
    /// A session with a Portainer. Nothing is sent yet.
    #[staticmethod]
    #[pyo3(signature = (url, api_key, endpoint, agent_id, ca_file, journal))]
    fn portainer(
        py: Python<'_>,
        url: &str,
        api_key: PyRef<'_, crate::secret_value::SecretValue>,
        endpoint: u64,
        agent_id: Option<String>,
        ca_file: Option<PathBuf>,
        journal: Option<PathBuf>,
    ) -> PyResult<Self> {
        let mut builder = PortainerTransport::builder(url).api_key(api_key.0.clone());
        if let Some(agent) = &agent_id {
            builder = builder.agent_id(agent);
        }
        if let Some(path) = ca_file {
            let read = std::fs::read(&path).map_err(|e| {
                Error::new(ErrorKind::Settings, format!("cannot read the CA file `{}`: {e}", path.display()))
            });
            builder = builder.ca_certificate(&read.or_raise(py)?);
        }
        let transport = builder.build().or_raise(py)?;
        let opened = || {
            let folder = journal.map_or_else(state_dir, Ok)?;
            Ok((FileJournal::open(&folder)?, FileAudit::open(&folder)?))
        };
        let (journal, audit) = opened().or_raise(py)?;
        Ok(Self(Arc::new(World {
            transport: Box::new(transport),
            environment: EnvironmentId(endpoint),
            clock: Box::new(SystemClock::new()),
            journal: Box::new(journal),
            audit: Box::new(audit),
            agent: agent_id,
        })))
    }

    fn inventory<'py>(&self, py: Python<'py>, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        let work = async move { read_inventory(&*world.transport, world.environment, &*world.clock).await };
        run(py, wait, Cancellation::default(), work, |py, read| Ok(Py::new(py, Inventory(Arc::new(read)))?.into_any()))
    }

    fn plan<'py>(&self, py: Python<'py>, wait: bool, asked: Asked<'_>) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        let request = asked.request(world.agent.clone()).or_raise(py)?;
        let work = async move {
            let inventory = read_inventory(&*world.transport, world.environment, &*world.clock).await?;
            plan_rotation(&inventory, &request)
        };
        run(py, wait, Cancellation::default(), work, |py, plan| Ok(Py::new(py, Plan(plan))?.into_any()))
    }

    #[allow(clippy::too_many_arguments)] // What Python hands over, each by its name.
    fn apply<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        plan: PyRef<'_, Plan>,
        values: Option<Given<'_>>,
        confirm: bool,
        reason: Option<String>,
        tell: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (world, plan, values) = (self.0.clone(), plan.0.clone(), Given::values(values));
        let order = Order::new(confirm, reason, tell);
        let cancellation = order.cancellation.clone();
        let work = async move {
            let mut supply = Supply { values, random: &mut OsRandom };
            world.executor(&order).apply(&plan, &mut supply).await
        };
        run(py, wait, cancellation, work, report)
    }

    #[allow(clippy::too_many_arguments)] // What Python hands over, each by its name.
    fn resume<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        id: &str,
        values: Option<Given<'_>>,
        accept: bool,
        confirm: bool,
        reason: Option<String>,
        tell: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (world, id, values) = (self.0.clone(), RotationId::new(id).or_raise(py)?, Given::values(values));
        let order = Order::new(confirm, reason, tell);
        let cancellation = order.cancellation.clone();
        let work = async move {
            let mut supply = Supply { values, random: &mut OsRandom };
            let executor = world.executor(&order);
            let executor = if accept { executor.accepting_inconclusive() } else { executor };
            executor.resume(&id, &mut supply).await
        };
        run(py, wait, cancellation, work, report)
    }

    fn rollback<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        id: &str,
        confirm: bool,
        reason: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (world, id) = (self.0.clone(), RotationId::new(id).or_raise(py)?);
        let why = reason.clone().unwrap_or_else(|| "a person asked for it".to_owned());
        let order = Order::new(confirm, reason, None);
        let cancellation = order.cancellation.clone();
        run(py, wait, cancellation, async move { world.executor(&order).rollback(&id, &why).await }, report)
    }

    fn close<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        id: &str,
        confirm: bool,
        reason: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (world, id) = (self.0.clone(), RotationId::new(id).or_raise(py)?);
        let order = Order::new(confirm, Some(reason.clone()), None);
        let cancellation = order.cancellation.clone();
        run(py, wait, cancellation, async move { world.executor(&order).close(&id, &reason).await }, report)
    }

    fn retire<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        confirm: bool,
        reason: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        let order = Order::new(confirm, reason, None);
        let cancellation = order.cancellation.clone();
        run(py, wait, cancellation, async move { world.executor(&order).retire().await }, reports)
    }
}
