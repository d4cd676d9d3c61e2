//! `/tasks`.

use serde_json::Value;

use super::answer::{Answer, Refused, ok};
use super::filters::Filters;
use super::services;
use crate::engine::EngineRequest;
use crate::sim::node::Node;
use crate::sim::task::{Slot, State, Task};
use crate::sim::world::World;

pub(crate) fn list(world: &World, request: &EngineRequest) -> Answer {
    let filters = Filters::of(request, &["id", "name", "service", "node", "label", "desired-state"])?;
    let services: Vec<String> = filters
        .get("service")
        .iter()
        .map(|wanted| services::find(world, wanted).map(|service| service.id.clone()))
        .collect::<Result<_, _>>()?;
    let states: Vec<State> = filters.get("desired-state").iter().map(|text| desired(text)).collect::<Result<_, _>>()?;
    let on_node = |task: &Task, wanted: &str| {
        let is = |node: &Node| node.id == wanted || node.hostname == wanted;
        task.node.as_ref().and_then(|id| world.nodes.get(id)).is_some_and(is)
    };
    let list: Vec<Value> = world
        .tasks
        .values()
        .filter(|task| filters.any("id", |id| task.id.starts_with(id)))
        .filter(|task| filters.any("name", |name| self::name(world, task).starts_with(name)))
        .filter(|task| services.is_empty() || services.contains(&task.service))
        .filter(|task| filters.any("node", |node| on_node(task, node)))
        .filter(|task| states.is_empty() || states.contains(&task.desired))
        .filter(|_| filters.get("label").is_empty())
        .map(Task::to_json)
        .collect();
    ok(&list)
}

fn desired(text: &str) -> Result<State, Refused> {
    match text {
        "running" => Ok(State::Running),
        "shutdown" => Ok(State::Shutdown),
        "accepted" => Ok(State::Accepted),
        _ => Err(Refused::new(400, format!("Invalid desired-state filter: '{text}'"))),
    }
}

/// The name of a task, which is also its container's.
pub(crate) fn name(world: &World, task: &Task) -> String {
    let service = world.services.get(&task.service).map_or("", |service| service.name());
    match &task.slot {
        Slot::Number(number) => format!("{service}.{number}.{}", task.id),
        Slot::Node(node) => format!("{service}.{node}.{}", task.id),
    }
}

pub(crate) fn inspect(world: &World, id: &str) -> Answer {
    match world.tasks.get(id) {
        Some(task) => ok(&task.to_json()),
        None => Err(Refused::new(404, format!("task {id} not found"))),
    }
}
