//! What other people do meanwhile: through Portainer, as administrators.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use swarmsecrets_core::error::Result;

use super::scene::SECRETS;
use super::script::Deed;
use crate::SimSwarm;
use crate::portainer::{PortainerRequest, Stack, Variable};

const DOCKER: &str = "/api/endpoints/1/docker";

/// Does it, and says how it went. What is not there any more cannot be changed: then nothing happens.
pub(super) fn act(swarm: &SimSwarm, deed: &Deed) -> String {
    let done = match deed {
        Deed::Edit { service } => edit(swarm, *service, |spec| {
            let list = &mut spec["TaskTemplate"]["ContainerSpec"]["Env"];
            let count = list.as_array().map_or(0, Vec::len);
            push(list, json!(format!("BY_HAND_{count}=yes")));
        }),
        Deed::Scale { service, to } => edit(swarm, *service, |spec| {
            if let Some(replicas) = spec["Mode"]["Replicated"].get_mut("Replicas") {
                *replicas = json!(to);
            }
        }),
        Deed::Force { service } => edit(swarm, *service, |spec| {
            let before = spec["TaskTemplate"]["ForceUpdate"].as_u64().unwrap_or(0);
            spec["TaskTemplate"]["ForceUpdate"] = json!(before + 1);
        }),
        Deed::Point { service, secret } => point(swarm, *service, *secret),
        Deed::RemoveService { service } => match nth(&services(swarm), *service) {
            Some(name) => ask(swarm, "DELETE", &format!("{DOCKER}/services/{name}"), None),
            None => Ok(Value::Null),
        },
        Deed::NewService { secret, newest } => new_service(swarm, *secret, *newest),
        Deed::TakeName { secret } => take_name(swarm, *secret),
        Deed::DeleteSecret { secret } => {
            for (_, id) in versions(swarm, *secret) {
                let _ = ask(swarm, "DELETE", &format!("{DOCKER}/secrets/{id}"), None);
            }
            Ok(Value::Null)
        }
        Deed::Redeploy { stack } => on_stack(swarm, *stack, |stack| deploy(swarm, &stack, &stack.file)),
        Deed::Patch { stack } => on_stack(swarm, *stack, |stack| patch(swarm, &stack)),
        Deed::Stop { stack } => on_stack(swarm, *stack, |stack| switch(swarm, &stack, "stop")),
        Deed::Start { stack } => on_stack(swarm, *stack, |stack| match &stack.git_config {
            // Nothing is to be started: somebody works on its file.
            Some(_) if is_by_variables(&stack) => {
                commit(swarm, &stack, &format!("# about the next line\n{}", stack.file));
                Ok(Value::Null)
            }
            _ => switch(swarm, &stack, "start"),
        }),
    };
    done.map_or_else(|error| error.to_string(), |_| "done".into())
}

fn ask(swarm: &SimSwarm, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let request = PortainerRequest::new(method, path);
    swarm.ask("admin", if let Some(body) = body { request.json(body) } else { request })
}

/// The ids of the services, by name. People have seen them: no request is made for it.
fn services(swarm: &SimSwarm) -> BTreeMap<String, String> {
    let world = swarm.engine().world();
    world.services.values().map(|service| (service.name().to_owned(), service.id.clone())).collect()
}

fn nth(services: &BTreeMap<String, String>, n: usize) -> Option<&String> {
    services.keys().nth(n % services.len().max(1))
}

/// The versions of a logical secret by what their names begin with, oldest first.
fn versions(swarm: &SimSwarm, secret: usize) -> Vec<(String, String)> {
    let stem = SECRETS.get(secret).copied().unwrap_or_default();
    let world = swarm.engine().world();
    let mut all: Vec<_> = world.secrets.values().filter(|one| one.name().starts_with(stem)).collect();
    all.sort_by_key(|one| one.version);
    all.into_iter().map(|one| (one.name().to_owned(), one.id.clone())).collect()
}

fn edit(swarm: &SimSwarm, n: usize, change: impl FnOnce(&mut Value)) -> Result<Value> {
    let Some((version, mut spec)) = ({
        let world = swarm.engine().world();
        let services: BTreeMap<&str, _> = world.services.values().map(|service| (service.name(), service)).collect();
        let service = services.values().nth(n % services.len().max(1));
        service.map(|service| (service.version, service.current.spec.clone()))
    }) else {
        return Ok(Value::Null);
    };
    change(&mut spec);
    let path = format!("{DOCKER}/services/{}/update", spec["Name"].as_str().unwrap_or_default());
    swarm.ask("admin", PortainerRequest::new("POST", &path).param("version", &version.to_string()).json(&spec))
}

/// Stops a service whose tasks fail again and again.
pub(super) fn stop(swarm: &SimSwarm, service: &str) -> Result<Value> {
    let found = swarm.engine().world().services.get(service).map(|service| service.name().to_owned());
    let names = services(swarm);
    let Some(n) = found.and_then(|name| names.keys().position(|other| *other == name)) else { return Ok(Value::Null) };
    let mut global = false;
    let scaled = edit(swarm, n, |spec| match spec["Mode"]["Replicated"].get_mut("Replicas") {
        Some(replicas) => *replicas = json!(0),
        None => global = true,
    });
    if global { ask(swarm, "DELETE", &format!("{DOCKER}/services/{service}"), None) } else { scaled }
}

