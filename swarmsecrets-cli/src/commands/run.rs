//! `swarmsecrets run`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use swarmsecrets_client::{Client, Equipment, Policies, ReadOnlyClient};
use swarmsecrets_core::approval::Approver;
use swarmsecrets_core::policy::Guard;
use swarmsecrets_server::{Held, Seat, Server, Serving, Token};
use swarmsecrets_settings::{Caller, read_callers, webhooks};
use swarmsecrets_webhook::WebhookApprover;

use crate::app::App;
use crate::args::RunArgs;
use crate::exit::{Exit, Failure};
use crate::interrupt::asked_to_stop;
use crate::records::Records;
use crate::request::{credentials, probes};
use crate::settings::{Intent, fingerprint_key};
use crate::sourced::sources;
use crate::world::World;

/// Where one calls.
#[derive(Serialize)]
struct Listening {
    schema: u32,
    simulated: bool,
    socket: Option<PathBuf>,
    address: Option<SocketAddr>,
    callers: Vec<String>,
}

/// Serves until somebody asks to stop.
pub(super) async fn run(app: &App, args: RunArgs) -> Result<Exit, Failure> {
    let world = World::open(app, Intent::Change)?.under(app, &args.records.policy)?;
    if world.agent().is_some() {
        let text = "the agents that act are those of --callers: leave --agent-id and SWARMSECRETS_AGENT_ID out";
        return Err(Failure::usage(text));
    }
    if args.credentials.credentials.is_some() && world.simulated() {
        let text =
            "--credentials changes passwords in real systems, and this world is simulated: leave one of them out";
        return Err(Failure::usage(text));
    }
    keep_to_ourselves(app);
    let callers = read_callers(&args.callers).map_err(Failure::input)?;
    let agents = callers.iter().map(|caller| caller.agent.clone()).collect();
    let webhooks = webhooks(world.guards())?;
    let server =
        Server::new(seats(app, &args, &world, callers, &webhooks)?).map_err(Failure::input)?.receiving(webhooks);
    let mut serving = server.start();
    let listening = listen(&mut serving, &args, agents, world.simulated()).await?;
    announce(app, &listening, world.guards())?;
    asked_to_stop().await;
    app.console.note("stopping: the services in hand are finished or put back");
    tokio::select! {
        () = serving.stop() => {}
        _ = asked_to_stop() => return Ok(Exit::Interrupted),
    }
    world.close(&app.console)?;
    Ok(Exit::Done)
}

type Webhooks = Vec<(String, Arc<WebhookApprover>)>;

/// A seat for each caller. They share the journal, the audit trail and the webhooks.
fn seats(
    app: &App,
    args: &RunArgs,
    world: &World,
    callers: Vec<Caller>,
    webhooks: &Webhooks,
) -> Result<Vec<(Token, Seat)>, Failure> {
    let approver =
        |(name, webhook): &(String, Arc<WebhookApprover>)| (name.clone(), Arc::clone(webhook) as Arc<dyn Approver>);
    let (journal, audit, trail) = Records::open(&args.records, app, world)?.shared();
    let (credentials, probes) = (credentials(&args.credentials, &app.console)?, probes(&args.probes)?);
    let sources = sources(&args.sources)?;
    let fingerprint_key = fingerprint_key(&app.environment)?;
    let seat = |caller: Caller| {
        let way = world.way_of(app, &caller.agent)?;
        let equipment = Equipment {
            transport: way.transport,
            environment: world.environment(),
            clock: way.clock,
            remotes: way.remotes,
            journal: Arc::clone(&journal),
            audit: Arc::clone(&audit),
            trail: trail.clone(),
            agent: Some(caller.agent),
            probes: probes.clone(),
            credentials: credentials.clone(),
            sources: sources.clone(),
            policies: Policies::as_read(world.guards().to_vec()),
            instance: world.instance(),
            approvers: webhooks.iter().map(approver).collect(),
            fingerprint_key: fingerprint_key.clone(),
        };
        let held = match caller.read_only {
            true => Held::ReadOnly(Box::new(ReadOnlyClient::new(equipment))),
            false => Held::Full(Arc::new(Client::new(equipment))),
        };
        Ok((Token::new(&caller.token).map_err(Failure::input)?, Seat::new(held)?))
    };
    callers.into_iter().map(seat).collect()
}

async fn listen(
    serving: &mut Serving,
    args: &RunArgs,
    callers: Vec<String>,
    simulated: bool,
) -> Result<Listening, Failure> {
    if let Some(path) = &args.socket {
        serving.listen_on_socket(path)?;
    }
    let address = match args.listen {
        Some(address) => Some(serving.listen_on_port(address).await?),
        None => None,
    };
    Ok(Listening { schema: 1, simulated, socket: args.socket.clone(), address, callers })
}

fn announce(app: &App, listening: &Listening, guards: &[Guard]) -> Result<(), Failure> {
    if guards.is_empty() && !listening.simulated {
        app.console.note("warning: no policy says what may be changed: callers can read and plan alone");
    }
    if app.console.json {
        return app.console.document(listening);
    }
    let socket = listening.socket.iter().map(|path| format!("unix:{}", path.display()));
    let port = listening.address.iter().map(|address| format!("http://{address}"));
    let simulated = if listening.simulated { " (SIMULATED)" } else { "" };
    let line = |at: String| format!("serving{simulated} at {at} for {}\n", listening.callers.join(", "));
    app.console.text(&socket.chain(port).map(line).collect::<String>())
}

/// Others of the same user can neither look into this process nor see its environment, where the API key may be.
#[cfg(target_os = "linux")]
fn keep_to_ourselves(app: &App) {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    if let Err(e) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        app.console.note(&format!("warning: other processes of this user may look into this one: {e}"));
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_to_ourselves(_: &App) {}
