//! The rules of Portainer CE 2.23, before any [`Engine`]: accounts, ownership, the Docker proxy, stacks.
//!
//! One layer, written once: before the simulated Engine it makes SimSwarm, before a real Engine's socket it is the
//! test gateway. Each rule is measured; the tests replay the recordings in `fixtures/portainer` against it. What no
//! recording shows follows Portainer's source.
//!
//! What is absent: other environments than the one, registries, templates, Kubernetes, Edge, everything of the
//! Business Edition; and the version in a path, as in `/v1.41/secrets`, is dropped rather than obeyed.

mod accounts;
mod authenticate;
mod client;
mod control;
mod decorate;
mod encode;
mod exchange;
mod ownership;
mod people;
mod proxy;
mod rule;
mod stacks;
mod state;
mod system;
mod wire_fault;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use swarmsecrets_core::clock::Clock;

pub use self::accounts::{Caller, Membership, Team, User};
pub use self::client::PortainerClient;
pub use self::control::{ControlKind, Grant, ResourceControl, TeamAccess, UserAccess};
pub use self::exchange::{Body, PortainerRequest, PortainerResponse};
pub use self::stacks::{AutoUpdate, Commit, GitAuthentication, GitConfig, Stack, Variable};
pub use self::state::{Environment, State};
pub use self::wire_fault::WireFault;
use crate::engine::Engine;

/// Portainer, before an Engine.
pub struct Portainer {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    requests: AtomicU64,
}

impl Portainer {
    /// Puts the rules before an Engine. The clock dates stacks and drives the updates of git stacks.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, state: State) -> Self {
        Self { engine, clock, state: Mutex::new(state), requests: AtomicU64::new(0) }
    }

    /// The database, to look at or to set the scene. Do not hold it over an `await`.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Engine behind.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// How many requests have been answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Answers a request that came from outside, by the credential that it carries.
    pub async fn answer(&self, request: PortainerRequest) -> PortainerResponse {
        self.arrived().await;
        if let Some(refusal) = authenticate::forged(&request) {
            return refusal;
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/api/system/status" | "/api/status") => return system::status(),
            ("POST", "/api/auth") => return self.log_in(&request),
            _ => {}
        }
        let caller = authenticate::caller(&self.state(), &request);
        match caller {
            Ok(caller) => self.route(&caller, request).await,
            Err(refusal) => refusal,
        }
    }

    /// Answers a request made inside this process on behalf of a user.
    pub async fn answer_to(&self, user: u64, request: PortainerRequest) -> PortainerResponse {
        self.arrived().await;
        let caller = self.state().caller(user);
        match caller {
            Some(caller) => self.route(&caller, request).await,
            None => PortainerResponse::refused(401, "Invalid JWT token", "unauthorized"),
        }
    }

    async fn arrived(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.update_git_stacks().await;
    }

    async fn route(&self, caller: &Caller, request: PortainerRequest) -> PortainerResponse {
        let path = request.path.clone();
        let Some(rest) = path.strip_prefix("/api/") else { return PortainerResponse::no_such_page() };
        let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            (_, ["endpoints", environment, "docker", ..]) => self.docker(caller, request, environment, rest).await,
            (_, ["endpoints", rest @ ..]) => self.environments(caller, &request, rest),
            (_, ["stacks", rest @ ..]) => self.stacks(caller, &request, rest).await,
            (_, ["users", rest @ ..]) => self.users(caller, &request, rest),
            (_, ["teams", rest @ ..]) => self.teams(caller, &request, rest),
            (_, ["team_memberships", rest @ ..]) => self.memberships(caller, &request, rest),
            (_, ["resource_controls", rest @ ..]) => self.resource_controls(caller, &request, rest),
            ("GET", ["endpoint_groups"]) => system::groups(),
            ("GET", ["registries"]) => exchange::empty_list(),
            ("GET", ["system", "status"]) => system::status(),
            ("GET", ["system", "version"]) => system::version(),
            ("POST", ["webhooks"]) => self.create_webhook(caller, &request),
            (_, ["endpoint_groups" | "registries"] | ["system", "status" | "version"] | ["webhooks"]) => {
                PortainerResponse::empty(405)
            }
            _ => PortainerResponse::no_such_page(),
        }
    }
}

/// Thirty-two random bytes in hexadecimal digits, if the system has any.
fn token() -> Option<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(swarmsecrets_core::ids::hex(&bytes))
}
