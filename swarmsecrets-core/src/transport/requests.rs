//! Requests as values: what is asked of Portainer, made without a server and tested without one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::request::{Method, Node, Request, RequestView};
use crate::ids::{ControlId, EnvironmentId, SecretId, SecretName, ServiceId, SpecVersion, StackId};
use crate::inventory::{Labels, Owner};
use crate::secret::SecretValue;
use crate::stack::{ComposeText, Variables};

/// A request that changes nothing.
pub struct Read(Request);

/// A request that changes something. Only the executor makes one, and sending it takes a permit.
pub struct Write(Request);

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.print(f)
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.print(f)
    }
}

/// Which tasks to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskFilter {
    /// All that the account may see.
    All,
    /// Those of these services.
    Of(Vec<ServiceId>),
}

/// Which part of a log to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRange {
    /// Only lines from this moment on.
    pub since: Option<Timestamp>,
    /// Only so many lines of each task, the newest.
    pub tail: u32,
}

impl Read {
    fn get(path: String, what: impl Into<String>) -> Self {
        Self(Request {
            method: Method::Get,
            path,
            query: Vec::new(),
            body: None,
            node: Node::Manager,
            what: what.into(),
        })
    }

    pub(super) fn docker(environment: EnvironmentId, path: &str, what: impl Into<String>) -> Self {
        Self::get(format!("/api/endpoints/{environment}/docker/{path}"), what)
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.query.push((key, value.into()));
        self
    }

    pub(super) fn at(mut self, node: Node) -> Self {
        self.0.node = node;
        self
    }

    /// What a transport needs to send it.
    #[must_use]
    pub fn view(&self) -> RequestView<'_> {
        self.0.view()
    }

    /// The account behind the credential.
    #[must_use]
    pub fn me() -> Self {
        Self::get("/api/users/me".into(), "read the account")
    }

    /// The users; administrators and team leaders only.
    #[must_use]
    pub fn users() -> Self {
        Self::get("/api/users".into(), "list users")
    }

    /// The teams that the account may see.
    #[must_use]
    pub fn teams() -> Self {
        Self::get("/api/teams".into(), "list teams")
    }

    /// The stacks that the account may see.
    #[must_use]
    pub fn stacks() -> Self {
        Self::get("/api/stacks".into(), "list stacks")
    }

    /// The stored compose file of a stack.
    #[must_use]
    pub fn stack_file(stack: StackId) -> Self {
        Self::get(format!("/api/stacks/{stack}/file"), format!("read the file of stack {stack}"))
    }

    /// The Swarm itself: its id tells one cluster from another.
    #[must_use]
    pub fn swarm(environment: EnvironmentId) -> Self {
        Self::docker(environment, "swarm", format!("read the swarm of environment {environment}"))
    }

    /// All nodes.
    #[must_use]
    pub fn nodes(environment: EnvironmentId) -> Self {
        Self::docker(environment, "nodes", "list nodes")
    }

    /// The networks that the account may see: the names of those that services give the ids of.
    #[must_use]
    pub fn networks(environment: EnvironmentId) -> Self {
        Self::docker(environment, "networks", "list networks")
    }

    /// All secrets that the account may see.
    #[must_use]
    pub fn secrets(environment: EnvironmentId) -> Self {
        Self::docker(environment, "secrets", "list secrets")
    }

    /// The secret of exactly this name, as a list of one or none. The Engine's `names` filter is exact, `name` is a prefix.
    #[must_use]
    pub fn secret_named(environment: EnvironmentId, name: &SecretName) -> Self {
        Self::docker(environment, "secrets", format!("look for secret `{name}`"))
            .with("filters", filter("names", &[name.as_str()]))
    }

    /// One secret by id.
    #[must_use]
    pub fn secret(environment: EnvironmentId, id: &SecretId) -> Self {
        Self::docker(environment, &format!("secrets/{id}"), format!("read secret {id}"))
    }

    /// All services that the account may see.
    #[must_use]
    pub fn services(environment: EnvironmentId) -> Self {
        Self::docker(environment, "services", "list services")
    }

    /// One service by id.
    #[must_use]
    pub fn service(environment: EnvironmentId, id: &ServiceId) -> Self {
        Self::docker(environment, &format!("services/{id}"), format!("read service {id}"))
    }

    /// Tasks.
    #[must_use]
    pub fn tasks(environment: EnvironmentId, of: &TaskFilter) -> Self {
        let all = Self::docker(environment, "tasks", "list tasks");
        match of {
            TaskFilter::All => all,
            TaskFilter::Of(services) => {
                let ids: Vec<&str> = services.iter().map(ServiceId::as_str).collect();
                all.with("filters", filter("service", &ids))
            }
        }
    }

    /// A part of a service's log, in the Engine's 8-byte frames, each line with its moment and its task.
    #[must_use]
    pub fn logs(environment: EnvironmentId, service: &ServiceId, range: &LogRange) -> Self {
        let log = Self::docker(
            environment,
            &format!("services/{service}/logs"),
            format!("read the logs of service {service}"),
        )
        .with("stdout", "1")
        .with("stderr", "1")
        .with("timestamps", "1")
        .with("details", "1")
        .with("tail", range.tail.to_string());
        match range.since {
            Some(since) => log.with("since", format!("{}.{:09}", since.as_second(), since.subsec_nanosecond().max(0))),
            None => log,
        }
    }
}

