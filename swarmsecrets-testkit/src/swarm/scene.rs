//! Setting the scene: what people did before the story begins.

use serde_json::{Value, json};
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::transport::refusal;

use super::SimSwarm;
use super::at_once::at_once;
use crate::engine::EngineRequest;
use crate::portainer::{ControlKind, Grant, PortainerRequest};

impl SimSwarm {
    /// Sends a request as a user and waits for its answer, without a runtime. Gives the body, null if it has none.
    ///
    /// # Errors
    /// As a [`Transport`](swarmsecrets_core::transport::Transport) has them; `NotFound` if there is no such user.
    pub fn ask(&self, user: &str, request: PortainerRequest) -> Result<Value> {
        let id = self.portainer.state().user_named(user);
        let id = id.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no user `{user}`")))?;
        let what = format!("{} {}", request.method, request.path);
        let answer = at_once(self.portainer.answer_to(id, request))?;
        let status = answer.status;
        let body = at_once(answer.bytes())?;
        if !(200..300).contains(&status) {
            return Err(refusal(&what, status, &body));
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Lets a user deploy a stack from a compose file. Gives its number.
    ///
    /// # Errors
    /// As [`SimSwarm::ask`].
    pub fn file_stack(&self, user: &str, name: &str, file: &str, variables: &[(&str, &str)]) -> Result<u64> {
        let body = json!({
            "name": name, "swarmID": self.cluster()?, "stackFileContent": file, "env": pairs(variables),
        });
        self.stack("string", user, &body)
    }

    /// Lets a user deploy a stack from the file `docker-compose.yml` of a repository's branch `main`, into which it is
    /// pushed first. With an interval, as `5m`, it updates itself. Gives its number.
    ///
    /// # Errors
    /// As [`SimSwarm::ask`].
    pub fn git_stack(
        &self,
        user: &str,
        name: &str,
        (url, file): (&str, &str),
        variables: &[(&str, &str)],
        interval: Option<&str>,
    ) -> Result<u64> {
        self.portainer.state().push(url, "refs/heads/main", "docker-compose.yml", file);
        let update = interval.map(|interval| json!({ "interval": interval }));
        let body = json!({
            "name": name, "swarmID": self.cluster()?, "repositoryURL": url, "env": pairs(variables),
            "autoUpdate": update,
        });
        self.stack("repository", user, &body)
    }

    fn stack(&self, from: &str, user: &str, body: &Value) -> Result<u64> {
        let request = PortainerRequest::new("POST", &format!("/api/stacks/create/swarm/{from}"));
        let stack = self.ask(user, request.param("endpointId", "1").json(body))?;
        stack["Id"].as_u64().ok_or_else(|| Error::new(ErrorKind::Protocol, "the new stack has no number"))
    }

    /// Gives the secret of this name to somebody.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such secret.
    pub fn own_secret(&self, name: &str, grant: &Grant) -> Result<()> {
        self.own(ControlKind::Secret, "secrets", name, grant)
    }

    /// Gives the service of this name to somebody.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such service.
    pub fn own_service(&self, name: &str, grant: &Grant) -> Result<()> {
        self.own(ControlKind::Service, "services", name, grant)
    }

    fn own(&self, kind: ControlKind, list: &str, name: &str, grant: &Grant) -> Result<()> {
        let found = self.inspect(&format!("/{list}/{name}"))?;
        let id = found["ID"].as_str().unwrap_or_default();
        self.portainer.state().own(kind, id, grant);
        Ok(())
    }

    pub(super) fn cluster(&self) -> Result<String> {
        Ok(self.inspect("/swarm")?["ID"].as_str().unwrap_or_default().to_owned())
    }

    fn inspect(&self, path: &str) -> Result<Value> {
        let request = EngineRequest { method: "GET".into(), path: path.into(), query: Vec::new(), body: Vec::new() };
        let answer = self.engine.answer(&request);
        if answer.status != 200 {
            return Err(refusal(&format!("read {path}"), answer.status, &answer.body));
        }
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

fn pairs(variables: &[(&str, &str)]) -> Vec<Value> {
    variables.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}
