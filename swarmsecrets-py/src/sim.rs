//! The simulated demo world.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_testkit::Forgotten;

use crate::error::OrRaise as _;
use crate::session::{Session, World};

/// A Swarm in memory behind Portainer's rules, in virtual time: the demo, a shop with two teams.
#[pyclass(frozen, module = "swarmsecrets._native", name = "SimSwarm")]
pub(crate) struct SimSwarm {
    swarm: Arc<swarmsecrets_testkit::SimSwarm>,
    journal: MemoryJournal,
}

#[pymethods]
impl SimSwarm {
    #[new]
    fn new(seed: u64) -> Self {
        Self { swarm: Arc::new(swarmsecrets_testkit::SimSwarm::demo(seed)), journal: MemoryJournal::default() }
    }

    /// A session of a user of the simulated Portainer. Sessions of one world share its journal.
    fn session(&self, py: Python<'_>, user: &str, agent_id: Option<String>) -> PyResult<Session> {
        let client = self.swarm.client_as(user).or_raise(py)?;
        let client = match &agent_id {
            Some(agent) => client.agent(agent),
            None => client,
        };
        Ok(Session(Arc::new(World {
            transport: Box::new(client),
            environment: EnvironmentId(1),
            clock: Box::new(self.swarm.clock()),
            journal: Box::new(self.journal.clone()),
            audit: Box::new(Forgotten),
            agent: agent_id,
        })))
    }

    /// Lets time pass.
    fn advance(&self, py: Python<'_>, time: Duration) {
        py.detach(|| self.swarm.engine().run_for(time));
    }

    /// The time there, as ISO 8601.
    fn now(&self) -> String {
        self.swarm.clock().now().wall.to_string()
    }
}
