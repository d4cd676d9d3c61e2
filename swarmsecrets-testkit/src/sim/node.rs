//! The nodes of a simulated Swarm, and which of them a service may run on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::spec;

/// A node to be put into a world.
#[derive(Clone, Debug)]
pub struct NodeBuilder {
    pub(crate) hostname: String,
    pub(crate) manager: bool,
    pub(crate) os: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl NodeBuilder {
    /// A Linux worker.
    #[must_use]
    pub fn worker(hostname: &str) -> Self {
        Self { hostname: hostname.into(), manager: false, os: "linux".into(), labels: BTreeMap::new() }
    }

    /// A Linux manager.
    #[must_use]
    pub fn manager(hostname: &str) -> Self {
        Self { manager: true, ..Self::worker(hostname) }
    }

    /// The same node with another operating system, such as `windows`.
    #[must_use]
    pub fn os(mut self, os: &str) -> Self {
        self.os = os.into();
        self
    }

    /// The same node with one more label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }
}

/// A node of a world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) hostname: String,
    pub(crate) manager: bool,
    pub(crate) leader: bool,
    pub(crate) os: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) address: String,
}

impl Node {
    /// Whether every placement constraint of a task's spec holds. A constraint that is not understood does not.
    pub(crate) fn suits(&self, task_spec: &Value) -> bool {
        spec::constraints(task_spec).iter().all(|text| self.meets(text))
    }

    fn meets(&self, constraint: &str) -> bool {
        let (key, value, wanted) = match (constraint.split_once("=="), constraint.split_once("!=")) {
            (Some((key, value)), _) => (key, value, true),
            (None, Some((key, value))) => (key, value, false),
            (None, None) => return false,
        };
        let is = match key.trim() {
            "node.id" => self.id == value.trim(),
            "node.hostname" => self.hostname == value.trim(),
            "node.role" => self.role() == value.trim(),
            "node.platform.os" => self.os == value.trim(),
            key => match key.strip_prefix("node.labels.") {
                Some(label) => self.labels.get(label).map(String::as_str) == Some(value.trim()),
                None => return false,
            },
        };
        is == wanted
    }

    fn role(&self) -> &'static str {
        if self.manager { "manager" } else { "worker" }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut node = json!({
            "ID": self.id,
            "Version": {"Index": self.version},
            "CreatedAt": self.created.to_string(),
            "UpdatedAt": self.created.to_string(),
            "Spec": {"Labels": self.labels, "Role": self.role(), "Availability": "active"},
            "Description": {
                "Hostname": self.hostname,
                "Platform": {"Architecture": "x86_64", "OS": self.os},
                "Resources": {"NanoCPUs": 2_000_000_000_u64, "MemoryBytes": 8_589_934_592_u64},
                "Engine": {"EngineVersion": "20.10.24+dfsg1"},
            },
            "Status": {"State": "ready", "Addr": self.address},
        });
        if self.manager {
            let mut status = json!({"Reachability": "reachable", "Addr": format!("{}:2377", self.address)});
            if self.leader {
                status["Leader"] = json!(true);
            }
            node["ManagerStatus"] = status;
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_judged_and_unknown_ones_fail() {
        let node = Node {
            id: "n1".into(),
            version: 1,
            created: Timestamp::UNIX_EPOCH,
            hostname: "db-1".into(),
            manager: false,
            leader: false,
            os: "linux".into(),
            labels: BTreeMap::from([("disk".into(), "ssd".into())]),
            address: "10.0.0.2".into(),
        };
        let suits = |constraint: &str| node.suits(&json!({"Placement": {"Constraints": [constraint]}}));
        for yes in ["node.role==worker", "node.role != manager", "node.labels.disk==ssd", "node.hostname == db-1"] {
            assert!(suits(yes), "{yes}");
        }
        for no in ["node.role==manager", "node.platform.os==windows", "node.labels.disk!=ssd", "moon==full", "nonsense"]
        {
            assert!(!suits(no), "{no}");
        }
        assert!(node.suits(&json!({})));
    }
}
