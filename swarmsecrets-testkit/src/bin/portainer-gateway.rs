//! Portainer's rules before a real Docker Engine's socket. Prints one line of JSON when it is ready: where it listens,
//! and an API key for each user, made at random.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use serde::Deserialize;
use serde_json::json;
use swarmsecrets_testkit::gateway::{DockerEngine, WallClock, serve};
use swarmsecrets_testkit::portainer::{Portainer, State};
use tokio::net::TcpListener;

/// Portainer's rules before a real Docker Engine.
#[derive(Parser)]
struct Arguments {
    /// The Engine's unix socket.
    #[arg(long)]
    socket: PathBuf,
    /// The `docker` command that deploys stacks.
    #[arg(long, default_value = "docker")]
    docker: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// The users, as `[{"name", "admin", "teams", "leads"}]`; without it: admin, svc-agent and alice of the team
    /// payments, bob of the team platform.
    #[arg(long)]
    users: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    teams: Vec<String>,
    #[serde(default)]
    leads: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let people: Vec<Person> = match &arguments.users {
        Some(file) => serde_json::from_slice(&std::fs::read(file)?)?,
        None => usual_people(),
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(&arguments, &people))
}

fn usual_people() -> Vec<Person> {
    let person = |name: &str, admin, teams: &[&str]| Person {
        name: name.into(),
        admin,
        teams: teams.iter().map(|&t| t.into()).collect(),
        leads: Vec::new(),
    };
    vec![
        person("admin", true, &[]),
        person("svc-agent", false, &["payments"]),
        person("alice", false, &["payments"]),
        person("bob", false, &["platform"]),
    ]
}

async fn run(arguments: &Arguments, people: &[Person]) -> Result<(), Box<dyn Error>> {
    let mut state = State::default();
    let keys = settle(&mut state, people)?;
    let engine = Arc::new(DockerEngine::new(&arguments.socket, &arguments.docker));
    let portainer = Arc::new(Portainer::new(engine, Arc::new(WallClock::default()), state));
    let serving = serve(portainer, TcpListener::bind(&arguments.listen).await?).await?;
    let ready = json!({"url": serving.url(), "address": serving.address(), "endpoint": 1, "keys": keys});
    writeln!(std::io::stdout(), "{ready}")?;
    std::io::stdout().flush()?;
    Ok(serving.wait().await?)
}

/// Makes the accounts, and gives each a key.
fn settle(state: &mut State, people: &[Person]) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut teams: BTreeMap<String, u64> = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for person in people {
        let user = state.add_user(&person.name, person.admin);
        for (names, leads) in [(&person.teams, false), (&person.leads, true)] {
            for name in names {
                let team = *teams.entry(name.clone()).or_insert_with(|| state.add_team(name));
                state.add_membership(user, team, leads);
            }
        }
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).map_err(|e| format!("no randomness to be had: {e}"))?;
        let key = format!("ptr_{}", swarmsecrets_core::ids::hex(&bytes));
        state.add_key(user, &key);
        keys.insert(person.name.clone(), key);
    }
    Ok(keys)
}
