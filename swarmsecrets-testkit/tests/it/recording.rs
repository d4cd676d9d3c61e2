//! The recordings in `fixtures/portainer`.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use swarmsecrets_testkit::portainer::PortainerRequest;

use crate::ordered::Ordered;

#[derive(Clone, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) user: Option<String>,
    pub(crate) request: Request,
    pub(crate) response: Response,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    params: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) body: Option<Value>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Response {
    pub(crate) status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    pub(crate) body: Value,
}

/// One recording, and the same bodies with the order of their keys.
pub(crate) fn read(name: &str) -> Vec<(Exchange, Ordered)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/portainer").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let exchanges: Vec<Exchange> = serde_json::from_slice(&bytes).unwrap();
    let Some(Ordered::List(ordered)) = Ordered::parse(&bytes) else { panic!("{name} is not a list") };
    let bodies = ordered.into_iter().map(|e| e.at(&["response", "body"]).cloned().unwrap_or(Ordered::Null));
    exchanges.into_iter().zip(bodies).collect()
}

impl Exchange {
    /// The path behind the Docker proxy, if the request goes there.
    pub(crate) fn docker_path(&self) -> Option<&str> {
        self.request.path.strip_prefix("/endpoints/1/docker")
    }

    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.request.method == method && self.request.path == path
    }

    /// A parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&Value> {
        self.request.params.as_ref()?.get(name)
    }

    /// The account's name, without the remarks that the recording makes.
    pub(crate) fn account(&self) -> Option<&str> {
        self.user.as_deref().and_then(|u| u.split_whitespace().next())
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        if self.response.headers.is_empty() {
            return None;
        }
        Some(self.response.headers.get("Content-Type").and_then(Value::as_str).unwrap_or(""))
    }

    pub(crate) fn body_text(&self) -> Option<&str> {
        self.response.body.as_str()
    }

    /// The request as it was sent, without a credential.
    pub(crate) fn to_request(&self) -> PortainerRequest {
        let mut request = PortainerRequest::new(&self.request.method, &format!("/api{}", self.request.path));
        for (key, value) in self.request.params.iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            request = request.param(key, &text);
        }
        match &self.request.body {
            Some(body) if !body.is_null() => request.json(body),
            _ => request,
        }
    }
}
