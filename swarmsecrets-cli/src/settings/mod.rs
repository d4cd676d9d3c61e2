//! Which Portainer is meant, or the simulator, from flags and environment.

mod connection;
mod fingerprint;
mod journal;
mod key;
mod lookalike;
mod policy;
mod resolve;

pub(crate) use self::connection::{Connection, KeySource, Portainer, ServerAt};
pub(crate) use self::fingerprint::fingerprint_key;
pub(crate) use self::journal::journal_database;
pub(crate) use self::key::read_key;
pub(crate) use self::policy::policy_of;
pub(crate) use self::resolve::{Intent, names_server, resolve};

/// The variables that are read.
const KNOWN: [&str; 12] = [
    "PORTAINER_URL",
    "PORTAINER_API_KEY",
    "PORTAINER_API_KEY_FILE",
    "PORTAINER_ENDPOINT",
    "PORTAINER_CA_FILE",
    "SWARMSECRETS_AGENT_ID",
    "SWARMSECRETS_POLICY",
    "SWARMSECRETS_FINGERPRINT_KEY_FILE",
    "SWARMSECRETS_JOURNAL_DB",
    "SWARMSECRETS_JOURNAL_DB_FILE",
    "SWARMSECRETS_SERVER",
    "SWARMSECRETS_TOKEN_FILE",
];
