//! The simulated Engine, as the layers above it see it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::error::Result;

use super::builder::WorldBuilder;
use super::clock::{SimClock, default_base};
use super::command::Called;
use super::program::Program;
use super::world::World;
use super::{api, saved, stack};
use crate::engine::{Engine, EngineRequest, EngineResponse, StackDeployment};

/// How much virtual time an answer takes. It also makes a program that polls without sleeping get somewhere.
const ANSWER: Duration = Duration::from_millis(1);

/// A simulated Docker Engine in swarm mode. Clones are the same Engine.
///
/// ```
/// use std::time::Duration;
/// use swarmsecrets_testkit::sim::{Program, ServiceBuilder, SimEngine};
///
/// let engine = SimEngine::builder(7)
///     .secret("db_password", b"s3cr3t")
///     .program("db", Program::needs("db_password", b"s3cr3t").exit(3))
///     .service(ServiceBuilder::new("db", "mysql:8").secret("db_password"))
///     .build();
/// engine.run_for(Duration::from_secs(10));
/// ```
#[derive(Clone)]
pub struct SimEngine {
    world: Arc<Mutex<World>>,
    clock: SimClock,
}

impl SimEngine {
    /// An empty Swarm of one manager, in which everything follows from `seed`. It is 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::starting_at(seed, default_base())
    }

    /// An empty Swarm of one manager at another time.
    #[must_use]
    pub fn starting_at(seed: u64, base: Timestamp) -> Self {
        Self::of(World::new(seed, base))
    }

    /// Begins to build a Swarm that has something in it.
    #[must_use]
    pub fn builder(seed: u64) -> WorldBuilder {
        WorldBuilder::new(seed)
    }

    pub(crate) fn of(world: World) -> Self {
        let clock = SimClock::starting_at(world.now);
        Self { world: Arc::new(Mutex::new(world)), clock }
    }

    /// The clock of this world.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        self.clock.clone()
    }

    /// Moves the clock forward and lets the world run until then.
    pub fn run_for(&self, time: Duration) {
        self.clock.advance(time);
        drop(self.world());
    }

    /// Says what the containers of a service do, or those of an image (as it stands in the spec). It holds for
    /// containers that start from now on; a service's own program comes before its image's.
    pub fn program(&self, service_or_image: &str, program: Program) {
        self.world().set_program(service_or_image, program);
    }

    /// Says what a program does that is run in a container, and its exit code. Without that a container can only `cat` its
    /// secrets.
    pub fn command(&self, program: &str, run: impl Fn(&Called) -> i64 + Send + Sync + 'static) {
        self.world().commands.insert(program.to_owned(), Arc::new(run));
    }

    /// Tells that passwords were changed in the systems that [`Program::logs_in`] asks: programs that log in again do so.
    pub fn passwords_changed(&self) {
        self.world().passwords_changed();
    }

    /// The id of the secret of that name.
    #[must_use]
    pub fn secret_id(&self, name: &str) -> Option<String> {
        self.world().secrets.values().find(|secret| secret.name() == name).map(|secret| secret.id.clone())
    }

    /// The id of the config of that name.
    #[must_use]
    pub fn config_id(&self, name: &str) -> Option<String> {
        self.world().configs.values().find(|config| config.name() == name).map(|config| config.id.clone())
    }

    /// The id of the service of that name.
    #[must_use]
    pub fn service_id(&self, name: &str) -> Option<String> {
        self.world().services.values().find(|service| service.name() == name).map(|service| service.id.clone())
    }

    /// Whether the container of a task reads this value at `target`, as its running task was started.
    #[must_use]
    pub fn task_reads(&self, task: &str, target: &str, value: &[u8]) -> bool {
        let world = self.world();
        let Some(task) = world.tasks.get(task) else { return false };
        let value = world.vault.fingerprint(value);
        let mounted = super::spec::secrets(&task.spec);
        mounted.iter().any(|one| one.target.as_deref() == Some(target) && world.vault.reads(&one.id, &value))
    }

    /// Answers a request at once: what [`Engine::call`] does, without being asynchronous.
    #[must_use]
    pub fn answer(&self, request: &EngineRequest) -> EngineResponse {
        self.clock.advance(ANSWER);
        api::answer(&mut self.world(), request)
    }

    /// Does at once what [`Engine::deploy`] does.
    ///
    /// # Errors
    /// The text that `docker stack deploy` prints when it fails.
    pub fn deploy_now(&self, stack: &StackDeployment) -> std::result::Result<(), String> {
        self.clock.advance(ANSWER);
        stack::deploy(&mut self.world(), stack)
    }

    /// The world as one JSON value, with keyed hashes in place of the secrets' values.
    ///
    /// # Errors
    /// [`swarmsecrets_core::ErrorKind::Io`] if it cannot be put into JSON.
    pub fn to_value(&self) -> Result<serde_json::Value> {
        saved::to_value(&self.world())
    }

    /// The world that [`SimEngine::to_value`] gave.
    ///
    /// # Errors
    /// [`swarmsecrets_core::ErrorKind::Invalid`] if the value is something else.
    pub fn from_value(value: serde_json::Value) -> Result<Self> {
        saved::from_value(value).map(Self::of)
    }

    /// The world as bytes for a file; see [`SimEngine::to_value`].
    ///
    /// # Errors
    /// [`swarmsecrets_core::ErrorKind::Io`] if it cannot be put into JSON.
    pub fn save(&self) -> Result<Vec<u8>> {
        saved::save(&self.world())
    }

    /// The world that [`SimEngine::save`] gave.
    ///
    /// # Errors
    /// [`swarmsecrets_core::ErrorKind::Invalid`] if the bytes are something else.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        saved::load(bytes).map(Self::of)
    }

    /// The world, run up to the present moment.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere leaves the world as it was: it is still the one to look at.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.run_until(self.clock.wall());
        world
    }
}

#[async_trait]
impl Engine for SimEngine {
    async fn call(&self, request: EngineRequest) -> EngineResponse {
        self.answer(&request)
    }

    async fn deploy(&self, stack: StackDeployment) -> std::result::Result<(), String> {
        self.deploy_now(&stack)
    }

    async fn undeploy(&self, stack: &str) -> std::result::Result<(), String> {
        self.clock.advance(ANSWER);
        stack::undeploy(&mut self.world(), stack);
        Ok(())
    }

    fn simulated(&self) -> bool {
        true
    }
}
