//! What the settings come to.

use std::path::PathBuf;

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::ids::EnvironmentId;

/// What a command talks to.
#[derive(Debug)]
pub(crate) enum Connection {
    /// A Portainer.
    Portainer(Portainer),
    /// A server that holds the API key.
    Server(ServerAt),
    /// The simulated demo world.
    Simulation {
        /// The file that keeps it between runs.
        state: Option<PathBuf>,
        /// Whether it was asked for, rather than shown for want of settings.
        asked: bool,
        /// The agent that acts.
        agent: Option<String>,
    },
}

/// How a Portainer is reached.
#[derive(Debug)]
pub(crate) struct Portainer {
    /// Its address.
    pub(crate) url: String,
    /// Its API key.
    pub(crate) key: KeySource,
    /// The environment.
    pub(crate) environment: EnvironmentId,
    /// The agent that acts.
    pub(crate) agent: Option<String>,
    /// Certificates to trust beside the system's.
    pub(crate) ca_file: Option<PathBuf>,
}

/// How a server is reached.
#[derive(Debug)]
pub(crate) struct ServerAt {
    /// Its address.
    pub(crate) address: String,
    /// The file of the token.
    pub(crate) token_file: PathBuf,
}

/// Where the API key is.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// In a file.
    File(PathBuf),
    /// It was in the environment.
    Given(SecretValue),
}
