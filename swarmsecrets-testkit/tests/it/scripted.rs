//! An Engine that says what the recording says it said: the recorded answer, without what Portainer put into it.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use swarmsecrets_testkit::engine::{Engine, EngineRequest, EngineResponse, StackDeployment};

use crate::ordered::Ordered;
use crate::recording::Exchange;

/// The Engine, and what it answers next.
#[derive(Default)]
pub(crate) struct Scripted {
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    next: Option<(u16, String, Vec<u8>)>,
    deploy: Option<String>,
    calls: Vec<String>,
    /// Every object that the recording shows, by the list it stands in.
    world: Vec<(String, Map<String, Value>)>,
}

const LISTS: [&str; 5] = ["/secrets", "/services", "/configs", "/tasks", "/containers/json"];

impl Scripted {
    /// Learns every object that any answer of the recording shows.
    pub(crate) fn learn(&self, exchange: &Exchange) {
        let Some(path) = exchange.docker_path() else { return };
        let mut script = self.script.lock().unwrap();
        for object in objects(&exchange.response.body) {
            let Some(list) = LISTS.iter().find(|l| path.starts_with(*l) || l.starts_with(&format!("{path}/"))) else {
                continue;
            };
            if id(&object).is_some() && object.contains_key("CreatedAt") && !asks_for_an_owner(&object) {
                script.world.push(((*list).to_owned(), bare(object)));
            }
        }
    }

    /// Sets what is said to the next exchange.
    pub(crate) fn expect(&self, exchange: &Exchange, recorded: &Ordered) {
        let mut script = self.script.lock().unwrap();
        script.next = None;
        script.calls.clear();
        let body = &exchange.response.body;
        let is_stack = exchange.request.path.starts_with("/stacks");
        let text = body.get("message").and_then(Value::as_str).unwrap_or_default();
        script.deploy = (is_stack && exchange.response.status == 500).then(|| text.trim_end().to_owned());
        let Some(path) = exchange.docker_path() else { return };
        let list = LISTS.iter().find(|l| **l == path);
        script.next = Some(match (exchange.response.status, body) {
            (200, Value::Array(shown)) if list.is_some() => {
                let mut all: Vec<Map<String, Value>> =
                    shown.iter().filter_map(Value::as_object).cloned().map(bare).collect();
                let plain = exchange.account() != Some("admin");
                for (of, object) in script.world.iter().filter(|(of, _)| plain && of == path) {
                    if !all.iter().any(|o| id(o) == id(object)) {
                        all.push(object.clone());
                    }
                    debug_assert_eq!(of, path);
                }
                json_answer(200, &all)
            }
            (200, Value::Object(shown)) if path.ends_with("/create") => json_answer(201, &json!({"ID": shown["ID"]})),
            (200, Value::Object(shown)) if shown.contains_key("Portainer") => json_answer(200, &bare(shown.clone())),
            (403, _) => json_answer(200, &script.object_at(path)),
            (500, _) if text.starts_with("Unable to proxy") => json_answer(404, &json!({"message": "not asked"})),
            (status, Value::String(text)) => {
                (status, exchange.content_type().unwrap_or("").to_owned(), text.clone().into_bytes())
            }
            (status, _) => json_answer(status, recorded),
        });
    }

    /// What was asked for the last exchange.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.script.lock().unwrap().calls.clone()
    }
}

impl Script {
    fn object_at(&self, path: &str) -> Value {
        let name = path.rsplit('/').next().unwrap_or_default();
        let named = |o: &Map<String, Value>| {
            id(o).is_some_and(|i| i == name) || o.get("Spec").and_then(|s| s.get("Name")).is_some_and(|n| n == name)
        };
        let found = self.world.iter().rev().find(|(_, o)| named(o)).map(|(_, o)| Value::Object(o.clone()));
        found.unwrap_or_else(|| json!({"ID": name, "Spec": {"Name": name, "Labels": {}}}))
    }

    /// A look-up that Portainer makes on its own, before a restricted call.
    fn look_up(&self, path: &str) -> EngineResponse {
        let name = path.trim_end_matches("/json").rsplit('/').next().unwrap_or_default();
        if name == "update" {
            return whole(json_answer(404, &json!({"message": format!("secret {name} not found")})));
        }
        whole(json_answer(200, &self.object_at(path.trim_end_matches("/json"))))
    }
}

fn objects(body: &Value) -> Vec<Map<String, Value>> {
    match body {
        Value::Array(items) => items.iter().filter_map(Value::as_object).cloned().collect(),
        Value::Object(object) => vec![object.clone()],
        _ => Vec::new(),
    }
}

fn id(object: &Map<String, Value>) -> Option<&str> {
    object.get("ID").or_else(|| object.get("Id")).and_then(Value::as_str)
}

/// Whether the labels ask for an owner: then the first list that shows the object makes its control, so that it must
/// not be shown before its time.
pub(crate) fn asks_for_an_owner(object: &Map<String, Value>) -> bool {
    let labels = object.get("Spec").and_then(|s| s.get("Labels")).and_then(Value::as_object);
    labels.is_some_and(|l| l.keys().any(|k| k.starts_with("io.portainer.accesscontrol.")))
}

fn bare(mut object: Map<String, Value>) -> Map<String, Value> {
    object.remove("Portainer");
    object
}

fn json_answer(status: u16, body: &impl serde::Serialize) -> (u16, String, Vec<u8>) {
    (status, "application/json".into(), serde_json::to_vec(body).unwrap())
}

fn whole((status, content_type, body): (u16, String, Vec<u8>)) -> EngineResponse {
    EngineResponse { status, content_type, body }
}

#[async_trait]
impl Engine for Scripted {
    async fn call(&self, request: EngineRequest) -> EngineResponse {
        let mut script = self.script.lock().unwrap();
        script.calls.push(format!("{} {}", request.method, request.path));
        let refused =
            script.next.as_ref().is_some_and(|(s, _, b)| *s == 404 && b.windows(9).any(|w| w == b"not asked"));
        if refused {
            return script.look_up(&request.path);
        }
        let (status, content_type, body) = script.next.clone().expect("nothing was to be asked of the Engine");
        EngineResponse { status, content_type, body }
    }

    async fn deploy(&self, _stack: StackDeployment) -> Result<(), String> {
        self.script.lock().unwrap().deploy.take().map_or(Ok(()), Err)
    }

    async fn undeploy(&self, _stack: &str) -> Result<(), String> {
        Ok(())
    }

    fn simulated(&self) -> bool {
        true
    }
}
