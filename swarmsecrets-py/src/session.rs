//! What a client works on: a Portainer, or a simulation; and its records.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use swarmsecrets_core::approval::{self, Approver, ChangeRequest};
use swarmsecrets_core::audit::AuditSink;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::executor::{Attempt, Executor, Parts, Supply, Values, check_reach, read_inventory};
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::ids::{EnvironmentId, RotationId, quoted};
use swarmsecrets_core::journal::JournalStore;
use swarmsecrets_core::keys::FingerprintKey;
use swarmsecrets_core::plan::{RotationRequest, plan_create, plan_rotation};
use swarmsecrets_core::policy::{Guard, Policy};
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::transport::{Read, Transport};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_git::HttpRemotes;
use swarmsecrets_host::{Asking, Desk, OsRandom, SystemClock, open_intents};
use swarmsecrets_portainer::PortainerTransport;
use swarmsecrets_settings::{Credentials, ProbeSet};

use crate::approval::Given as GivenApproval;
use crate::error::{OrRaise as _, invalid};
use crate::inventory::Inventory;
use crate::order::{Cancellation, Order};
use crate::plan::Plan;
use crate::plugins::{Plugin, Way};
use crate::policy::{AskedAct, InForce, Listed, Question, Said, listed};
use crate::request::{Asked, AskedFirst, Given, Wanted, WantedFirst};
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
    /// The file of the trail, if swarmsecrets keeps it, until it was looked at for intents without an outcome.
    pub(crate) unread_trail: Mutex<Option<PathBuf>>,
    pub(crate) agent: Option<String>,
    pub(crate) probes: ProbeSet,
    pub(crate) credentials: Credentials,
    pub(crate) sources: Sources,
    pub(crate) policies: InForce,
    /// Which Portainer this is, as change requests have it.
    pub(crate) instance: String,
    /// The approvers that were handed over, by their names.
    pub(crate) approvers: Vec<(String, Arc<dyn Approver>)>,
    pub(crate) fingerprint_key: Option<FingerprintKey>,
}

