//! The Engine's objects with the control that Portainer knows for them.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::State;
use super::accounts::Caller;
use super::control::{ControlKind, Grant, ResourceControl};
use super::rule::Shape;

/// An object of the Engine, written with sorted keys and, if it has an owner, with `Portainer.ResourceControl`.
pub(super) struct Decorated {
    object: Map<String, Value>,
    control: Option<ResourceControl>,
}

impl Decorated {
    pub(super) fn new(object: Map<String, Value>, control: Option<ResourceControl>) -> Self {
        Self { object, control }
    }
}

impl Serialize for Decorated {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Portainer<'a> {
            #[serde(rename = "ResourceControl")]
            control: &'a ResourceControl,
        }
        const KEY: &str = "Portainer";
        let mut map = out.serialize_map(None)?;
        let mut control = self.control.as_ref();
        for (key, value) in &self.object {
            if key.as_str() > KEY
                && let Some(control) = control.take()
            {
                map.serialize_entry(KEY, &Portainer { control })?;
            }
            map.serialize_entry(key, value)?;
        }
        if let Some(control) = control {
            map.serialize_entry(KEY, &Portainer { control })?;
        }
        map.end()
    }
}

/// The labels of an object.
pub(super) fn labels<'a>(shape: &Shape, object: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
    let (first, rest) = shape.labels.split_first()?;
    let mut value = object.get(*first)?;
    for key in rest {
        value = value.get(key)?;
    }
    value.as_object()
}

impl State {
    /// An object as the caller sees it; `None` if they do not.
    pub(super) fn show(&mut self, shape: &Shape, object: Map<String, Value>, caller: &Caller) -> Option<Decorated> {
        let control = object.get(shape.id).and_then(Value::as_str).and_then(|id| self.find_control(shape, id, &object));
        let seen = caller.admin || control.as_ref().is_some_and(|c| c.lets_in(caller));
        seen.then(|| Decorated::new(object, control))
    }

    /// The control of an object: its own, else what it inherits, else what its labels ask for.
    fn find_control(&mut self, shape: &Shape, id: &str, object: &Map<String, Value>) -> Option<ResourceControl> {
        if let Some(own) = self.control_of(shape.kind, id) {
            return Some(own.clone());
        }
        let labels = labels(shape, object)?;
        if let Some(inherited) = self.inherited(labels) {
            return Some(inherited.clone());
        }
        let grant = self.grant_in_labels(labels)?;
        self.own(shape.kind, id, &grant);
        self.control_of(shape.kind, id).cloned()
    }

    /// The control of the service or the stack that the labels name.
    pub(super) fn inherited(&self, labels: &Map<String, Value>) -> Option<&ResourceControl> {
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        let service = label("com.docker.swarm.service.id").and_then(|id| self.control_of(ControlKind::Service, id));
        let stack = |key: &str| label(key).and_then(|name| self.control_of_stack(name));
        service.or_else(|| stack("com.docker.stack.namespace")).or_else(|| stack("com.docker.compose.project"))
    }

    /// What `io.portainer.accesscontrol.*` labels ask for. They count only on objects that have no control, so not on
    /// what was made through Portainer.
    fn grant_in_labels(&self, labels: &Map<String, Value>) -> Option<Grant> {
        let label = |key: &str| labels.get(&format!("io.portainer.accesscontrol.{key}"));
        if label("public").is_some() {
            return Some(Grant::public());
        }
        let named = |key: &str, find: &dyn Fn(&str) -> Option<u64>| -> Option<Vec<u64>> {
            let names = label(key)?.as_str()?;
            Some(names.split(',').map(str::trim).filter(|n| !n.is_empty()).filter_map(find).collect())
        };
        let teams = named("teams", &|name| self.teams.iter().find(|t| t.name == name).map(|t| t.id));
        let users = named("users", &|name| self.user_named(name));
        if teams.is_none() && users.is_none() {
            return None;
        }
        Some(Grant { teams: teams.unwrap_or_default(), users: users.unwrap_or_default(), ..Grant::default() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::rule::SECRET;
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_control_stands_in_its_place_among_the_keys() {
        let mut state = State::default();
        let admin = state.add_user("admin", true);
        state.own(ControlKind::Secret, "abc", &Grant::team(1));
        let caller = state.caller(admin).unwrap();
        let shown = state.show(&SECRET, object(json!({"Spec": {}, "ID": "abc"})), &caller).unwrap();
        let text = serde_json::to_string(&shown).unwrap();
        assert!(text.starts_with(r#"{"ID":"abc","Portainer":{"ResourceControl":{"Id":1,"ResourceId":"abc""#), "{text}");
        assert!(text.ends_with(r#","Spec":{}}"#), "{text}");
    }

    #[test]
    fn labels_give_an_owner_to_what_came_from_outside() {
        let mut state = State::default();
        let alice = state.add_user("alice", false);
        let bob = state.add_user("bob", false);
        let team = state.add_team("payments");
        state.add_membership(alice, team, false);
        let labelled =
            object(json!({"ID": "x", "Spec": {"Labels": {"io.portainer.accesscontrol.teams": "payments, none"}}}));
        for (user, sees) in [(alice, true), (bob, false)] {
            let caller = state.caller(user).unwrap();
            assert_eq!(state.show(&SECRET, labelled.clone(), &caller).is_some(), sees);
        }
    }
}
