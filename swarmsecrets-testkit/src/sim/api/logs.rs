//! `/services/{id}/logs` and `/tasks/{id}/logs`.

use jiff::Timestamp;

use super::answer::{Answer, Refused, flag, frame, parameter, raw};
use super::events::moment;
use super::services;
use crate::engine::EngineRequest;
use crate::sim::task::{LogLine, Task};
use crate::sim::world::World;

pub(crate) fn of_service(world: &World, id: &str, request: &EngineRequest) -> Answer {
    let service = services::find(world, id)?;
    let mut tasks: Vec<&Task> = world.tasks.values().filter(|task| task.service == service.id).collect();
    tasks.sort_by_key(|task| task.created);
    written(&tasks, request)
}

pub(crate) fn of_task(world: &World, id: &str, request: &EngineRequest) -> Answer {
    match world.tasks.get(id) {
        Some(task) => written(&[task], request),
        None => Err(Refused::new(404, format!("task {id} not found"))),
    }
}

fn written(tasks: &[&Task], request: &EngineRequest) -> Answer {
    if !flag(request, "stdout") && !flag(request, "stderr") {
        return Err(Refused::new(400, "Bad parameters: you must choose at least one stream"));
    }
    let since = moment(request, "since")?.unwrap_or(Timestamp::MIN);
    let tail = parameter(request, "tail").and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    // What the programs of a simulation write goes to standard output.
    for task in tasks.iter().filter(|_| flag(request, "stdout")) {
        let lines: Vec<&LogLine> = task.log.iter().filter(|line| line.at >= since).collect();
        // The tail counts for each task, as on the real Engine.
        for line in &lines[lines.len().saturating_sub(tail)..] {
            let text = decorated(task, line, request);
            if task.spec["ContainerSpec"]["TTY"] == true {
                body.extend(text.as_bytes());
            } else {
                body.extend(frame(1, text.as_bytes()));
            }
        }
    }
    raw("application/octet-stream", body)
}

fn decorated(task: &Task, line: &LogLine, request: &EngineRequest) -> String {
    let mut text = String::new();
    if flag(request, "timestamps") {
        text.push_str(&format!("{:.9} ", line.at));
    }
    if flag(request, "details") {
        let node = task.node.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "com.docker.swarm.node.id={node},com.docker.swarm.service.id={},com.docker.swarm.task.id={} ",
            task.service, task.id
        ));
    }
    text.push_str(&line.text);
    text.push('\n');
    text
}
