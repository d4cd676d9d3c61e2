//! The error of this crate: a stable kind, a message that says what was tried and what to do, and the cause.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, in terms that a program can act on. New kinds may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential is missing, wrong or expired (401).
    Unauthorized,
    /// The account may not do this (403, and Portainer's 500 `Mime: no media type`).
    Forbidden,
    /// There is no such object (404).
    NotFound,
    /// Somebody else was there first: a name that is taken, a version that moved, a rotation that runs.
    Conflict,
    /// The object cannot be removed while something uses it.
    InUse,
    /// The input is not acceptable.
    Invalid,
    /// The value or the answer is larger than allowed (413).
    TooLarge,
    /// Too many requests (429).
    RateLimited,
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// No answer in time: what was sent may or may not have been done.
    Timeout,
    /// The answer was not what the protocol says, or the server failed (5xx): what was sent may have been done.
    Protocol,
    /// The world is not as the plan says any more.
    Stale,
    /// The world does not allow the plan: a consumer that is not converged, a driver secret, a job.
    Refused,
    /// The name may mean more than one secret.
    Ambiguous,
    /// A guardrail says no.
    Denied,
    /// A guardrail asks for an approval that is not there.
    NeedsApproval,
    /// The journal could not be read or written.
    Journal,
    /// The audit record could not be written, or an audit trail is not as it was written.
    Audit,
    /// The settings are missing, partial or contradictory.
    Settings,
    /// A file could not be read or written.
    Io,
}

impl ErrorKind {
    /// The stable name, as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::InUse => "in_use",
            Self::Invalid => "invalid",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Stale => "stale",
            Self::Refused => "refused",
            Self::Ambiguous => "ambiguous",
            Self::Denied => "denied",
            Self::NeedsApproval => "needs_approval",
            Self::Journal => "journal",
            Self::Audit => "audit",
            Self::Settings => "settings",
            Self::Io => "io",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with a kind, a message in lower case, and its cause. No message ever carries a secret's value.
pub struct Error {
    kind: ErrorKind,
    message: Box<str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error. The message is a lower-case fragment: what was tried, on what, and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into(), source: None }
    }

    /// The same error with its cause. The cause must not print a secret either.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error, with what was being done put before its message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message).into();
        self
    }

    /// What went wrong, for programs.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether somebody else was there first, or the world moved.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.kind, ErrorKind::Conflict | ErrorKind::Stale)
    }

    /// Whether the same request may succeed later without a change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::RateLimited | ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Protocol)
    }

    /// Whether what was sent may have been done although no good answer came: look before sending again.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, ErrorKind::Timeout | ErrorKind::Protocol)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| &**e as &(dyn std::error::Error + 'static))
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
