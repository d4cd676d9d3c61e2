//! A whole simulated Swarm: the simulated Engine with Portainer's rules before it.

mod at_once;
mod demo;
mod file;
mod scene;

use std::sync::Arc;

use swarmsecrets_core::error::{Error, ErrorKind, Result};

use crate::portainer::{Portainer, PortainerClient, State};
use crate::sim::{SimClock, SimEngine};

/// A simulated Swarm behind a simulated Portainer, in memory, in virtual time, deterministic by seed.
///
/// ```
/// use swarmsecrets_core::ids::EnvironmentId;
/// use swarmsecrets_core::transport::{Read, Transport};
/// use swarmsecrets_testkit::SimSwarm;
///
/// # async fn example() -> swarmsecrets_core::Result<()> {
/// let swarm = SimSwarm::new(7);
/// let secrets = swarm.client().read(&Read::secrets(EnvironmentId(1))).await?;
/// assert_eq!(secrets.body, b"[]"[..]);
/// # Ok(())
/// # }
/// ```
pub struct SimSwarm {
    engine: SimEngine,
    portainer: Arc<Portainer>,
}

/// The number of the administrator of every simulated Portainer.
const ADMIN: u64 = 1;

impl SimSwarm {
    /// An empty Swarm of one manager, whose Portainer knows the administrator `admin` alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(SimEngine::new(seed), State::default())
    }

    /// An Engine with Portainer's rules before it. The database gets its administrator if it has no user yet.
    #[must_use]
    pub fn of(engine: SimEngine, mut state: State) -> Self {
        if state.caller(ADMIN).is_none() {
            state.add_user("admin", true);
        }
        let portainer = Portainer::new(Arc::new(engine.clone()), Arc::new(engine.clock()), state);
        Self { engine, portainer: Arc::new(portainer) }
    }

    /// A client of the administrator.
    #[must_use]
    pub fn client(&self) -> PortainerClient {
        PortainerClient::new(self.portainer.clone(), ADMIN)
    }

    /// A client of the user of this name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such user.
    pub fn client_as(&self, user: &str) -> Result<PortainerClient> {
        match self.portainer.state().user_named(user) {
            Some(id) => Ok(PortainerClient::new(self.portainer.clone(), id)),
            None => Err(Error::new(ErrorKind::NotFound, format!("the simulated Portainer has no user `{user}`"))),
        }
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        self.engine.clock()
    }

    /// The Engine.
    #[must_use]
    pub fn engine(&self) -> &SimEngine {
        &self.engine
    }

    /// The Portainer, to serve it over HTTP or to look at its database.
    #[must_use]
    pub fn portainer(&self) -> &Arc<Portainer> {
        &self.portainer
    }
}
