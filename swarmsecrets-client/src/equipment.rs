//! What a client is made of.

use std::path::PathBuf;
use std::sync::Arc;

use swarmsecrets_core::approval::Approver;
use swarmsecrets_core::audit::AuditSink;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::journal::JournalStore;
use swarmsecrets_core::keys::FingerprintKey;
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::transport::Transport;
use swarmsecrets_settings::{Credentials, ProbeSet};

use crate::policies::Policies;

/// All that a client needs. Clients may share the parts that are behind an `Arc`.
pub struct Equipment {
    /// The way to Portainer. It says itself who it is used by.
    pub transport: Arc<dyn Transport>,
    /// The environment.
    pub environment: EnvironmentId,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the repositories of git stacks stand.
    pub remotes: Arc<dyn GitRemotes>,
    /// Where journals are kept.
    pub journal: Arc<dyn JournalStore>,
    /// Where the audit trail goes.
    pub audit: Arc<dyn AuditSink>,
    /// The file of the trail, if swarmsecrets keeps it: it is looked at for intents without an outcome before anything is changed.
    pub trail: Option<PathBuf>,
    /// The AI agent that acts, if one does.
    pub agent: Option<String>,
    /// The probes that are asked.
    pub probes: ProbeSet,
    /// The passwords that are changed in step.
    pub credentials: Credentials,
    /// The sources that values are fetched from.
    pub sources: Sources,
    /// The policies in force.
    pub policies: Policies,
    /// Which Portainer this is, as change requests have it.
    pub instance: String,
    /// Approvers beside those that can be made of the policy alone, or in their place, by their names there.
    pub approvers: Vec<(String, Arc<dyn Approver>)>,
    /// The key by which values are known again.
    pub fingerprint_key: Option<FingerprintKey>,
}
