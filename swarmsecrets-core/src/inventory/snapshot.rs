//! What was read of a Swarm, as bytes: the input of the usage graph.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use crate::ids::{EnvironmentId, StackId};

/// The answers that a usage graph is made from. The executor reads them in this order; tests make them by hand.
///
/// It prints its sizes only: the answers hold environment variables and stack files, and these may hold credentials.
#[derive(Clone)]
pub struct Snapshot {
    /// The Portainer environment.
    pub environment: EnvironmentId,
    /// When it was read.
    pub taken_at: Timestamp,
    /// Whether a simulation was read.
    pub simulated: bool,
    /// `GET /api/users/me`.
    pub me: Bytes,
    /// `GET …/docker/swarm`.
    pub swarm: Bytes,
    /// `GET /api/users`; `None` where it is refused.
    pub users: Option<Bytes>,
    /// `GET /api/teams`; `None` where it is refused.
    pub teams: Option<Bytes>,
    /// `GET …/docker/nodes`; `None` where it is refused.
    pub nodes: Option<Bytes>,
    /// `GET /api/stacks`.
    pub stacks: Bytes,
    /// `GET /api/stacks/{id}/file` of each Swarm stack of the environment: the answer, or why there is none.
    pub stack_files: Vec<(StackId, Result<Bytes, String>)>,
    /// `GET …/docker/networks`, where there are stacks: what a redeploy would change cannot be told without.
    pub networks: Option<Bytes>,
    /// `GET …/docker/secrets`.
    pub secrets: Bytes,
    /// `GET …/docker/tasks`.
    pub tasks: Bytes,
    /// `GET …/docker/services`, read last: what a plan is pinned to.
    pub services: Bytes,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("environment", &self.environment)
            .field("taken_at", &self.taken_at)
            .field("simulated", &self.simulated)
            .field("bytes of secrets", &self.secrets.len())
            .field("bytes of services", &self.services.len())
            .field("bytes of tasks", &self.tasks.len())
            .field("stacks", &self.stack_files.len())
            .finish_non_exhaustive()
    }
}
