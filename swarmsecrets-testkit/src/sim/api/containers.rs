//! `/containers/json` and exec, as far as a simulated container goes: `cat` of mounted secrets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refused, body, frame, json_with, ok, raw};
use super::filters::Filters;
use super::tasks;
use crate::engine::EngineRequest;
use crate::sim::command::Called;
use crate::sim::spec;
use crate::sim::task::{State, Task};
use crate::sim::world::World;

/// A command that is to be run in a container.
#[derive(Clone)]
pub(crate) struct Exec {
    container: String,
    command: Vec<String>,
    exit_code: Option<i64>,
}

pub(crate) fn list(world: &World, request: &EngineRequest) -> Answer {
    let filters = Filters::of(request, &["label", "id", "name", "status"])?;
    let list: Vec<Value> = world
        .tasks
        .values()
        .filter(|task| task.state == State::Running)
        .filter(|_| filters.any("status", |status| status == "running"))
        .filter_map(|task| container_json(world, task))
        .filter(|container| filters.labels(&container["Labels"]))
        .filter(|container| filters.any("id", |id| spec::text(&container["Id"]).starts_with(id)))
        .filter(|container| filters.any("name", |name| spec::text(&container["Names"][0]).contains(name)))
        .collect();
    ok(&list)
}

fn container_json(world: &World, task: &Task) -> Option<Value> {
    let container = task.container.as_ref()?;
    let name = tasks::name(world, task);
    let mut labels: BTreeMap<String, Value> = BTreeMap::new();
    if let Some(own) = task.spec["ContainerSpec"]["Labels"].as_object() {
        labels.extend(own.clone());
    }
    let service = world.services.get(&task.service)?;
    for (key, value) in [
        ("com.docker.swarm.node.id", task.node.as_deref().unwrap_or_default()),
        ("com.docker.swarm.service.id", &task.service),
        ("com.docker.swarm.service.name", service.name()),
        ("com.docker.swarm.task", ""),
        ("com.docker.swarm.task.id", &task.id),
        ("com.docker.swarm.task.name", &name),
    ] {
        labels.insert(key.into(), json!(value));
    }
    Some(json!({
        "Id": container.id,
        "Names": [format!("/{name}")],
        "Image": task.spec["ContainerSpec"]["Image"],
        "Created": task.created.as_second(),
        "Labels": labels,
        "State": "running",
        "Status": "Up",
        "Ports": [],
        "Mounts": [],
    }))
}

fn task_of<'a>(world: &'a World, container: &str) -> Result<&'a Task, Refused> {
    let is = |task: &&Task| task.container.as_ref().is_some_and(|one| one.id.starts_with(container));
    world.tasks.values().find(is).ok_or_else(|| Refused::new(404, format!("No such container: {container}")))
}

pub(crate) fn create_exec(world: &mut World, container: &str, request: &EngineRequest) -> Answer {
    #[derive(Deserialize)]
    struct Sent {
        #[serde(rename = "Cmd", default)]
        command: Vec<String>,
    }
    let sent: Sent = body(request)?;
    let task = task_of(world, container)?;
    if task.state != State::Running {
        return Err(Refused::new(409, format!("Container {container} is not running")));
    }
    if sent.command.is_empty() {
        return Err(Refused::new(400, "No exec command specified"));
    }
    let container = task.container.as_ref().map(|one| one.id.clone()).unwrap_or_default();
    let id = world.dice.container_id();
    world.execs.insert(id.clone(), Exec { container, command: sent.command, exit_code: None });
    Ok(json_with(201, &json!({"Id": id})))
}

pub(crate) fn start_exec(world: &mut World, id: &str) -> Answer {
    let Some(exec) = world.execs.get(id).cloned() else { return Err(no_exec(id)) };
    let (output, code) = run(world, &exec);
    if let Some(exec) = world.execs.get_mut(id) {
        exec.exit_code = Some(code);
    }
    raw("application/vnd.docker.raw-stream", output)
}

/// Runs what a test says that there is, and `cat` on mounted secrets. Any other command is not there, as in an image from
/// scratch.
fn run(world: &World, exec: &Exec) -> (Vec<u8>, i64) {
    let Ok(task) = task_of(world, &exec.container) else { return (Vec::new(), 137) };
    let Some((program, arguments)) = exec.command.split_first() else { return (Vec::new(), 126) };
    if let Some(command) = world.commands.get(program) {
        let file = |one: &spec::Reference| Some((path(one.target.as_deref()), world.vault.value(&one.id)?.clone()));
        let files = spec::secrets(&task.spec).iter().filter_map(file).collect();
        return (Vec::new(), command(&Called { arguments: arguments.to_vec(), files }));
    }
    if program != "cat" {
        let why = format!("exec failed: \"{program}\": a simulated container can only `cat` its secrets\r\n");
        return (frame(1, why.as_bytes()), 126);
    }
    let (mut output, mut code) = (Vec::new(), 0);
    for file in arguments {
        let mounted = spec::secrets(&task.spec).into_iter().find(|one| path(one.target.as_deref()) == *file);
        match mounted.and_then(|one| world.vault.value(&one.id)) {
            // Reading a secret inside its container is what the secret is for.
            Some(value) => output.extend(frame(1, value.expose())),
            None => {
                output.extend(frame(2, format!("cat: can't open '{file}': No such file or directory\n").as_bytes()));
                code = 1;
            }
        }
    }
    (output, code)
}

fn path(target: Option<&str>) -> String {
    let target = target.unwrap_or_default();
    if target.starts_with('/') { target.to_owned() } else { format!("/run/secrets/{target}") }
}

pub(crate) fn inspect_exec(world: &World, id: &str) -> Answer {
    let exec = world.execs.get(id).ok_or_else(|| no_exec(id))?;
    ok(&json!({
        "ID": id,
        "Running": false,
        "ExitCode": exec.exit_code,
        "ProcessConfig": {
            "tty": false,
            "entrypoint": exec.command.first(),
            "arguments": exec.command.get(1..),
            "privileged": false,
        },
        "OpenStdin": false,
        "OpenStderr": true,
        "OpenStdout": true,
        "CanRemove": false,
        "ContainerID": exec.container,
        "DetachKeys": "",
    }))
}

fn no_exec(id: &str) -> Refused {
    Refused::new(404, format!("No such exec instance: {id}"))
}
