//! What a command works on: a Portainer, or the simulated demo world.

mod simulated;

use std::path::Path;
use std::sync::Arc;

use swarmsecrets_client::Wanted;
use swarmsecrets_core::clock::Clock;
use swarmsecrets_core::executor::{Probes, check_reach, read_inventory};
use swarmsecrets_core::generate::Random;
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::ids::{EnvironmentId, quoted};
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::{Plan, RotationRequest, plan_rotation};
use swarmsecrets_core::policy::Guard;
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_git::HttpRemotes;
use swarmsecrets_host::{OsRandom, SystemClock, policies_in_force};
use swarmsecrets_portainer::PortainerTransport;
use swarmsecrets_settings::{Credentials, ProbeSet};

pub(crate) use self::simulated::Simulated;
use crate::app::App;
use crate::args::PolicyArgs;
use crate::console::Console;
use crate::exit::Failure;
use crate::settings::{Connection, Intent, Portainer, policy_of, read_key, resolve};

/// A Portainer or a simulation, and who acts on it.
pub(crate) struct World {
    link: Link,
    environment: EnvironmentId,
    agent: Option<String>,
    guards: Vec<Guard>,
}

/// Randomness for ids, keys and generated values: the machine's, also in a simulation, whose values nobody should guess
/// to be those of the next one.
pub(crate) fn random() -> Box<dyn Random> {
    Box::new(OsRandom)
}

enum Link {
    Portainer { transport: PortainerTransport, clock: SystemClock, remotes: HttpRemotes },
    Simulated(Simulated),
}

/// A way to a world that may be kept.
pub(crate) struct Way {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) remotes: Arc<dyn GitRemotes>,
}

fn transport(settings: Portainer) -> Result<PortainerTransport> {
    let mut builder = PortainerTransport::builder(&settings.url).api_key(read_key(settings.key)?);
    if let Some(agent) = &settings.agent {
        builder = builder.agent_id(agent);
    }
    if let Some(path) = &settings.ca_file {
        let place = quoted(&path.to_string_lossy());
        let pem = std::fs::read(path)
            .map_err(|e| Error::new(ErrorKind::Settings, format!("cannot read the CA file {place}: {e}")))?;
        builder = builder.ca_certificate(&pem);
    }
    builder.build().map_err(|e| Error::new(ErrorKind::Settings, e.message()).with_source(e))
}

impl World {
    /// Opens what the settings say. Nothing is sent yet.
    pub(crate) fn open(app: &App, intent: Intent) -> Result<Self, Failure> {
        match resolve(&app.connection, &app.environment, intent)? {
            Connection::Portainer(settings) => Ok(Self::portainer(settings, &app.console)?),
            Connection::Server(_) => {
                let text = "a server that holds the API key does not offer this: do it where that key is, or see `swarmsecrets run --help`";
                Err(Failure::usage(text))
            }
            Connection::Simulation { state, asked, agent } => {
                if !asked {
                    app.console.note(
                        "note: no Portainer is set: this is a SIMULATED demo world (set PORTAINER_URL, PORTAINER_API_KEY \
                         and PORTAINER_ENDPOINT to see yours, or say --sim)",
                    );
                }
                let simulated = Simulated::open(state, agent.as_deref())?;
                Ok(Self {
                    environment: simulated.environment(),
                    link: Link::Simulated(simulated),
                    agent,
                    guards: Vec::new(),
                })
            }
        }
    }

    fn portainer(settings: Portainer, console: &Console) -> Result<Self> {
        let (environment, agent) = (settings.environment, settings.agent.clone());
        let transport = transport(settings)?;
        if transport.insecure() {
            console.note("warning: the URL is plain http: the API key and the values travel in the clear");
        }
        let link = Link::Portainer { transport, clock: SystemClock::new(), remotes: HttpRemotes::default() };
        Ok(Self { link, environment, agent, guards: Vec::new() })
    }

    /// The same, with the policies in force: those that are given, and the one that is installed.
    pub(crate) fn under(self, app: &App, args: &PolicyArgs) -> Result<Self, Failure> {
        let named = policy_of(&app.environment)?;
        // The first one says who approves: what is set for the process comes before what is written on its command line.
        let given: Vec<&Path> = named.as_deref().into_iter().chain(args.policy.as_deref()).collect();
        let guards = policies_in_force(&given, self.simulated())?;
        Ok(Self { guards, ..self })
    }

