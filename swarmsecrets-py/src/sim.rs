//! The simulated demo world.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::get_runtime;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::generate::Random as _;
use swarmsecrets_core::ids::{EnvironmentId, hex, quoted};
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_host::OsRandom;
use swarmsecrets_testkit::gateway::{self, serve_live};
use tokio::net::TcpListener;

use crate::error::OrRaise as _;
use crate::session::Session;
use crate::settings::{self, World};

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
    fn session(&self, py: Python<'_>, user: &str, given: settings::Given<'_>) -> PyResult<Session> {
        let client = self.swarm.client_as(user).or_raise(py)?;
        let client = match &given.agent_id {
            Some(agent) => client.agent(agent),
            None => client,
        };
        let world = World {
            transport: Arc::new(client),
            environment: EnvironmentId(1),
            clock: Arc::new(self.swarm.clock()),
            remotes: self.swarm.portainer().clone(),
            instance: "simulated".to_owned(),
            simulated: true,
        };
        let journal = self.journal.clone();
        let equipment = given.equipment(world, |given, _| given.simulated_records(journal));
        equipment.or_raise(py).map(Session::of)
    }

    /// Serves it over HTTP, with a new key for a user of it. Its time goes with that of the machine, `speed` times as fast.
    fn serve(&self, py: Python<'_>, user: &str, speed: u32) -> PyResult<Serving> {
        let mut bytes = [0; 24];
        OsRandom.fill(&mut bytes).or_raise(py)?;
        let api_key = format!("ptr_{}", hex(&bytes));
        {
            let mut state = self.swarm.portainer().state();
            let known = state.user_named(user);
            let unknown =
                || Error::new(ErrorKind::NotFound, format!("the simulated Portainer has no user {}", quoted(user)));
            let user = known.ok_or_else(unknown).or_raise(py)?;
            state.add_key(user, &api_key);
        }
        let started = py.detach(|| {
            get_runtime().block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
                serve_live(&self.swarm, listener, speed).await
            })
        });
        let failed = |e| Error::new(ErrorKind::Io, format!("cannot serve on this machine: {e}"));
        let serving = started.map_err(failed).or_raise(py)?;
        Ok(Serving { url: serving.url(), api_key, serving: Mutex::new(Some(serving)) })
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

/// A simulated world that is served over HTTP, until this is stopped or goes.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Serving {
    url: String,
    api_key: String,
    serving: Mutex<Option<gateway::Serving>>,
}

#[pymethods]
impl Serving {
    /// Where it listens.
    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    /// The key that lets one in there, and nowhere else.
    #[getter]
    fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Ends it.
    fn stop(&self, py: Python<'_>) {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(serving) = serving {
            py.detach(|| get_runtime().block_on(serving.stop()));
        }
    }

    fn __repr__(&self) -> String {
        format!("<Serving: {}>", self.url)
    }
}
