//! Exit codes, and the failure that a command ends with.

use serde::Serialize;
use swarmsecrets_core::{Error, ErrorKind};

/// What the command's exit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed, or undone.
    Failed,
    /// The command line, the settings or the input are wrong: nothing was tried.
    Usage,
    /// A guardrail says no.
    Denied,
    /// An approval is awaited.
    Waiting,
    /// Somebody else was there first, or the world moved.
    Conflict,
    /// A person is needed.
    Person,
    /// A second Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::Waiting => 4,
            Self::Conflict => 5,
            Self::Person => 6,
            Self::Interrupted => 130,
        }
    }

    /// For an error.
    fn of(kind: ErrorKind) -> Self {
        match kind {
            // What is invalid came from the command line, or from a file that it names.
            ErrorKind::Settings | ErrorKind::Invalid | ErrorKind::TooLarge => Self::Usage,
            ErrorKind::Denied => Self::Denied,
            ErrorKind::NeedsApproval => Self::Waiting,
            ErrorKind::Conflict | ErrorKind::Stale => Self::Conflict,
            _ => Self::Failed,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the command ends.
    pub(crate) exit: Exit,
    /// The error.
    pub(crate) error: Error,
}

impl Failure {
    /// What the user wrote, or handed in, is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: Error::new(ErrorKind::Invalid, message) }
    }

    /// An error that what the user handed in is to blame for.
    pub(crate) fn input(error: Error) -> Self {
        Self { exit: Exit::Usage, error }
    }

    /// The failure as JSON.
    pub(crate) fn document(&self) -> ErrorDocument {
        ErrorDocument { schema: 1, error: self.body(), exit: self.exit.code() }
    }

    /// What went wrong, as JSON.
    pub(crate) fn body(&self) -> ErrorBody {
        ErrorBody { kind: self.error.kind(), message: self.error.message().to_owned(), causes: causes(&self.error) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { exit: Exit::of(error.kind()), error }
    }
}

/// What `--json` prints for an error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorDocument {
    schema: u32,
    error: ErrorBody,
    exit: u8,
}

/// The error itself.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody {
    kind: ErrorKind,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
}

/// The causes of an error, nearest first, leaving out those that say nothing new.
pub(crate) fn causes(error: &Error) -> Vec<String> {
    let mut out = Vec::new();
    let mut last = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !last.contains(&text) {
            out.push(text.clone());
        }
        last = text;
        next = cause.source();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_codes() {
        for (kind, code) in [
            (ErrorKind::Settings, 2),
            (ErrorKind::Invalid, 2),
            (ErrorKind::Denied, 3),
            (ErrorKind::NeedsApproval, 4),
            (ErrorKind::Conflict, 5),
            (ErrorKind::Stale, 5),
            (ErrorKind::NotFound, 1),
            (ErrorKind::Refused, 1),
            (ErrorKind::Unauthorized, 1),
        ] {
            assert_eq!(Failure::from(Error::new(kind, "x")).exit.code(), code, "{kind}");
        }
        assert_eq!(Failure::usage("x").exit.code(), 2);
    }

    #[test]
    fn causes_are_listed_once() {
        let inner = Error::new(ErrorKind::Io, "disk full");
        let outer = Error::new(ErrorKind::Journal, "cannot append: disk full").with_source(inner);
        assert!(causes(&outer).is_empty());
        let outer = Error::new(ErrorKind::Journal, "cannot append").with_source(Error::new(ErrorKind::Io, "disk full"));
        assert_eq!(causes(&outer), ["disk full"]);
    }
}
