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
