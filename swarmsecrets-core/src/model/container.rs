//! Containers, as listed, and commands in them.

use serde::Deserialize;

use super::text::{Text, TextMap, or_default};

/// One container.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container<'a> {
    /// The Engine's id.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// What it does: `running`, `exited`, …
    #[serde(borrow, default)]
    pub state: Text<'a>,
    /// Its labels; Swarm's name its node, its service and its task.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub labels: TextMap<'a>,
    #[serde(borrow, default)]
    portainer: Decoration<'a>,
}

/// What Portainer adds to a container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decoration<'a> {
    #[serde(borrow, default)]
    agent: Option<Agent<'a>>,
}

/// The agent that answered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Agent<'a> {
    #[serde(borrow)]
    node_name: Text<'a>,
}

impl Container<'_> {
    /// The node that it is on, where agents on several have answered as one. Source: Portainer's issue 2016.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.portainer.agent.as_ref().map(|agent| agent.node_name.as_str())
    }
}

/// The answer to a command that was prepared.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecCreated<'a> {
    /// The Engine's id.
    #[serde(borrow)]
    pub id: Text<'a>,
}

/// How a command goes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecState {
    /// Whether it runs.
    pub running: bool,
    exit_code: Option<i64>,
}

impl ExecState {
    /// What it exited with, once it has: before it is started there is none.
    #[must_use]
    pub fn ended(&self) -> Option<i64> {
        self.exit_code.filter(|_| !self.running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::read_list;

    #[test]
    fn a_container_says_its_node_where_several_agents_answer() {
        let list = br#"[{"Id":"a","State":"running","Portainer":{"Agent":{"NodeName":"worker-2"},"ResourceControl":{"Id":1}}},
                        {"Id":"b","State":"running","Portainer":{"ResourceControl":{"Id":1}}},{"Id":"c","State":"running"}]"#;
        let containers: Vec<Container<'_>> = read_list("the list of containers", list).unwrap();
        assert_eq!(containers.iter().map(Container::node).collect::<Vec<_>>(), [Some("worker-2"), None, None]);
    }
}
