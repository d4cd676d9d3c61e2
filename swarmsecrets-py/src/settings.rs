//! What a client is given beside the way to Portainer: who acts, where it keeps its records, probes that it asks, passwords that
//! it changes, its policy.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use swarmsecrets_client::Equipment;
use swarmsecrets_core::approval::Approver;
use swarmsecrets_core::audit::AuditSink;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::executor::PasswordChange;
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::journal::{JournalStore, MemoryJournal};
use swarmsecrets_core::keys::FingerprintKey;
use swarmsecrets_core::plan::Probed;
use swarmsecrets_core::policy::{Guard, audit_in_force};
use swarmsecrets_core::source::{SecretSource, Sources};
use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Result, SecretValue as Value};
use swarmsecrets_host::{FileJournal, NamedSink, state_dir};
use swarmsecrets_postgres::PostgresJournal;
use swarmsecrets_settings::{Ask, Credentials, ProbeSet, Settings, audit_trail};
use swarmsecrets_testkit::Forgotten;

use crate::error::{OrRaise as _, invalid};
use crate::plugins::{self, Plugin};
use crate::policy::{self, Policy};
use crate::secret_value::SecretValue;

/// The settings, as `swarmsecrets.settings` writes them down.
#[derive(FromPyObject)]
pub(crate) struct Given<'py> {
    /// The AI agent that acts, if one does.
    pub(crate) agent_id: Option<String>,
    /// The folder of journals and the audit trail.
    journal: Option<PathBuf>,
    /// The URL of the PostgreSQL that keeps the journals instead, which holds a password.
    journal_database: Option<PyRef<'py, SecretValue>>,
    /// Each with the name of its service, or `label=value`.
    probes: Vec<(String, GivenProbe<'py>)>,
    /// Each by the name of its secret.
    passwords: Vec<(String, GivenPassword<'py>)>,
    /// Each has a name of its own.
    sources: Vec<GivenSource<'py>>,
    audit: Option<Plugin>,
    policy: Option<PyRef<'py, Policy>>,
    /// Each by its name.
    approvers: Vec<(String, Plugin)>,
    fingerprint_key: Option<PyRef<'py, SecretValue>>,
}

#[derive(FromPyObject)]
enum GivenProbe<'py> {
    Native(PyRef<'py, Probe>),
    Python(Plugin),
}

#[derive(FromPyObject)]
enum GivenPassword<'py> {
    Native(PyRef<'py, Password>),
    /// A setter, and the value that the secret has now.
    Python(Plugin, PyRef<'py, SecretValue>),
}

#[derive(FromPyObject)]
enum GivenSource<'py> {
    Native(PyRef<'py, Source>),
    Python(Plugin),
}

/// The world that a client is of.
pub(crate) struct World {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) environment: EnvironmentId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) remotes: Arc<dyn GitRemotes>,
    pub(crate) instance: String,
    /// Whether it is simulated for sure.
    pub(crate) simulated: bool,
}

/// The name of the sink that a program hands over, beside those of a policy.
const OWN_SINK: &str = "of-the-client";

/// A journal, an audit trail, and the file of the trail, if there is one.
pub(crate) type Records = (Arc<dyn JournalStore>, Arc<dyn AuditSink>, Option<PathBuf>);

