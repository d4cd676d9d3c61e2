//! What a server is made of here.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use swarmsecrets_client::{Change, Client, Equipment, Operations, Order, Policies, ReadOnlyClient, Wanted, Way};
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::generate::{GenerateSpec, Random as _};
use swarmsecrets_core::ids::{EnvironmentId, hex};
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::{Result, SecretValue};
use swarmsecrets_host::{OsRandom, parse_policy, policy_in_force};
use swarmsecrets_server::{Held, Remote, Seat, Server, Serving, Token};
use swarmsecrets_settings::{Credentials, ProbeSet};
use swarmsecrets_testkit::SimSwarm;

/// A policy that lets one secret be changed, and asks people for the rest.
pub(crate) const GOVERNED: &str =
    "schema = 1\nphase = 'assisted'\n[[phases]]\nphase = 'automated'\nselect = { secrets = ['report_password'] }\n";

/// Keeps the audit trail.
#[derive(Clone, Default)]
pub(crate) struct Trail(Arc<Mutex<Vec<AuditRecord>>>);

impl Trail {
    pub(crate) fn records(&self) -> Vec<AuditRecord> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl AuditSink for Trail {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

/// A simulated Swarm and what is kept of it.
pub(crate) struct Desk {
    pub(crate) swarm: Arc<SimSwarm>,
    pub(crate) journal: MemoryJournal,
    pub(crate) trail: Trail,
    pub(crate) folder: tempfile::TempDir,
}

/// A token that nobody knows but this test.
pub(crate) fn token() -> SecretValue {
    let mut bytes = [0; 24];
    OsRandom.fill(&mut bytes).unwrap();
    SecretValue::new(hex(&bytes).into_bytes()).unwrap()
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { swarm: Arc::new(SimSwarm::demo(0)), journal: MemoryJournal::default(), trail: Trail::default(), folder }
    }

    /// What the client of an agent is made of. `{folder}` in the policy is a folder of this test's.
    pub(crate) fn equipment(&self, agent: &str, policy: &str) -> Equipment {
        let policy = policy.replace("{folder}", &self.folder.path().to_string_lossy());
        let given = match policy.is_empty() {
            true => Vec::new(),
            false => vec![policy_in_force("operator", parse_policy(&policy).unwrap()).unwrap()],
        };
        Equipment {
            transport: Arc::new(self.swarm.client().agent(agent)),
            environment: EnvironmentId(1),
            clock: Arc::new(self.swarm.clock()),
            remotes: self.swarm.portainer().clone(),
            journal: Arc::new(self.journal.clone()),
            audit: Arc::new(self.trail.clone()),
            trail: None,
            agent: Some(agent.to_owned()),
            probes: ProbeSet::default(),
            credentials: Credentials::default(),
            sources: Sources::none(),
            policies: Policies::new(given, true).unwrap(),
            instance: "simulated".to_owned(),
            approvers: Vec::new(),
            fingerprint_key: None,
        }
    }

    pub(crate) fn full(&self, agent: &str, policy: &str) -> Seat {
        Seat::new(Held::Full(Arc::new(Client::new(self.equipment(agent, policy))))).unwrap()
    }

    pub(crate) fn read_only(&self, agent: &str, policy: &str) -> Seat {
        Seat::new(Held::ReadOnly(Box::new(ReadOnlyClient::new(self.equipment(agent, policy))))).unwrap()
    }

    /// Serves these callers on a socket, and gives the way to it of each.
    pub(crate) fn serve(&self, seats: Vec<Seat>) -> (Serving, Vec<Remote>) {
        let seats: Vec<(SecretValue, Seat)> = seats.into_iter().map(|seat| (token(), seat)).collect();
        let path = self.folder.path().join("socket");
        let remotes = seats.iter().map(|(token, _)| remote(&path, token)).collect();
        let known = seats.into_iter().map(|(token, seat)| (Token::new(&token).unwrap(), seat));
        let mut serving = Server::new(known).unwrap().start();
        serving.listen_on_socket(&path).unwrap();
        (serving, remotes)
    }

    /// A server of one agent's.
    pub(crate) fn serve_one(&self, policy: &str) -> (Serving, Remote) {
        let (serving, mut remotes) = self.serve(vec![self.full("agent-7", policy)]);
        (serving, remotes.remove(0))
    }
}

pub(crate) fn remote(socket: &Path, token: &SecretValue) -> Remote {
    Remote::new(&format!("unix:{}", socket.display()), token).unwrap()
}

/// A rotation to a generated value.
pub(crate) fn generated(secret: &str) -> Wanted {
    let value = Some(Way::Generate(GenerateSpec::default()));
    Wanted { secrets: vec![secret.to_owned()], value, ..Wanted::default() }
}

pub(crate) async fn apply(remote: &Remote, plan: &Plan) -> Result<Report> {
    let change = Change { plan, values: Values::none(), approval: None };
    remote.apply(change, &Order::of(Word::NotGiven)).await
}