fn push(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(items) => items.push(item),
        None => *list = json!([item]),
    }
}

/// Points the first reference of a service at a version of a secret.
fn point(swarm: &SimSwarm, service: usize, secret: usize) -> Result<Value> {
    let Some((name, id)) = versions(swarm, secret).into_iter().next() else { return Ok(Value::Null) };
    edit(swarm, service, |spec| {
        let reference = spec["TaskTemplate"]["ContainerSpec"]["Secrets"].get_mut(0);
        if let Some(reference) = reference {
            reference["SecretID"] = json!(id);
            reference["SecretName"] = json!(name);
        }
    })
}

fn new_service(swarm: &SimSwarm, secret: usize, newest: bool) -> Result<Value> {
    let versions = versions(swarm, secret);
    let Some((name, id)) = (if newest { versions.last() } else { versions.first() }) else { return Ok(Value::Null) };
    let file = json!({"Name": "late", "UID": "0", "GID": "0", "Mode": 0o444});
    let spec = json!({
        "Name": format!("late-{}", services(swarm).len()),
        "TaskTemplate": {"ContainerSpec": {
            "Image": "local/app:1", "Secrets": [{"SecretID": id, "SecretName": name, "File": file}],
        }},
        "Mode": {"Replicated": {"Replicas": 1}},
    });
    ask(swarm, "POST", &format!("{DOCKER}/services/create"), Some(&spec))
}

fn take_name(swarm: &SimSwarm, secret: usize) -> Result<Value> {
    let stem = SECRETS.get(secret).copied().unwrap_or_default();
    let name = format!("{stem}_v{}", versions(swarm, secret).len() + 1);
    let body = json!({"Name": name, "Labels": {}, "Data": "bWFkZS11cC1ieS1hLXBlcnNvbg=="});
    ask(swarm, "POST", &format!("{DOCKER}/secrets/create"), Some(&body))
}

fn on_stack(swarm: &SimSwarm, n: usize, act: impl FnOnce(Stack) -> Result<Value>) -> Result<Value> {
    let stack = swarm.portainer().state().stacks().get(n).cloned();
    stack.map_or(Ok(Value::Null), act)
}

fn switch(swarm: &SimSwarm, stack: &Stack, what: &str) -> Result<Value> {
    let path = format!("/api/stacks/{}/{what}", stack.id);
    swarm.ask("admin", PortainerRequest::new("POST", &path).param("endpointId", "1"))
}

fn deploy(swarm: &SimSwarm, stack: &Stack, file: &str) -> Result<Value> {
    let env: Vec<Value> = stack.env.iter().flatten().map(|v| json!({"name": v.name, "value": v.value})).collect();
    let (path, body) = match &stack.git_config {
        Some(_) => (format!("/api/stacks/{}/git/redeploy", stack.id), json!({"env": env, "prune": false})),
        None => (
            format!("/api/stacks/{}", stack.id),
            json!({"stackFileContent": file, "env": env, "prune": false, "pullImage": false}),
        ),
    };
    swarm.ask("admin", PortainerRequest::new("PUT", &path).param("endpointId", "1").json(&body))
}

/// Whether variables name the secrets of a stack.
fn is_by_variables(stack: &Stack) -> bool {
    stack.file.contains("${KEY")
}

/// What the stack deploys, with its variables filled in.
pub(super) fn filled(stack: &Stack) -> String {
    let fill = |file: String, v: &Variable| file.replace(&format!("${{{}}}", v.name), &v.value);
    stack.env.iter().flatten().fold(stack.file.clone(), fill)
}

fn commit(swarm: &SimSwarm, stack: &Stack, file: &str) {
    let Some(git) = &stack.git_config else { return };
    swarm.portainer().state().push(&git.url, &git.reference_name, &git.config_file_path, file);
}

/// Names the newest version of each secret in the stack's variables, or in its file, in its repository if it has one, and
/// deploys it.
pub(super) fn patch(swarm: &SimSwarm, stack: &Stack) -> Result<Value> {
    if is_by_variables(stack) {
        let mut stack = stack.clone();
        for variable in stack.env.iter_mut().flatten() {
            let n = SECRETS.iter().position(|stem| variable.value.starts_with(stem));
            let newest = n.and_then(|n| versions(swarm, n).pop());
            variable.value = newest.map_or_else(|| variable.value.clone(), |(name, _)| name);
        }
        return deploy(swarm, &stack, &stack.file);
    }
    let mut file = stack.file.clone();
    for (n, stem) in SECRETS.iter().enumerate() {
        let Some((newest, _)) = versions(swarm, n).pop() else { continue };
        let lines = file.lines().map(|line| match line.trim().strip_prefix("name: ") {
            Some(name) if name.starts_with(stem) => format!("    name: {newest} # which one\n"),
            _ => format!("{line}\n"),
        });
        file = lines.collect();
    }
    commit(swarm, stack, &file);
    deploy(swarm, stack, &file)
}