impl Write {
    pub(super) fn new(method: Method, path: String, what: String) -> Self {
        Self(Request { method, path, query: Vec::new(), body: None, node: Node::Manager, what })
    }

    pub(super) fn at(mut self, node: Node) -> Self {
        self.0.node = node;
        self
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.query.push((key, value.into()));
        self
    }

    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        self.0.body = Some(Zeroizing::new(body));
        self
    }

    /// What a transport needs to send it.
    #[must_use]
    pub fn view(&self) -> RequestView<'_> {
        self.0.view()
    }

    /// Creates a secret. This is the one place where a value leaves for Portainer.
    pub(crate) fn create_secret(
        environment: EnvironmentId,
        name: &SecretName,
        labels: &Labels,
        value: &SecretValue,
    ) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body<'a> {
            name: &'a str,
            labels: &'a Labels,
            data: &'a str,
        }
        let data = Zeroizing::new(STANDARD.encode(value.expose()));
        let body = Body { name: name.as_str(), labels, data: &data };
        // Serialized into a buffer of its full size: a buffer that grows would leave copies of the value behind.
        let mut bytes = Vec::with_capacity(
            data.len() + 1024 + labels.iter().map(|(k, v)| 6 * (k.len() + v.len()) + 8).sum::<usize>(),
        );
        write_json(&mut bytes, &body);
        Self::new(
            Method::Post,
            format!("/api/endpoints/{environment}/docker/secrets/create"),
            format!("create secret `{name}`"),
        )
        .body(bytes)
    }

    /// Writes a stack's file and all its variables: what is left out is lost. Portainer redeploys the stack at once.
    pub(crate) fn put_stack(
        environment: EnvironmentId,
        id: StackId,
        name: &str,
        file: &ComposeText,
        variables: &Variables,
        prune: bool,
    ) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            stack_file_content: &'a str,
            env: Vec<Variable<'a>>,
            prune: bool,
            pull_image: bool,
        }
        let body = Body { stack_file_content: file.as_str(), env: all(variables), prune, pull_image: false };
        Self::new(
            Method::Put,
            format!("/api/stacks/{id}"),
            format!("write the file of stack {}", crate::ids::quoted(name)),
        )
        .with("endpointId", environment.to_string())
        .body(sealed(&body, file.len(), variables))
    }

    /// Sets all variables of a git stack: what is left out is lost. Portainer redeploys the stack at once, from the newest
    /// commit of the reference.
    pub(crate) fn redeploy_from_git(
        environment: EnvironmentId,
        id: StackId,
        name: &str,
        reference: &str,
        variables: &Variables,
        prune: bool,
    ) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            env: Vec<Variable<'a>>,
            prune: bool,
            pull_image: bool,
            repository_reference_name: &'a str,
        }
        let body = Body { env: all(variables), prune, pull_image: false, repository_reference_name: reference };
        Self::new(
            Method::Put,
            format!("/api/stacks/{id}/git/redeploy"),
            format!("set the variables of stack {}", crate::ids::quoted(name)),
        )
        .with("endpointId", environment.to_string())
        .body(sealed(&body, reference.len(), variables))
    }

    /// Removes a secret, by id only: by name a scoped account gets a 500.
    pub(crate) fn delete_secret(environment: EnvironmentId, id: &SecretId, name: &SecretName) -> Self {
        Self::new(
            Method::Delete,
            format!("/api/endpoints/{environment}/docker/secrets/{id}"),
            format!("delete secret `{name}`"),
        )
    }

    /// Writes a service's spec over the version that was read. `registryAuthFrom` is left out: the stored credentials stay.
    pub(crate) fn update_service(
        environment: EnvironmentId,
        id: &ServiceId,
        name: &str,
        version: SpecVersion,
        spec: &RawValue,
    ) -> Self {
        Self::new(
            Method::Post,
            format!("/api/endpoints/{environment}/docker/services/{id}/update"),
            format!("update service {}", crate::ids::quoted(name)),
        )
        .with("version", version.to_string())
        .body(spec.get().as_bytes().to_vec())
    }

    /// Replaces the accesses of a resource control.
    pub(crate) fn set_owner(control: ControlId, owner: &Owner) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body<'a> {
            users: &'a [crate::ids::UserId],
            teams: &'a [crate::ids::TeamId],
            public: bool,
            administrators_only: bool,
        }
        let body = Body {
            users: &owner.users,
            teams: &owner.teams,
            public: owner.public,
            administrators_only: owner.administrators_only,
        };
        let mut bytes = Vec::new();
        write_json(&mut bytes, &body);
        Self::new(
            Method::Put,
            format!("/api/resource_controls/{control}"),
            format!("set the owner (resource control {control})"),
        )
        .body(bytes)
    }
}

