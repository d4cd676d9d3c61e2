//! Asking the simulated Engine, and reading the recordings that it is compared with.

use serde_json::{Value, json};
use swarmsecrets_testkit::engine::EngineRequest;
use swarmsecrets_testkit::sim::SimEngine;

/// A request with a JSON body, or none if it is null. The answer's body is null if it is empty, and text if it is no JSON.
pub(crate) fn ask(engine: &SimEngine, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = engine.answer(&EngineRequest { method: method.into(), path: path.into(), query, body });
    let body = match answer.body.as_slice() {
        [] => Value::Null,
        bytes => serde_json::from_slice(bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(bytes))),
    };
    (answer.status, body)
}

/// The body of a `GET` that is answered with 200.
pub(crate) fn get(engine: &SimEngine, path: &str) -> Value {
    let (status, body) = ask(engine, "GET", path, &Value::Null);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Creates something. The answer is its id.
pub(crate) fn create(engine: &SimEngine, what: &str, body: &Value) -> String {
    let (status, answer) = ask(engine, "POST", &format!("/{what}/create"), body);
    assert_eq!(status, 201, "{answer}");
    answer["ID"].as_str().unwrap().to_owned()
}

/// Updates a service to what `edit` makes of its present spec.
pub(crate) fn edit_service(engine: &SimEngine, id: &str, edit: impl FnOnce(&mut Value)) -> (u16, Value) {
    let service = get(engine, &format!("/services/{id}"));
    let mut spec = service["Spec"].clone();
    edit(&mut spec);
    ask(engine, "POST", &format!("/services/{id}/update?version={}", service["Version"]["Index"]), &spec)
}

/// The tasks of a service, oldest first.
pub(crate) fn tasks(engine: &SimEngine, service: &str) -> Vec<Value> {
    let list = get(engine, &format!("/tasks?filters={{\"service\":[\"{service}\"]}}"));
    let mut tasks = list.as_array().unwrap().clone();
    tasks.sort_by_key(|task| task["CreatedAt"].as_str().unwrap().to_owned());
    tasks
}

/// The id of the secret that is mounted first.
pub(crate) fn mounted(spec: &Value) -> String {
    spec["ContainerSpec"]["Secrets"][0]["SecretID"].as_str().unwrap().to_owned()
}

/// The exchanges of a recording.
pub(crate) fn recording(name: &str) -> Vec<Value> {
    let path = format!("{}/../fixtures/portainer/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The exchange of that name, which may stand in a recording more than once.
pub(crate) fn exchange<'a>(recording: &'a [Value], name: &str) -> &'a Value {
    recording.iter().find(|exchange| exchange["name"] == name).unwrap_or_else(|| panic!("no exchange {name}"))
}
