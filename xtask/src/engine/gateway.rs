//! The test gateway: Portainer's rules before the real Engine.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Engine;
use crate::log::Log;
use crate::{Failure, repository};

/// A running gateway. Dropping it stops it.
pub(crate) struct Gateway {
    child: Child,
    /// What it tells when it is ready.
    told: Value,
}

impl Gateway {
    /// Starts it and waits until it tells where it listens and which keys it takes.
    pub(crate) fn start(log: &Log, engine: &Engine) -> Result<Self, Failure> {
        // The kernel ends it if we are killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(repository::target().join("debug/portainer-gateway"));
        command.arg("--socket").arg(engine.socket()).arg("--docker").arg(engine.client());
        let own_log = std::fs::File::create(repository::scratch().join("kept/gateway.log"));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(own_log.map_err(|e| format!("cannot write the gateway's log: {e}"))?);
        let child = command.spawn().map_err(|e| format!("cannot start the test gateway: {e}"))?;
        let mut gateway = Self { child, told: Value::Null };
        let mut line = String::new();
        if let Some(told) = gateway.child.stdout.take() {
            BufReader::new(told).read_line(&mut line).map_err(|e| format!("cannot hear the test gateway: {e}"))?;
        }
        gateway.told = serde_json::from_str(&line)
            .map_err(|_| format!("the test gateway does not start: see {}/kept", repository::scratch().display()))?;
        log.say(&format!("the test gateway answers at {}", gateway.text("url")));
        Ok(gateway)
    }

    fn text(&self, field: &str) -> &str {
        self.told[field].as_str().unwrap_or_default()
    }

    fn endpoint(&self) -> String {
        self.told["endpoint"].to_string()
    }

    /// The API keys, by the user's name.
    fn keys(&self) -> impl Iterator<Item = (&String, &str)> {
        let keys = self.told["keys"].as_object().into_iter().flatten();
        keys.filter_map(|(user, key)| Some((user, key.as_str()?)))
    }

    /// The API keys: no output may hold one.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|(_, key)| key)
    }

    /// Tells a test where the gateway is and which keys it takes: `SWARMSECRETS_TEST_KEY_ADMIN` and so on.
    pub(crate) fn tell(&self, test: &mut Command) {
        test.env("SWARMSECRETS_TEST_URL", self.text("url")).env("SWARMSECRETS_TEST_ENDPOINT", self.endpoint());
        for (user, key) in self.keys() {
            test.env(format!("SWARMSECRETS_TEST_KEY_{}", user.to_uppercase().replace('-', "_")), key);
        }
    }

    /// Lets the `swarmsecrets` command work through the gateway as the administrator.
    pub(crate) fn connect(&self, command: &mut Command) {
        let admin = self.told["keys"]["admin"].as_str().unwrap_or_default();
        command.env("PORTAINER_URL", self.text("url")).env("PORTAINER_API_KEY", admin);
        command.env("PORTAINER_ENDPOINT", self.endpoint());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
