//! A SimSwarm, an operator in front of it, and all that a rotation writes down.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use swarmsecrets_core::audit::{AuditRecord, AuditSink, Phase};
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::executor::{Cancellation, Executor, Parts, Silent, Supply, Values, read_inventory};
use swarmsecrets_core::generate::Random;
use swarmsecrets_core::ids::{EnvironmentId, RotationId};
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_core::plan::{Plan, PlannedSecret, RotationRequest, Timing, ValueRecipe, plan_rotation};
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::{Caller, Grant, PortainerClient, PortainerRequest};
use swarmsecrets_testkit::sim::{Program, SecretBuilder, ServiceBuilder, SimEngine};

pub(crate) const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const AGENT: &str = "svc-agent";
pub(crate) const OLD: &[u8] = b"made-up-old-value";
pub(crate) const NEW: &[u8] = b"made-up-new-value";

/// Keeps the audit trail, and can be full.
#[derive(Default)]
pub(crate) struct Trail {
    pub(crate) records: Mutex<Vec<AuditRecord>>,
    pub(crate) full: AtomicBool,
    /// After so many intents it is full too.
    limit: Mutex<Option<usize>>,
    /// After so many records of either kind as well.
    room: Mutex<Option<usize>>,
}

impl Trail {
    pub(crate) fn stop_after(&self, intents: usize) {
        *self.limit.lock().unwrap() = Some(intents);
    }

    pub(crate) fn has_room_for(&self, records: usize) {
        *self.room.lock().unwrap() = Some(records);
    }

    pub(crate) fn go_on(&self) {
        *self.limit.lock().unwrap() = None;
        *self.room.lock().unwrap() = None;
    }

    /// What it tells of attempts that were refused.
    pub(crate) fn refused(&self) -> Vec<String> {
        let records = self.records.lock().unwrap();
        let of = records.iter().filter(|r| r.step == 0 && r.phase == Phase::Outcome);
        of.filter_map(|r| r.outcome.clone()).collect()
    }

    fn is_full_for(&self, record: &AuditRecord) -> bool {
        let intents = self.records.lock().unwrap().iter().filter(|r| r.phase == Phase::Intent).count();
        let limit = self.limit.lock().unwrap().unwrap_or(usize::MAX);
        let room = self.room.lock().unwrap().unwrap_or(usize::MAX);
        let full = self.full.load(Ordering::SeqCst) || self.records.lock().unwrap().len() >= room;
        full || (record.phase == Phase::Intent && intents >= limit)
    }
}

#[async_trait]
impl AuditSink for Trail {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        if self.is_full_for(record) {
            return Err(Error::new(ErrorKind::Audit, "cannot write the audit record: no space left on device"));
        }
        self.records.lock().unwrap().push(record.clone());
        Ok(())
    }
}

/// Numbers that look random and are the same each time.
pub(crate) struct Counting(pub(crate) u8);

impl Random for Counting {
    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        for byte in into {
            self.0 = self.0.wrapping_mul(5).wrapping_add(97);
            *byte = self.0;
        }
        Ok(())
    }
}

pub(crate) struct Desk {
    pub(crate) swarm: SimSwarm,
    pub(crate) client: PortainerClient,
    pub(crate) journal: MemoryJournal,
    pub(crate) trail: Arc<Trail>,
    pub(crate) cancellation: Cancellation,
    pub(crate) word: Word,
}

impl Desk {
    pub(crate) fn at(swarm: SimSwarm) -> Self {
        let client = swarm.client();
        Self {
            swarm,
            client,
            journal: MemoryJournal::default(),
            trail: Arc::default(),
            cancellation: Cancellation::default(),
            word: Word::Given,
        }
    }

    /// A Swarm with the secret `db` and one service for each program, updated as `update` says.
    pub(crate) fn with(services: Vec<(ServiceBuilder, Program)>) -> Self {
        Self::with_secrets(&["db"], services)
    }

    /// The same with several secrets.
    pub(crate) fn with_secrets(secrets: &[&str], services: Vec<(ServiceBuilder, Program)>) -> Self {
        let mut world = SimEngine::builder(7);
        for name in secrets {
            world = world.secret_with(SecretBuilder::new(name, OLD).label("team", "payments"));
        }
        for (n, (service, program)) in services.into_iter().enumerate() {
            world = world.program(&format!("s{n}"), program).service(service);
        }
        let engine = world.build();
        engine.run_for(Duration::from_secs(60));
        Self::at(SimSwarm::of(engine, swarmsecrets_testkit::portainer::State::default()))
    }

