//! `swarmsecrets sim`

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use swarmsecrets_core::duration::short;
use swarmsecrets_core::ids::{EnvironmentId, hex, quoted};
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_testkit::gateway;
use swarmsecrets_testkit::portainer::PortainerRequest;

use crate::app::App;
use crate::args::{AdvanceArgs, ConnectionArgs, RedeployArgs, ServeArgs};
use crate::exit::{Exit, Failure};
use crate::interrupt::asked_to_stop;
use crate::printable::printable;
use crate::settings::{Connection, Intent, resolve};
use crate::world::{Simulated, random};

/// How often the simulated world is moved on to the present, and kept.
const TICK: Duration = Duration::from_millis(50);

/// The account that may do everything there.
const ADMIN: &str = "admin";

/// How one reaches the world that is served.
#[derive(Serialize)]
struct Served {
    schema: u32,
    simulated: bool,
    url: String,
    environment: EnvironmentId,
    accounts: Vec<Account>,
}

/// An account of the world that is served. Its key is made up anew each time and opens nothing else.
#[derive(Serialize)]
struct Account {
    name: String,
    api_key: String,
}

/// What `sim advance --json` prints.
#[derive(Serialize)]
struct Advanced {
    schema: u32,
    simulated: bool,
    now: String,
}

/// Serves the world over HTTP until somebody asks to stop. Its time is that of the machine.
pub(super) async fn serve(app: &App, args: ServeArgs) -> Result<Exit, Failure> {
    let simulated = open(app)?;
    let failed = |e: std::io::Error| Error::new(ErrorKind::Io, format!("cannot serve on {}: {e}", args.listen));
    let listener = tokio::net::TcpListener::bind(args.listen).await.map_err(failed)?;
    let accounts = accounts(&simulated)?;
    let serving = gateway::serve(simulated.swarm().portainer().clone(), listener).await.map_err(failed)?;
    let served =
        Served { schema: 1, simulated: true, url: serving.url(), environment: simulated.environment(), accounts };
    announce(app, &served)?;
    tokio::select! {
        result = keep(&simulated) => result?,
        _ = asked_to_stop() => {}
    }
    serving.stop().await;
    simulated.close(&app.console)?;
    Ok(Exit::Done)
}

/// Lets time pass in the world that a file keeps.
pub(super) async fn advance(app: &App, args: AdvanceArgs) -> Result<Exit, Failure> {
    let simulated = kept(app)?;
    simulated.swarm().engine().run_for(args.by);
    simulated.save()?;
    let now = simulated.swarm().clock().wall().to_string();
    if app.console.json {
        app.console.document(&Advanced { schema: 1, simulated: true, now })?;
    } else {
        app.console.text(&format!("{} later it is {now} in the simulated world", short(args.by)))?;
    }
    Ok(Exit::Done)
}

/// Redeploys a stack with its file as it is and other variables.
pub(super) async fn redeploy(app: &App, args: RedeployArgs) -> Result<Exit, Failure> {
    let simulated = kept(app)?;
    let swarm = simulated.swarm();
    let stacks = swarm.ask(ADMIN, PortainerRequest::new("GET", "/api/stacks"))?;
    let found = stacks.as_array().and_then(|all| all.iter().find(|s| s["Name"] == args.stack.as_str()));
    let stack = found.ok_or_else(|| {
        let text = format!("Portainer keeps no stack {} in the simulated world", quoted(&args.stack));
        Error::new(ErrorKind::NotFound, text)
    })?;
    let path = format!("/api/stacks/{}", stack["Id"]);
    let file = swarm.ask(ADMIN, PortainerRequest::new("GET", &format!("{path}/file")))?;
    let mut variables = stack["Env"].as_array().cloned().unwrap_or_default();
    variables.retain(|known| !args.variables.iter().any(|(name, _)| known["name"] == name.as_str()));
    variables.extend(args.variables.iter().map(|(name, value)| json!({ "name": name, "value": value })));
    let body = json!({ "stackFileContent": file["StackFileContent"], "env": variables, "prune": false });
    let put = PortainerRequest::new("PUT", &path).param("endpointId", &simulated.environment().to_string());
    swarm.ask(ADMIN, put.json(&body))?;
    simulated.save()?;
    if app.console.json {
        app.console.document(&json!({ "schema": 1, "simulated": true, "stack": args.stack }))?;
    } else {
        app.console.text(&format!("{} is redeployed in the simulated world", printable(&args.stack)))?;
    }
    Ok(Exit::Done)
}

/// The world that a file keeps.
fn kept(app: &App) -> Result<Simulated, Failure> {
    let simulated = open(app)?;
    match simulated.file() {
        Some(_) => Ok(simulated),
        None => {
            Err(Failure::usage("which world? give --sim-state FILE: what is done in a world that is not kept is lost"))
        }
    }
}

fn open(app: &App) -> Result<Simulated, Failure> {
    let flags = ConnectionArgs { sim: true, ..app.connection.clone() };
    match resolve(&flags, &app.environment, Intent::Change)? {
        Connection::Simulation { state, .. } => Ok(Simulated::open(state, None)?),
        // `--sim` leads nowhere else.
        Connection::Portainer(_) | Connection::Server(_) => Err(Failure::usage("`sim` runs on the simulator alone")),
    }
}

/// A key for each user of the world.
fn accounts(simulated: &Simulated) -> Result<Vec<Account>, Error> {
    let names = [ADMIN, "svc-agent", "alice", "bob"];
    let mut accounts = Vec::new();
    let mut source = random();
    for name in names {
        let mut bytes = [0; 24];
        source.fill(&mut bytes)?;
        let api_key = format!("ptr_{}", hex(&bytes));
        let mut state = simulated.swarm().portainer().state();
        if let Some(user) = state.user_named(name) {
            state.revoke_keys(user);
            state.add_key(user, &api_key);
            accounts.push(Account { name: name.to_owned(), api_key });
        }
    }
    Ok(accounts)
}

fn announce(app: &App, served: &Served) -> Result<(), Failure> {
    app.console.note("a SIMULATED Portainer is served; Ctrl-C ends it");
    if app.console.json {
        return app.console.document(served);
    }
    let mut text = format!("export PORTAINER_URL={} PORTAINER_ENDPOINT={}\n", served.url, served.environment);
    for (n, account) in served.accounts.iter().enumerate() {
        let comment = if n == 0 { "" } else { "# " };
        text.push_str(&format!("{comment}export PORTAINER_API_KEY={} # {}\n", account.api_key, account.name));
    }
    app.console.text(&text)
}

/// Moves the world on with the machine's time, and keeps it when it was asked something.
async fn keep(simulated: &Simulated) -> Result<(), Error> {
    let clock = simulated.swarm().clock();
    let portainer = simulated.swarm().portainer();
    let (mut last, mut asked) = (Instant::now(), portainer.requests());
    loop {
        tokio::time::sleep(TICK).await;
        let now = Instant::now();
        clock.advance(now - last);
        last = now;
        if portainer.requests() != asked {
            asked = portainer.requests();
            simulated.save()?;
        }
    }
}
