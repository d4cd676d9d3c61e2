//! A request to Portainer and its answer, whichever way they travel.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::encode;
use crate::engine::{EngineResponse, Pieces};

/// A request, as it reaches Portainer.
#[derive(Clone, Default)]
pub struct PortainerRequest {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: String,
    /// The path from the server's root, beginning with `/api/`, percent-decoded.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers that matter here: `X-API-Key`, `Authorization`, `Cookie`, `X-Registry-Auth`.
    pub headers: Vec<(String, String)>,
    /// The body. May hold a secret.
    pub body: Vec<u8>,
}

impl PortainerRequest {
    /// A request without query, headers or body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same request with one more query parameter.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same request with a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self
    }

    pub(super) fn get_header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(super) fn get_param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

impl fmt::Debug for PortainerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} [{} bytes]", self.method, self.path, self.body.len())
    }
}

/// The body of an answer.
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// As it comes: logs, events, an exec's output.
    Pieces(Box<dyn Pieces>),
}

/// An answer.
pub struct PortainerResponse {
    /// The HTTP status.
    pub status: u16,
    /// The media type; empty where Portainer sends none.
    pub content_type: String,
    /// The cookie that the answer sets, if any.
    pub cookie: Option<String>,
    /// The body.
    pub body: Body,
}

impl fmt::Debug for PortainerResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.content_type)
    }
}

impl PortainerResponse {
    /// The body to its end.
    pub async fn bytes(self) -> Vec<u8> {
        match self.body {
            Body::Whole(bytes) => bytes,
            Body::Pieces(mut pieces) => {
                let mut all = Vec::new();
                while let Some(piece) = pieces.next().await {
                    all.extend(piece);
                }
                all
            }
        }
    }

    pub(super) fn whole(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, content_type: content_type.to_owned(), cookie: None, body: Body::Whole(body) }
    }

    pub(super) fn json(body: &impl Serialize) -> Self {
        Self::json_as(200, body)
    }

    pub(super) fn json_as(status: u16, body: &impl Serialize) -> Self {
        Self::whole(status, "application/json", encode::to_vec(body))
    }

    /// Portainer's own refusal: two texts, the second with a capital at its beginning.
    pub(super) fn refused(status: u16, message: &str, details: &str) -> Self {
        Self::whole(status, "application/json", refusal_body(message, Some(details)))
    }

    /// A refusal in the Engine's form, without details.
    pub(super) fn access_denied() -> Self {
        Self::whole(403, "application/json", refusal_body("access denied to resource", None))
    }

    /// What Portainer answers when its own proxy fails, which is also how it refuses a scoped account on some calls.
    pub(super) fn proxy_failed(details: &str) -> Self {
        Self::refused(500, "Unable to proxy the request via the Docker socket", details)
    }

    /// The status alone.
    pub(super) fn empty(status: u16) -> Self {
        Self::whole(status, "", Vec::new())
    }

    /// The answer to a path that Portainer does not have.
    pub(super) fn no_such_page() -> Self {
        Self::whole(404, "text/plain; charset=utf-8", b"404 page not found\n".to_vec())
    }

    /// The Engine's answer, as it came.
    pub(super) fn passed_on(answer: EngineResponse) -> Self {
        Self::whole(answer.status, &answer.content_type, answer.body)
    }
}

fn refusal_body(message: &str, details: Option<&str>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        details: Option<String>,
    }
    encode::to_vec(&Refusal { message, details: details.map(capitalised) })
}

/// The text with a capital at its beginning, as Portainer writes details.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A refusal because the payload is not what it must be.
pub(super) fn bad_payload(why: &str) -> PortainerResponse {
    PortainerResponse::refused(400, "Invalid request payload", why)
}

/// The JSON object of a request's body.
pub(super) fn payload<T: serde::de::DeserializeOwned>(request: &PortainerRequest) -> Result<T, PortainerResponse> {
    // The reader's words may quote what was sent, which may be a secret: only that it failed is said.
    serde_json::from_slice(&request.body).map_err(|_| bad_payload("the body is not the JSON object that was expected"))
}

/// The refusal for an object that Portainer's database does not have.
pub(super) fn not_in_database(what: &str, bucket: &str, key: impl fmt::Display) -> PortainerResponse {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    PortainerResponse::refused(
        404,
        &format!("Unable to find {article} {what} with the specified identifier inside the database"),
        &format!("Object not found inside the database (bucket={bucket}, key={key})"),
    )
}

/// An empty JSON list.
pub(super) fn empty_list() -> PortainerResponse {
    PortainerResponse::json(&json!([]))
}
