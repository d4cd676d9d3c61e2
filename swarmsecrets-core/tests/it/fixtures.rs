//! The recordings of a real Portainer before a real Engine.

use std::path::PathBuf;

use serde_json::Value;

/// One request and its answer.
pub(crate) struct Exchange {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    /// The path without its query, with each id and number as `*`.
    pub(crate) fn pattern(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let part = |part: &str| {
            let number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let id = part.len() >= 25 && part.bytes().all(|b| b.is_ascii_alphanumeric());
            if number || id { "*".to_owned() } else { part.to_owned() }
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

impl std::fmt::Display for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {} {} -> {}", self.file, self.name, self.method, self.path, self.status)
    }
}

/// All exchanges of all recordings.
pub(crate) fn all() -> Vec<Exchange> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/portainer");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    files.iter().flat_map(exchanges).collect()
}

fn exchanges(path: &PathBuf) -> Vec<Exchange> {
    let recorded: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let file = path.file_stem().unwrap().to_string_lossy().into_owned();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let exchange = |e: &Value| Exchange {
        file: file.clone(),
        name: text(&e["name"]),
        method: text(&e["request"]["method"]),
        path: text(&e["request"]["path"]),
        status: e["response"]["status"].as_u64().unwrap().try_into().unwrap(),
        body: match &e["response"]["body"] {
            Value::String(text) => text.clone().into_bytes(),
            json => serde_json::to_vec(json).unwrap(),
        },
    };
    recorded.iter().map(exchange).collect()
}
