//! `/version`, `/_ping`, `/info`, `/swarm`, `/nodes` and `/networks`.

use serde_json::{Value, json};

use super::answer::{Answer, Refused, body, empty, ok, parameter, raw};
use crate::engine::EngineRequest;
use crate::sim::node::Node;
use crate::sim::swarm_spec::SwarmSpec;
use crate::sim::world::World;

pub(crate) fn version() -> Answer {
    ok(&json!({
        "Platform": {"Name": ""},
        "Components": [{
            "Name": "Engine",
            "Version": "20.10.24+sim",
            "Details": {"ApiVersion": "1.41", "Arch": "amd64", "MinAPIVersion": "1.12", "Os": "linux"},
        }],
        "Version": "20.10.24+sim",
        "ApiVersion": "1.41",
        "MinAPIVersion": "1.12",
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": "",
        "BuildTime": "",
    }))
}

pub(crate) fn ping() -> Answer {
    raw("text/plain; charset=utf-8", b"OK".to_vec())
}

pub(crate) fn info(world: &World) -> Answer {
    let manager = world.nodes.values().find(|node| node.leader);
    ok(&json!({
        "ID": world.cluster,
        "Name": manager.map(|node| &node.hostname),
        "ServerVersion": "20.10.24+sim",
        "OSType": "linux",
        "Swarm": {
            "NodeID": manager.map(|node| &node.id),
            "NodeAddr": manager.map(|node| &node.address),
            "LocalNodeState": "active",
            "ControlAvailable": true,
            "Error": "",
            "Nodes": world.nodes.len(),
            "Managers": world.nodes.values().filter(|node| node.manager).count(),
            "Cluster": {"ID": world.cluster},
        },
    }))
}

/// The default networks of the stacks: there are no others.
pub(crate) fn networks(world: &World) -> Answer {
    let network = |(name, id): (&String, &String)| {
        let stack = name.strip_suffix("_default").unwrap_or(name);
        json!({
            "Name": name,
            "Id": id,
            "Scope": "swarm",
            "Driver": "overlay",
            "Labels": {"com.docker.stack.namespace": stack},
        })
    };
    ok(&world.networks.iter().map(network).collect::<Value>())
}

pub(crate) fn swarm(world: &World) -> Answer {
    ok(&json!({
        "ID": world.cluster,
        "Version": {"Index": world.swarm.index},
        "CreatedAt": world.base.to_string(),
        "UpdatedAt": world.base.to_string(),
        "Spec": world.swarm.spec,
        "RootRotationInProgress": false,
        "DataPathPort": 4789,
        "DefaultAddrPool": ["10.0.0.0/8"],
        "SubnetSize": 24,
    }))
}

/// The whole spec is replaced: what is left out is reset. It keeps its name.
pub(crate) fn update_swarm(world: &mut World, request: &EngineRequest) -> Answer {
    let mut spec: Value = body(request)?;
    let version: u64 = parameter(request, "version")
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Refused::new(400, "invalid swarm version"))?;
    if version != world.swarm.index {
        return Err(Refused::out_of_sequence());
    }
    if let Some(spec) = spec.as_object_mut() {
        spec.entry("Name").or_insert_with(|| "default".into());
        spec.entry("Labels").or_insert_with(|| json!({}));
    }
    world.swarm = SwarmSpec { index: world.next_version(), spec };
    empty(200)
}

pub(crate) fn nodes(world: &World) -> Answer {
    ok(&world.nodes.values().map(Node::to_json).collect::<Vec<Value>>())
}

pub(crate) fn node(world: &World, id: &str) -> Answer {
    let found = world.nodes.values().find(|node| node.id == id || node.hostname == id);
    match found {
        Some(node) => ok(&node.to_json()),
        None => Err(Refused::new(404, format!("node {id} not found"))),
    }
}
