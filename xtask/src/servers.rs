//! Real servers for the tests of the plugins and of the command: PostgreSQL, MariaDB, Redis, OpenSearch and an OpenTelemetry Collector,
//! each on 127.0.0.1, on a port of its own, in a folder of its own that is removed when it ends, and as a user without rights.

mod certificate;
mod collector;
mod mariadb;
mod opensearch;
mod place;
mod postgres;
mod redis;
mod server;

use std::process::Command;

use self::place::Place;
use crate::log::Log;
use crate::process::{Daemon, run_beside};
use crate::{Failure, install, repository};

/// The packages whose tests (`tests/server`) need the servers: those of the plugins, and the command's.
pub(crate) const PACKAGES: [&str; 6] = [
    "swarmsecrets-postgres",
    "swarmsecrets-mysql",
    "swarmsecrets-redis",
    "swarmsecrets-elasticsearch",
    "swarmsecrets-opentelemetry",
    "swarmsecrets-cli",
];

/// A server, and what tests are told of it beside its place and password.
type Started = (Daemon, Vec<(&'static str, String)>);

/// Running servers. Dropping them stops them and removes what they stored.
pub(crate) struct Servers {
    told: Vec<(String, String)>,
    passwords: Vec<String>,
    running: Vec<Daemon>,
}

impl Servers {
    /// Installs what is missing, and starts one of each.
    pub(crate) fn start(log: &Log) -> Result<Self, Failure> {
        let tools = install::server_tools(log)?;
        let mut servers = Self { told: Vec::new(), passwords: Vec::new(), running: Vec::new() };
        servers.add(log, "POSTGRES", |place| postgres::start(log, place, &tools))?;
        servers.add(log, "MARIADB", |place| mariadb::start(log, place, &tools))?;
        servers.add(log, "REDIS", |place| redis::start(log, place, &tools, redis::Users::InAclFile))?;
        servers
            .add(log, "REDIS_WITHOUT_ACL_FILE", |place| redis::start(log, place, &tools, redis::Users::InConfigFile))?;
        servers.add(log, "OPENSEARCH", |place| opensearch::start(log, place, &tools))?;
        servers.add(log, "COLLECTOR", |place| collector::start(log, place, &tools))?;
        Ok(servers)
    }

    fn add(
        &mut self,
        log: &Log,
        name: &str,
        start: impl FnOnce(Place) -> Result<Started, Failure>,
    ) -> Result<(), Failure> {
        let began = std::time::Instant::now();
        let place = Place::make(log, &name.to_lowercase())?;
        self.passwords.push(place.password.clone());
        let address = format!("127.0.0.1:{}", place.port);
        let mut told = vec![("", address), ("_PASSWORD", place.password.clone())];
        let (server, more) = start(place)?;
        told.extend(more);
        self.told.extend(told.into_iter().map(|(what, is)| (format!("SWARMSECRETS_TEST_{name}{what}"), is)));
        self.running.push(server);
        log.say(&format!("{name} is up after {:.1} s", began.elapsed().as_secs_f32()));
        Ok(())
    }

    /// The passwords of the administrators, for the leak scan.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.passwords.iter().map(String::as_str)
    }

    /// Tells a test where the servers are.
    pub(crate) fn tell(&self, test: &mut Command) {
        test.envs(self.told.iter().map(|(name, value)| (name, value)));
    }
}

/// Runs a command with the servers beside it.
pub(crate) fn beside(command: &[String]) -> Result<(), Failure> {
    let scratch = repository::scratch();
    std::fs::create_dir_all(&scratch).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
    let log = Log::create(scratch.join("servers.log"))?;
    let servers = Servers::start(&log)?;
    run_beside(command, |command| servers.tell(command))
}
