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
use swarmsecrets_core::plan::{CreateRequest, RotationRequest, plan_create, plan_rotation};
use swarmsecrets_core::policy::{Guard, Policy};
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::transport::{Read, Transport};
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
use crate::policy::{AskedAct, InForce, Listed, Question, Said, listed};
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
    pub(crate) policies: InForce,
}

impl World {
    /// A real one.
    fn real(transport: impl Transport + 'static, endpoint: u64, given: settings::Given<'_>) -> Result<Self> {
        let policies = given.policies(false)?;
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
            policies,
        })
    }

    /// The policies in force. What is not known to be simulated counts as real.
    fn guards(&self) -> &[Guard] {
        self.policies.in_world(self.transport.simulated())
    }

    /// Sees whether the world is simulated, where policies depend on it: over HTTP that is known after the first answer.
    async fn meet(&self) -> Result<()> {
        if self.policies.depend_on_the_world() && !self.transport.simulated() {
            self.transport.read(&Read::me()).await?;
        }
        Ok(())
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
        })
        .guarded(self.guards());
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
        let plan = self.judged(plan, &inventory)?;
        check_reach(&*self.transport, self.environment, &plan).await?;
        Ok(plan)
    }

    async fn plan_create(&self, request: &CreateRequest) -> Result<swarmsecrets_core::plan::Plan> {
        let inventory = self.inventory().await?;
        self.judged(plan_create(&inventory, request)?, &inventory)
    }

    /// A plan with the decision that the policies in force make of it. The inventory was read: the world is known.
    fn judged(
        &self,
        plan: swarmsecrets_core::plan::Plan,
        inventory: &swarmsecrets_core::inventory::Inventory,
    ) -> Result<swarmsecrets_core::plan::Plan> {
        plan.judged(self.guards().iter().map(Guard::policy), inventory)
    }

    /// What the policies in force say.
    async fn explain(&self, question: &Question) -> Result<Said> {
        let (inventory, builtin) = (self.inventory().await?, Policy::default());
        let policies = self.guards().iter().map(|guard| (guard.name(), guard.policy())).chain([("built in", &builtin)]);
        question.put(&inventory, self.agent.as_deref(), self.clock.now().wall, policies)
    }

    /// When secrets are to be rotated.
    async fn due(&self) -> Result<Vec<Listed>> {
        let inventory = self.inventory().await?;
        let policies: Vec<&Policy> = self.guards().iter().map(Guard::policy).collect();
        Ok(listed(&policies, &inventory, self.clock.now().wall))
    }
}

/// What `Client` and `AsyncClient` ask: each method waits, or gives an awaitable.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Session(pub(crate) Arc<World>);

fn plan(py: Python<'_>, plan: swarmsecrets_core::plan::Plan) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Plan(plan))?.into_any())
}

/// Reports and judgements, as JSON.
fn json(py: Python<'_>, document: impl serde::Serialize) -> PyResult<Py<PyAny>> {
    let written = serde_json::to_string(&document);
    let text = written.map_err(|e| invalid(format!("the answer cannot be written: {e}"))).or_raise(py)?;
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
        let doing = async move {
            world.meet().await?;
            work(world.executor(&order)?, order.reason.clone()).await
        };
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
        run(py, wait, Cancellation::default(), async move { world.plan_create(&request).await }, plan)
    }

    fn explain<'py>(&self, py: Python<'py>, wait: bool, asked: AskedAct) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        let question = asked.question().or_raise(py)?;
        run(py, wait, Cancellation::default(), async move { world.explain(&question).await }, json)
    }

    fn due<'py>(&self, py: Python<'py>, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        let world = self.0.clone();
        run(py, wait, Cancellation::default(), async move { world.due().await }, json)
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
        // The journal alone is read: nothing is asked of Portainer.
        let (world, cancellation) = (self.0.clone(), order.cancellation.clone());
        let work = async move {
            let open = world.executor(&order)?.unfinished().await?;
            Ok(open.iter().map(Report::of).collect::<Vec<Report>>())
        };
        run(py, wait, cancellation, work, json)
    }
}
