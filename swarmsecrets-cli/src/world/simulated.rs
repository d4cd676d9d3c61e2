//! The simulated demo world, kept in a file if asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::policy::Permit;
use swarmsecrets_core::transport::{Chunks, Read, Response, Transport, Write};
use swarmsecrets_core::{ErrorKind, Result};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::portainer::PortainerClient;
use swarmsecrets_testkit::sim::SimClock;

use crate::console::Console;

/// The demo world is always the same one.
const SEED: u64 = 0;

/// A simulated Swarm and the way to it.
pub(crate) struct Simulated {
    swarm: Arc<SimSwarm>,
    transport: Kept,
    clock: SimClock,
    file: Option<PathBuf>,
}

impl Simulated {
    /// The world in the file, or the demo as it begins.
    pub(crate) fn open(file: Option<PathBuf>, agent: Option<&str>) -> Result<Self> {
        let swarm = Arc::new(match &file {
            Some(path) => saved(path)?,
            None => SimSwarm::demo(SEED),
        });
        let client = match agent {
            Some(agent) => swarm.client().agent(agent),
            None => swarm.client(),
        };
        let transport = Kept { client, swarm: Arc::clone(&swarm), file: file.clone() };
        Ok(Self { clock: swarm.clock(), transport, swarm, file })
    }

    /// Its one environment.
    pub(crate) fn environment(&self) -> EnvironmentId {
        EnvironmentId(1)
    }

    /// The way to it.
    pub(crate) fn transport(&self) -> &dyn Transport {
        &self.transport
    }

    /// The way to it of an agent of its own.
    pub(crate) fn transport_of(&self, agent: &str) -> Arc<dyn Transport> {
        let client = self.swarm.client().agent(agent);
        Arc::new(Kept { client, swarm: Arc::clone(&self.swarm), file: self.file.clone() })
    }

    /// Its time, for programs that keep it.
    pub(crate) fn sim_clock(&self) -> SimClock {
        self.swarm.clock()
    }

    /// Its repositories, for programs that keep them.
    pub(crate) fn shared_remotes(&self) -> Arc<dyn GitRemotes> {
        self.swarm.portainer().clone()
    }

    /// Its time, which passes only while somebody waits on it.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    /// Its repositories.
    pub(crate) fn remotes(&self) -> &dyn GitRemotes {
        &**self.swarm.portainer()
    }

    /// The file that keeps it.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The Swarm itself.
    pub(crate) fn swarm(&self) -> &SimSwarm {
        &self.swarm
    }

    /// Keeps it in its file, if it has one.
    pub(crate) fn save(&self) -> Result<()> {
        self.file.as_deref().map_or(Ok(()), |path| self.swarm.save(path))
    }

    /// Keeps it, or says that it is gone.
    pub(crate) fn close(self, console: &Console) -> Result<()> {
        if self.file.is_none() {
            console.note("note: nothing is kept of this simulated world: give --sim-state FILE to keep it");
        }
        self.save()
    }
}

fn saved(path: &Path) -> Result<SimSwarm> {
    match SimSwarm::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(SimSwarm::demo(SEED)),
        result => result,
    }
}

/// Keeps the world in its file after each mutation, so that it is as far as the journal says whatever ends the process.
struct Kept {
    client: PortainerClient,
    swarm: Arc<SimSwarm>,
    file: Option<PathBuf>,
}

#[async_trait]
impl Transport for Kept {
    async fn read(&self, request: &Read) -> Result<Response> {
        self.client.read(request).await
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        self.client.stream(request).await
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        let answer = self.client.write(request, permit).await;
        if let Some(path) = &self.file {
            self.swarm.save(path)?;
        }
        answer
    }

    fn simulated(&self) -> bool {
        true
    }
}
