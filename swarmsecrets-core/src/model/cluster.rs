//! The Swarm itself, its nodes, and what happens in it.

use serde::Deserialize;

use super::text::{Text, TextMap, or_default};
use super::unreadable::read;
use crate::error::Result;

/// The Swarm.
#[derive(Debug, Deserialize)]
pub struct Swarm<'a> {
    /// Its id, which tells one Swarm from another.
    #[serde(borrow, rename = "ID")]
    pub id: Text<'a>,
    /// What it was told to be.
    #[serde(default, rename = "Spec")]
    pub spec: Option<SwarmSpec<'a>>,
}

/// What a Swarm was told to be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SwarmSpec<'a> {
    /// The labels of the Swarm itself.
    #[serde(borrow, default)]
    pub labels: TextMap<'a>,
}

/// One node.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Node<'a> {
    /// The Engine's id.
    #[serde(borrow, rename = "ID")]
    pub id: Text<'a>,
    /// What it is asked to be.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: NodeSpec<'a>,
    /// What it is.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub description: NodeDescription<'a>,
    /// Whether it is there.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: NodeStatus<'a>,
}

/// What a node is asked to be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeSpec<'a> {
    /// `manager` or `worker`.
    #[serde(borrow, default)]
    pub role: Text<'a>,
    /// `active`, `pause` or `drain`.
    #[serde(borrow, default)]
    pub availability: Text<'a>,
    /// Its labels.
    #[serde(borrow, default)]
    pub labels: TextMap<'a>,
}

/// What a node is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeDescription<'a> {
    /// Its host name.
    #[serde(borrow, default)]
    pub hostname: Text<'a>,
}

/// Whether a node is there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeStatus<'a> {
    /// `ready`, `down`, `disconnected` or `unknown`.
    #[serde(borrow, default)]
    pub state: Text<'a>,
}

/// One event of the Engine's stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event<'a> {
    /// `secret`, `service`, `container`, …
    #[serde(borrow, default)]
    pub r#type: Text<'a>,
    /// `create`, `update`, `remove`, …
    #[serde(borrow, default)]
    pub action: Text<'a>,
    /// What it happened to.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub actor: Actor<'a>,
    /// When, in nanoseconds since 1970.
    #[serde(rename = "timeNano", default)]
    pub time_nano: i64,
}

/// What an event happened to.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Actor<'a> {
    /// The Engine's id.
    #[serde(borrow, rename = "ID", default)]
    pub id: Text<'a>,
    /// Its name, and what changed.
    #[serde(borrow, default)]
    pub attributes: TextMap<'a>,
}

/// Reads whole lines of the event stream.
///
/// # Errors
/// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol), quoting nothing of the stream.
pub fn read_events(lines: &[u8]) -> Result<Vec<Event<'_>>> {
    let lines = lines.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(|line| read("an event", line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_line_by_line() {
        let lines = b"{\"Type\":\"secret\",\"Action\":\"create\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{\"name\":\"k\"}}}\n\n{\"Type\":\"node\"}\r\n";
        let events = read_events(lines).unwrap();
        assert_eq!((&*events[0].action, events[0].actor.attributes.get("name")), ("create", Some("k")));
        assert_eq!(events.len(), 2);
        assert!(read_events(b"{\"Type\":").is_err());
    }
}
