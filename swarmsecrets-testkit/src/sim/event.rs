//! The event stream of the Swarm.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One event, as the Engine tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) kind: String,
    pub(crate) action: String,
    pub(crate) id: String,
    pub(crate) attributes: Map<String, Value>,
}

impl Event {
    pub(crate) fn new(at: Timestamp, kind: &str, action: &str, id: &str, name: &str) -> Self {
        let mut attributes = Map::new();
        attributes.insert("name".into(), json!(name));
        Self { at, kind: kind.into(), action: action.into(), id: id.into(), attributes }
    }

    /// The same event with one more attribute.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "Type": self.kind,
            "Action": self.action,
            "Actor": {"ID": self.id, "Attributes": self.attributes},
            "scope": "swarm",
            "time": self.at.as_second(),
            "timeNano": i64::try_from(self.at.as_nanosecond()).unwrap_or(i64::MAX),
        })
    }
}
