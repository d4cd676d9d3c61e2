//! Answers and refusals, in the Engine's form.

use serde::Serialize;
use serde_json::json;

use crate::engine::{EngineRequest, EngineResponse};

/// What a handler gives back.
pub(crate) type Answer = Result<EngineResponse, Refused>;

/// A refusal: a status and the message under `message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// Swarm's own words behind gRPC's, with the status that the Engine makes of the code.
    pub(crate) fn rpc(code: &str, message: impl std::fmt::Display) -> Self {
        let status = match code {
            "InvalidArgument" | "FailedPrecondition" => 400,
            "NotFound" => 404,
            "AlreadyExists" => 409,
            "Unimplemented" => 501,
            _ => 500,
        };
        Self::new(status, format!("rpc error: code = {code} desc = {message}"))
    }

    pub(crate) fn invalid(message: impl std::fmt::Display) -> Self {
        Self::rpc("InvalidArgument", message)
    }

    pub(crate) fn out_of_sequence() -> Self {
        Self::rpc("Unknown", "update out of sequence")
    }

    pub(crate) fn into_response(self) -> EngineResponse {
        json_with(self.status, &json!({"message": self.message}))
    }
}

/// The answer for a path that does not exist.
pub(crate) fn not_found_page() -> Refused {
    Refused::new(404, "page not found")
}

/// 200 with JSON.
pub(crate) fn ok(body: &impl Serialize) -> Answer {
    Ok(json_with(200, body))
}

/// Another status with JSON.
pub(crate) fn json_with(status: u16, body: &impl Serialize) -> EngineResponse {
    // Only maps with keys that are no text cannot be written, and there are none.
    let body = serde_json::to_vec(body).unwrap_or_default();
    EngineResponse { status, content_type: "application/json".into(), body }
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Answer {
    Ok(EngineResponse { status, content_type: String::new(), body: Vec::new() })
}

/// An answer that is no JSON.
pub(crate) fn raw(content_type: &str, body: Vec<u8>) -> Answer {
    Ok(EngineResponse { status: 200, content_type: content_type.into(), body })
}

/// The JSON in a request's body.
pub(crate) fn body<T: serde::de::DeserializeOwned>(request: &EngineRequest) -> Result<T, Refused> {
    // The cause is left out: it could quote the body.
    serde_json::from_slice(&request.body).map_err(|_| Refused::new(400, "invalid JSON in the request's body"))
}

/// A parameter of the query.
pub(crate) fn parameter<'a>(request: &'a EngineRequest, key: &str) -> Option<&'a str> {
    request.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// Whether a parameter is set to something that Go takes for true.
pub(crate) fn flag(request: &EngineRequest, key: &str) -> bool {
    matches!(parameter(request, key), Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// One frame of a multiplexed stream: 1 is standard output, 2 standard error.
pub(crate) fn frame(stream: u8, text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut frame = vec![stream, 0, 0, 0];
    frame.extend(length.to_be_bytes());
    frame.extend(text);
    frame
}
