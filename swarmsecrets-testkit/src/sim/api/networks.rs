//! Networks: the default ones of stacks, and the Swarm's own.

use serde_json::{Value, json};

use super::answer::{Answer, ok};
use crate::sim::world::World;

/// `GET /networks`
pub(crate) fn list(world: &World) -> Answer {
    let own = json!({"Id": "ingress0network0of0the0swarm", "Name": "ingress", "Driver": "overlay", "Scope": "swarm", "Labels": {}});
    let stacks = world.networks.iter().map(|(name, id)| {
        let stack = name.strip_suffix("_default").unwrap_or(name);
        json!({
            "Id": id, "Name": name, "Driver": "overlay", "Scope": "swarm",
            "Labels": {"com.docker.stack.namespace": stack},
        })
    });
    ok(&Value::from(std::iter::once(own).chain(stacks).collect::<Vec<_>>()))
}