    /// The account `svc-agent` sits at the desk. It is in the team `payments`, which `db` and `s0` belong to, and sees nothing
    /// else. They belong to these users too.
    pub(crate) fn scoped(self, owners: &[&str]) -> Self {
        let grant = {
            let mut state = self.swarm.portainer().state();
            let agent = state.add_user(AGENT, false);
            let users = owners.iter().map(|owner| state.add_user(owner, false)).collect();
            let team = state.add_team("payments");
            state.add_membership(agent, team, false);
            Grant { users, ..Grant::team(team) }
        };
        self.swarm.own_secret("db", &grant).unwrap();
        self.swarm.own_service("s0", &grant).unwrap();
        self.on_behalf_of(AGENT)
    }

    /// Who sits at a desk that is `scoped`.
    pub(crate) fn agent(&self) -> Caller {
        let state = self.swarm.portainer().state();
        state.user_named(AGENT).and_then(|agent| state.caller(agent)).unwrap()
    }

    pub(crate) fn on_behalf_of(mut self, user: &str) -> Self {
        self.client = self.swarm.client_as(user).unwrap();
        self
    }

    pub(crate) fn executor<'a>(&'a self, clock: &'a dyn Clock) -> Executor<'a> {
        Executor::new(self.parts(clock)).with_git(self.swarm.portainer().as_ref())
    }

    pub(crate) fn parts<'a>(&'a self, clock: &'a dyn Clock) -> Parts<'a> {
        Parts {
            transport: &self.client,
            environment: ENVIRONMENT,
            clock,
            journal: &self.journal,
            audit: self.trail.as_ref(),
            observer: &Silent,
            cancellation: self.cancellation.clone(),
            agent: Some("agent-7".into()),
            reason: Some("a test".into()),
            word: self.word,
        }
    }

    pub(crate) async fn inventory(&self) -> Inventory {
        read_inventory(&self.client, ENVIRONMENT, &self.swarm.clock()).await.unwrap()
    }

    pub(crate) async fn plan(&self, secret: &str, grace: Duration) -> Result<Plan> {
        let mut request = RotationRequest::new(secret, ValueRecipe::Supplied);
        request.timing = Timing { grace, ..Timing::default() };
        plan_rotation(&self.inventory().await, &request)
    }

    pub(crate) async fn apply(&self, plan: &Plan, value: &[u8]) -> Result<Report> {
        let mut random = Counting(u8::try_from(self.client.requests() % 251).unwrap());
        let mut supply = Supply { values: Values::one(SecretValue::new(value.to_vec()).unwrap()), random: &mut random };
        self.executor(&self.swarm.clock()).apply(plan, &mut supply).await
    }

    pub(crate) async fn rotate(&self, secret: &str, grace: Duration, value: &[u8]) -> Report {
        let plan = self.plan(secret, grace).await.unwrap();
        self.apply(&plan, value).await.unwrap()
    }

    /// Carries out what is asked for, each secret with the new value.
    pub(crate) async fn carry_out(&self, request: &RotationRequest) -> Result<Report> {
        let plan = plan_rotation(&self.inventory().await, request)?;
        let value = |s: &PlannedSecret| (s.secret.clone(), SecretValue::new(NEW.to_vec()).unwrap());
        let values = Values::named(plan.secrets.iter().map(value));
        let mut random = Counting(3);
        self.executor(&self.swarm.clock()).apply(&plan, &mut Supply { values, random: &mut random }).await
    }

    /// Goes on with a rotation, without a value.
    pub(crate) async fn resume(&self, id: &RotationId) -> Result<Report> {
        let mut random = Counting(9);
        let mut supply = Supply { values: Values::none(), random: &mut random };
        self.executor(&self.swarm.clock()).resume(id, &mut supply).await
    }

    /// What the administrator reads.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.swarm.ask("admin", PortainerRequest::new("GET", path)).unwrap()
    }

    pub(crate) fn service(&self, name: &str) -> Value {
        self.get(&format!("/api/endpoints/1/docker/services/{name}"))
    }

    /// Lets a person edit a service.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let service = self.service(name);
        let mut spec = service["Spec"].clone();
        edit(&mut spec);
        let path = format!("/api/endpoints/1/docker/services/{name}/update");
        let version = service["Version"]["Index"].to_string();
        self.swarm.ask("admin", PortainerRequest::new("POST", &path).param("version", &version).json(&spec)).unwrap();
    }

    /// The names of the secrets that a service mounts.
    pub(crate) fn mounts(&self, name: &str) -> Vec<String> {
        let service = self.service(name);
        let secrets =
            service["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array().cloned().unwrap_or_default();
        secrets.iter().map(|s| s["SecretName"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn has_secret(&self, name: &str) -> bool {
        let list = self.get("/api/endpoints/1/docker/secrets");
        list.as_array().unwrap().iter().any(|s| s["Spec"]["Name"] == json!(name))
    }

    pub(crate) fn intents(&self) -> Vec<String> {
        let records = self.trail.records.lock().unwrap();
        records.iter().filter(|r| r.phase == Phase::Intent).map(|r| r.action.clone()).collect()
    }
}