/// A variable of a stack, as Portainer takes it.
#[derive(Serialize)]
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
}

fn all(variables: &Variables) -> Vec<Variable<'_>> {
    variables.iter().map(|(name, value)| Variable { name, value }).collect()
}

/// A body with the variables of a stack and so many bytes of text beside them. They may hold credentials: as with a
/// secret's value, no copies are left behind.
fn sealed(body: &impl Serialize, beside: usize, variables: &Variables) -> Vec<u8> {
    let size = beside + variables.iter().map(|(n, v)| n.len() + v.len() + 32).sum::<usize>();
    let mut bytes = Vec::with_capacity(6 * size + 1024);
    write_json(&mut bytes, body);
    bytes
}

#[cfg(feature = "testing")]
impl Read {
    pub(crate) fn any(path: &str, query: Vec<(&'static str, String)>, what: &str) -> Self {
        Self(Request {
            method: Method::Get,
            path: path.into(),
            query,
            body: None,
            node: Node::Manager,
            what: what.into(),
        })
    }
}

#[cfg(feature = "testing")]
impl Write {
    pub(crate) fn any(
        method: Method,
        path: &str,
        query: Vec<(&'static str, String)>,
        body: Option<Vec<u8>>,
        what: &str,
    ) -> Self {
        Self(Request {
            method,
            path: path.into(),
            query,
            body: body.map(Zeroizing::new),
            node: Node::Manager,
            what: what.into(),
        })
    }
}

pub(super) fn filter(key: &str, values: &[&str]) -> String {
    let mut map = serde_json::Map::new();
    map.insert(key.to_owned(), values.iter().map(|v| serde_json::Value::from(*v)).collect());
    serde_json::Value::Object(map).to_string()
}

pub(super) fn write_json(into: &mut Vec<u8>, body: &impl Serialize) {
    // Writing strings, numbers and maps with string keys to memory has no way to fail.
    let done = serde_json::to_writer(into, body);
    debug_assert!(done.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENV: EnvironmentId = EnvironmentId(3);

    #[test]
    fn reads_have_the_paths_that_portainer_takes() {
        assert_eq!(format!("{:?}", Read::secrets(ENV)), "GET /api/endpoints/3/docker/secrets");
        let tasks = Read::tasks(ENV, &TaskFilter::Of(vec!["abc".parse().unwrap()]));
        assert_eq!(format!("{tasks:?}"), "GET /api/endpoints/3/docker/tasks?filters={\"service\":[\"abc\"]}");
        let named = Read::secret_named(ENV, &"db".parse().unwrap());
        assert_eq!(format!("{named:?}"), "GET /api/endpoints/3/docker/secrets?filters={\"names\":[\"db\"]}");
    }

    #[test]
    fn a_log_is_asked_for_from_a_moment_on() {
        let range = LogRange { since: Some("2026-11-21T12:00:00.25Z".parse().unwrap()), tail: 50 };
        assert_eq!(
            format!("{:?}", Read::logs(ENV, &"abc".parse().unwrap(), &range)),
            "GET /api/endpoints/3/docker/services/abc/logs?stdout=1&stderr=1&timestamps=1&details=1&tail=50\
             &since=1795262400.250000000"
        );
    }

    #[test]
    fn a_write_shows_no_body() {
        let value = SecretValue::new(b"made-up-value".to_vec()).unwrap();
        let create = Write::create_secret(ENV, &"db_v2".parse().unwrap(), &Labels::new(), &value);
        assert_eq!(format!("{create:?}"), "POST /api/endpoints/3/docker/secrets/create [body not shown]");
        let body = create.view().body.unwrap();
        assert_eq!(body, br#"{"Name":"db_v2","Labels":{},"Data":"bWFkZS11cC12YWx1ZQ=="}"#);
    }

    #[test]
    fn a_git_stack_is_sent_all_its_variables_and_its_reference_and_no_file() {
        let variables: Variables =
            [("A".to_owned(), "b".to_owned()), ("DB".to_owned(), "db_v2".to_owned())].into_iter().collect();
        let redeploy = Write::redeploy_from_git(ENV, StackId(6), "shop", "refs/heads/main", &variables, true);
        assert_eq!(format!("{redeploy:?}"), "PUT /api/stacks/6/git/redeploy?endpointId=3 [body not shown]");
        let body: serde_json::Value = serde_json::from_slice(redeploy.view().body.unwrap()).unwrap();
        let env = [("A", "b"), ("DB", "db_v2")].map(|(name, value)| serde_json::json!({"name": name, "value": value}));
        assert_eq!(body["env"], serde_json::json!(env));
        let rest = [&body["prune"], &body["pullImage"], &body["repositoryReferenceName"]];
        assert_eq!(rest, [&serde_json::json!(true), &serde_json::json!(false), &serde_json::json!("refs/heads/main")]);
    }

    #[test]
    fn an_update_names_its_version_and_sends_the_spec_as_it_is() {
        let spec = RawValue::from_string(r#"{"Name":"a", "X":1.0}"#.into()).unwrap();
        let update = Write::update_service(ENV, &"abc".parse().unwrap(), "a", SpecVersion(7), &spec);
        assert_eq!(
            format!("{update:?}"),
            "POST /api/endpoints/3/docker/services/abc/update?version=7 [body not shown]"
        );
        assert_eq!(update.view().body.unwrap(), spec.get().as_bytes());
    }
}