impl World {
    /// A real one.
    fn real(
        transport: impl Transport + 'static,
        instance: String,
        endpoint: u64,
        given: settings::Given<'_>,
    ) -> Result<Self> {
        let policies = given.policies(false)?;
        let (approvers, fingerprint_key) = (given.approvers(), given.fingerprint_key()?);
        let (probes, credentials) = (given.probes(), given.credentials(false)?);
        let sources = given.sources()?;
        let (journal, audit, trail) = given.records(policies.in_world(false))?;
        Ok(Self {
            transport: Box::new(transport),
            environment: EnvironmentId(endpoint),
            clock: Box::new(SystemClock::new()),
            remotes: Arc::new(HttpRemotes::default()),
            journal,
            audit,
            unread_trail: Mutex::new(trail),
            agent: given.agent_id,
            probes,
            credentials,
            sources,
            policies,
            instance,
            approvers,
            fingerprint_key,
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

    /// Logs, once, which mutations of rotations that are over nobody knows the outcome of.
    async fn tell_open(&self) {
        let trail = self.unread_trail.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(trail) = trail else { return };
        match open_intents(&trail, &*self.journal).await {
            Err(error) => tracing::warn!("{error}"),
            Ok(open) => {
                for entry in open {
                    let (n, record) = (entry.n, entry.record);
                    tracing::warn!(
                        record = n, rotation = %record.rotation, step = record.step, action = %quoted(&record.action),
                        "the audit trail does not tell how a change went, and its rotation is over: look whether it was done"
                    );
                }
            }
        }
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
        let executor = executor
            .with_passwords(self.credentials.changes())
            .with_probes(probes)
            .with_sources(self.sources.clone())
            .with_git(&*self.remotes)
            .knowing_values_by(self.fingerprint_key.as_ref());
        Ok(if order.accept_inconclusive { executor.accepting_inconclusive() } else { executor })
    }

    async fn inventory(&self) -> Result<swarmsecrets_core::inventory::Inventory> {
        read_inventory(&*self.transport, self.environment, &*self.clock).await
    }

    async fn plan(&self, wanted: Wanted) -> Result<swarmsecrets_core::plan::Plan> {
        // Over HTTP it is known after the first answer whether the world is simulated.
        let inventory = self.inventory().await?;
        let probes = self.probes.of(&*self.transport, self.environment, &*self.clock)?.requested();
        let request = wanted.in_world(&inventory, &self.credentials, &self.sources).await?;
        let plan = plan_rotation(&inventory, &RotationRequest { probes, ..request })?;
        let plan = self.judged(plan, &inventory)?;
        check_reach(&*self.transport, self.environment, &plan).await?;
        Ok(plan)
    }

    async fn plan_create(&self, wanted: WantedFirst) -> Result<swarmsecrets_core::plan::Plan> {
        let inventory = self.inventory().await?;
        self.judged(plan_create(&inventory, &wanted.request(&self.sources).await?)?, &inventory)
    }

    /// A plan with the decision that the policies in force make of it. The inventory was read: the world is known.
    fn judged(
        &self,
        plan: swarmsecrets_core::plan::Plan,
        inventory: &swarmsecrets_core::inventory::Inventory,
    ) -> Result<swarmsecrets_core::plan::Plan> {
        plan.judged(self.guards().iter().map(Guard::policy), inventory)
    }

    /// Where change requests are made known and decided on.
    fn desk(&self) -> Result<Desk<'_>> {
        let (guards, mut approvers) = (self.guards(), self.approvers.clone());
        approvers.extend(swarmsecrets_settings::approvers(guards)?);
        Desk::open(guards, self.transport.simulated(), approvers)
    }

    /// Asks people for a plan.
    async fn ask_people(
        &self,
        plan: &swarmsecrets_core::plan::Plan,
        values: &Values,
        reason: Option<&str>,
    ) -> Result<ChangeRequest> {
        self.meet().await?;
        let asking = Asking {
            plan,
            values,
            agent: self.agent.as_deref(),
            reasoning: reason.or(plan.reason.as_deref()).unwrap_or_default(),
            instance: &self.instance,
            now: self.clock.now().wall,
            fingerprint_key: self.fingerprint_key.as_ref(),
        };
        self.desk()?.ask(asking, &mut OsRandom).await
    }

    /// Carries a plan out that people have approved.
    async fn apply_approved(
        &self,
        order: &Order,
        plan: &swarmsecrets_core::plan::Plan,
        supply: &mut Supply<'_>,
        (request, mut in_hand): (ChangeRequest, Vec<approval::Given>),
    ) -> Result<Report> {
        let desk = self.desk()?;
        // Decisions in hand stand beside those of the approvers: a denial is not left out.
        match desk.decisions(&request).await {
            Ok(decided) => in_hand.extend(decided),
            Err(error) => {
                let attempt = Attempt::Plan(&request.plan);
                self.executor(order)?.tell_refused(attempt, &mut OsRandom, &error).await?;
                return Err(error);
            }
        }
        let approval = desk.approval(&request, &in_hand, &self.instance, self.fingerprint_key.as_ref());
        self.executor(order)?.approved(approval).apply(plan, supply).await
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
            world.tell_open().await;
            let done = work(world.executor(&order)?, order.reason.clone()).await;
            if let Err(behind) = world.audit.flush().await {
                tracing::warn!("{behind}");
            }
            done
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
        let instance = transport.instance();
        let world = World::real(transport, instance, endpoint, given);
        world.or_raise(py).map(|world| Self(Arc::new(world)))
    }

    /// A session over a transport of Python's.
    #[staticmethod]
    fn over(py: Python<'_>, transport: Plugin, endpoint: u64, given: settings::Given<'_>) -> PyResult<Self> {
        // Where it leads is not known: requests are bound to the Swarm behind it.
        let world = World::real(Way::new(transport), "transport".to_owned(), endpoint, given);
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
        let wanted = asked.wanted(world.agent.clone());
        run(py, wait, Cancellation::default(), async move { world.plan_create(wanted).await }, plan)
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
        approval: Option<GivenApproval<'_>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (plan, values) = (plan.0.clone(), Given::values(values));
        let (world, cancellation) = (self.0.clone(), order.cancellation.clone());
        let approval = approval.map(GivenApproval::taken);
        let doing = async move {
            world.meet().await?;
            let mut random = OsRandom;
            let mut supply = Supply { values, random: &mut random };
            match approval {
                None => world.executor(&order)?.apply(&plan, &mut supply).await,
                Some(approval) => world.apply_approved(&order, &plan, &mut supply, approval).await,
            }
        };
        run(py, wait, cancellation, doing, json)
    }

    fn request_change<'py>(
        &self,
        py: Python<'py>,
        wait: bool,
        plan: PyRef<'_, Plan>,
        values: Option<Given<'_>>,
        reason: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (world, plan, values) = (self.0.clone(), plan.0.clone(), Given::values(values));
        let work = async move { world.ask_people(&plan, &values, reason.as_deref()).await };
        run(py, wait, Cancellation::default(), work, |py, request| {
            Ok(Py::new(py, crate::approval::ChangeRequest(request))?.into_any())
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
