//! A simulated Swarm that several hosts reach over HTTP.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use swarmsecrets_testkit::values;
use tempfile::TempDir;

/// `sim serve` at work; it ends with this.
pub(crate) struct Served {
    child: Child,
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    pub(crate) endpoint: String,
    pub(crate) key: String,
}

impl Served {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_swarmsecrets"))
            .args(["sim", "serve", "--sim-state", "world.json", "--json"])
            .current_dir(folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut told = serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter::<Value>();
        let told = told.next().unwrap().unwrap();
        let key = told["accounts"][0]["api_key"].as_str().unwrap().to_owned();
        values::record(key.as_bytes());
        let url = told["url"].as_str().unwrap().to_owned();
        Self { child, folder, url, endpoint: told["environment"].to_string(), key }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