impl Given<'_> {
    /// The records of a real environment under these policies. A sink of the program's own takes the file's place, unless a policy says
    /// where the trail goes: then it stands beside what that names. The last one is the trail's file, if there is one.
    pub(crate) fn records(&self, policies: &[Guard]) -> Result<Records> {
        let folder = || self.journal.clone().map_or_else(state_dir, Ok);
        let journal: Arc<dyn JournalStore> = match &self.journal_database {
            Some(url) => Arc::new(PostgresJournal::at(&url.0)?),
            None => Arc::new(FileJournal::open(&folder()?)?),
        };
        let said = audit_in_force(policies)?;
        let trail = match self.audit.is_none() || said.is_some() {
            true => Some(folder()?.join("audit.jsonl")),
            false => None,
        };
        let own = self.audit.as_ref().map(|plugin| plugins::Sink(plugin.clone()));
        let audit: Arc<dyn AuditSink> = match (own, said) {
            (Some(own), None) => Arc::new(own),
            (None, said) => Arc::new(audit_trail(&folder()?, said)?),
            (Some(own), Some(said)) => {
                Arc::new(audit_trail(&folder()?, Some(said))?.required(NamedSink::new(OWN_SINK, Arc::new(own)))?)
            }
        };
        Ok((journal, audit, trail))
    }

    /// Those of a simulated one, which keeps its journal itself.
    pub(crate) fn simulated_records(&self, journal: MemoryJournal) -> Result<Records> {
        if self.journal.is_some() || self.journal_database.is_some() {
            return Err(invalid("a simulated world keeps its journal itself: leave the setting out"));
        }
        let audit: Arc<dyn AuditSink> = match &self.audit {
            Some(plugin) => Arc::new(plugins::Sink(plugin.clone())),
            None => Arc::new(Forgotten),
        };
        Ok((Arc::new(journal), audit, None))
    }

    /// What a client of a world is made of, with the records that it is to have under the policies in force.
    pub(crate) fn equipment(
        self,
        world: World,
        records: impl FnOnce(&Self, &[Guard]) -> Result<Records>,
    ) -> Result<Equipment> {
        let World { transport, environment, clock, remotes, instance, simulated } = world;
        let policies = policy::in_force(self.policy.as_deref(), simulated)?;
        let (approvers, fingerprint_key) = (self.approvers(), self.fingerprint_key()?);
        let (probes, credentials, sources) = (self.probes(), self.credentials(simulated)?, self.sources()?);
        let (journal, audit, trail) = records(&self, policies.in_world(simulated))?;
        Ok(Equipment {
            transport,
            environment,
            clock,
            remotes,
            journal,
            audit,
            trail,
            agent: self.agent_id,
            probes,
            credentials,
            sources,
            policies,
            instance,
            approvers,
            fingerprint_key,
        })
    }

    /// The approvers that are handed over.
    fn approvers(&self) -> Vec<(String, Arc<dyn Approver>)> {
        let approver = |plugin: &Plugin| -> Arc<dyn Approver> { Arc::new(plugins::Desk(plugin.clone())) };
        self.approvers.iter().map(|(name, plugin)| (name.clone(), approver(plugin))).collect()
    }

    /// The key by which values in hand are known again.
    fn fingerprint_key(&self) -> Result<Option<FingerprintKey>> {
        self.fingerprint_key.as_ref().map(|key| FingerprintKey::new(key.0.clone())).transpose()
    }

    fn probes(&self) -> ProbeSet {
        self.probes.iter().fold(ProbeSet::default(), |probes, (services, probe)| {
            let services = match services.split_once('=') {
                Some((key, value)) => Probed::Labelled(key.to_owned(), value.to_owned()),
                None => Probed::Named(services.clone()),
            };
            let ask = match probe {
                GivenProbe::Native(probe) => probe.0.clone(),
                GivenProbe::Python(plugin) => Ask::Inside(Arc::new(plugins::Probe(plugin.clone()))),
            };
            probes.and(services, ask)
        })
    }

    /// The sources that values are fetched from.
    fn sources(&self) -> Result<Sources> {
        self.sources.iter().try_fold(Sources::none(), |sources, source| {
            sources.and(match source {
                GivenSource::Native(source) => source.0.clone(),
                GivenSource::Python(plugin) => Arc::new(plugins::Source(plugin.clone())),
            })
        })
    }

    /// The passwords. That of a real system is not changed for a simulated secret.
    fn credentials(&self, simulated: bool) -> Result<Credentials> {
        self.passwords.iter().try_fold(Credentials::default(), |credentials, (secret, password)| {
            let change = match password {
                GivenPassword::Native(password) => match &password.0 {
                    PasswordChange::Setter { setter, .. } if simulated => {
                        return Err(invalid(format!(
                            "{} is a real one, and this world is simulated",
                            setter.account()
                        )));
                    }
                    change => change.clone(),
                },
                GivenPassword::Python(plugin, current) => PasswordChange::Setter {
                    setter: Arc::new(plugins::Setter::new(plugin.clone())?),
                    current: Some(current.0.clone()),
                },
            };
            Ok(credentials.and(secret, change))
        })
    }
}

/// A probe of swarmsecrets' own.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Probe(Ask);

#[pymethods]
impl Probe {
    #[new]
    fn new(py: Python<'_>, settings: &str) -> PyResult<Self> {
        read(settings).and_then(swarmsecrets_settings::probe).or_raise(py).map(Self)
    }

    fn __repr__(&self) -> String {
        match &self.0 {
            Ask::Outside(probe) | Ask::Inside(probe) => format!("<HealthProbe: {}>", probe.name()),
            Ask::Logs(_) => "<HealthProbe: logs>".to_owned(),
        }
    }
}

/// A source of swarmsecrets' own.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Source(Arc<dyn SecretSource>);

#[pymethods]
impl Source {
    #[new]
    fn new(py: Python<'_>, settings: &str) -> PyResult<Self> {
        read(settings).and_then(swarmsecrets_settings::source).or_raise(py).map(Self)
    }

    fn __repr__(&self) -> String {
        format!("<SecretSource: {}>", self.0.name())
    }
}

/// How a password is changed, by a setter of swarmsecrets' own.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Password(PasswordChange);

#[pymethods]
impl Password {
    #[new]
    fn new(
        py: Python<'_>,
        settings: &str,
        administrator_password: Option<PyRef<'_, SecretValue>>,
        current: Option<PyRef<'_, SecretValue>>,
    ) -> PyResult<Self> {
        let value = |given: Option<PyRef<'_, SecretValue>>| -> Option<Value> { given.map(|value| value.0.clone()) };
        let (administrator_password, current) = (value(administrator_password), value(current));
        read(settings)
            .and_then(|settings| swarmsecrets_settings::credential(settings, administrator_password, current))
            .or_raise(py)
            .map(Self)
    }

    fn __repr__(&self) -> String {
        format!("<Password of {}>", self.0.account())
    }
}

fn read(settings: &str) -> Result<Settings> {
    serde_json::from_str(settings).map_err(|e| invalid(format!("the settings cannot be read: {e}")))
}
