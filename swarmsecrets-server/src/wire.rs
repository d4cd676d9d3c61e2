//! The documents that cross the socket.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use swarmsecrets_client::Told;
use swarmsecrets_core::ids::{PlanDigest, RequestDigest};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

/// The shortest token, in bytes: nobody guesses that many random characters.
const SHORTEST_TOKEN: usize = 32;

/// What a caller is known by, of which the server keeps the SHA-256 alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token([u8; 32]);

impl Token {
    /// The token that is in a value.
    ///
    /// # Errors
    /// `Settings` if it is shorter than 32 bytes, or has characters that a header cannot hold.
    pub fn new(token: &SecretValue) -> Result<Self> {
        let text = token.expose();
        if text.len() < SHORTEST_TOKEN {
            let text = "the token is shorter than 32 characters: make one with `openssl rand -hex 32`";
            return Err(Error::new(ErrorKind::Settings, text));
        }
        if !text.iter().all(u8::is_ascii_graphic) {
            let text = "the token has characters that are not printable ASCII: make one with `openssl rand -hex 32`";
            return Err(Error::new(ErrorKind::Settings, text));
        }
        Ok(Self::of(text))
    }

    /// The one that a request has shown.
    pub(crate) fn of(shown: &[u8]) -> Self {
        Self(Sha256::digest(shown).into())
    }
}

/// Who one is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The version of the protocol.
    pub schema: u32,
    /// The agent that the token was given to.
    pub agent: String,
    /// Whether nothing can be changed with it.
    pub read_only: bool,
}

/// Asking people for a plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) plan: PlanDigest,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// Carrying a plan out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ordered {
    pub(crate) plan: PlanDigest,
    #[serde(default)]
    pub(crate) request: Option<RequestDigest>,
    /// Signed decisions in hand, which stand beside those of the approvers.
    #[serde(default)]
    pub(crate) decisions: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// Anything else that is carried out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Why {
    pub(crate) reason: Option<String>,
}

/// A line of something that is carried out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Began(u64),
    Told(Told),
    Done(Box<RawValue>),
    Failed(Fault),
}

/// An error, on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) causes: Vec<String>,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        let first = std::error::Error::source(error);
        let causes = std::iter::successors(first, |cause| cause.source()).map(ToString::to_string).collect();
        Self { kind: error.kind(), message: error.message().to_owned(), causes }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let error = Self::new(fault.kind, fault.message);
        match fault.causes.is_empty() {
            true => error,
            false => error.with_source(fault.causes.join(": ")),
        }
    }
}