    /// The way to it of an agent of its own, for programs that keep it.
    pub(crate) fn way_of(&self, app: &App, agent: &str) -> Result<Way, Failure> {
        match &self.link {
            Link::Simulated(simulated) => Ok(Way {
                transport: simulated.transport_of(agent),
                clock: Arc::new(simulated.sim_clock()),
                remotes: simulated.shared_remotes(),
            }),
            Link::Portainer { .. } => match resolve(&app.connection, &app.environment, Intent::Change)? {
                Connection::Portainer(settings) => Ok(Way {
                    transport: Arc::new(transport(Portainer { agent: Some(agent.to_owned()), ..settings })?),
                    clock: Arc::new(SystemClock::new()),
                    remotes: Arc::new(HttpRemotes::default()),
                }),
                // The same settings have led to a Portainer before.
                Connection::Simulation { .. } | Connection::Server(_) => Err(Failure::usage("no Portainer is set")),
            },
        }
    }

    /// Which Portainer this is, as change requests have it.
    pub(crate) fn instance(&self) -> String {
        match &self.link {
            Link::Portainer { transport, .. } => transport.instance(),
            Link::Simulated(_) => "simulated".to_owned(),
        }
    }

    /// The policies in force.
    pub(crate) fn guards(&self) -> &[Guard] {
        &self.guards
    }

    /// A plan with the decision that the policies in force make of it.
    pub(crate) fn judged(&self, plan: Plan, inventory: &Inventory) -> Result<Plan> {
        plan.judged(self.guards.iter().map(Guard::policy), inventory)
    }

    /// The way to it.
    pub(crate) fn transport(&self) -> &dyn Transport {
        match &self.link {
            Link::Portainer { transport, .. } => transport,
            Link::Simulated(simulated) => simulated.transport(),
        }
    }

    /// Its time.
    pub(crate) fn clock(&self) -> &dyn Clock {
        match &self.link {
            Link::Portainer { clock, .. } => clock,
            Link::Simulated(simulated) => simulated.clock(),
        }
    }

    /// The servers of the repositories that its git stacks come from.
    pub(crate) fn remotes(&self) -> &dyn GitRemotes {
        match &self.link {
            Link::Portainer { remotes, .. } => remotes,
            Link::Simulated(simulated) => simulated.remotes(),
        }
    }

    /// The environment.
    pub(crate) fn environment(&self) -> EnvironmentId {
        self.environment
    }

    /// The agent that acts, if one does.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// Whether it is a simulation.
    pub(crate) fn simulated(&self) -> bool {
        self.transport().simulated()
    }

    /// The file that keeps the simulation, if one does.
    pub(crate) fn state_file(&self) -> Option<&Path> {
        match &self.link {
            Link::Portainer { .. } => None,
            Link::Simulated(simulated) => simulated.file(),
        }
    }

    /// Reads everything that the account may see.
    pub(crate) async fn inventory(&self) -> Result<Inventory> {
        read_inventory(self.transport(), self.environment, self.clock()).await
    }

    /// Plans a rotation, and sees whether the commands that it would run can be run.
    pub(crate) async fn plan(
        &self,
        wanted: Wanted,
        credentials: &Credentials,
        probes: &ProbeSet,
        sources: &Sources,
    ) -> Result<Plan> {
        let inventory = self.inventory().await?;
        let probes = probes.of(self.transport(), self.environment, self.clock())?.requested();
        let request = wanted.in_world(&inventory, credentials, sources).await?;
        let request = RotationRequest { probes, agent: self.agent.clone(), ..request };
        let plan = self.judged(plan_rotation(&inventory, &request)?, &inventory)?;
        check_reach(self.transport(), self.environment, &plan).await?;
        Ok(plan)
    }

    /// The probes that are asked here.
    pub(crate) fn probes(&self, probes: &ProbeSet) -> Result<Probes<'_>, Failure> {
        probes.of(self.transport(), self.environment, self.clock()).map_err(Failure::input)
    }

    /// Keeps a simulation in its file; one without a file is forgotten, and that is said.
    pub(crate) fn close(self, console: &Console) -> Result<()> {
        match self.link {
            Link::Simulated(simulated) => simulated.close(console),
            Link::Portainer { .. } => Ok(()),
        }
    }
}
