//! What sqlx says of them, in this project's words. They hold no value, so the server's codes can be shown.

use std::io;

use swarmsecrets_core::{Error, ErrorKind};

use super::Purpose;
use crate::failure::no_connection;

/// What became of a statement.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The server said no: it was not done.
    Refused(Error),
    /// There was no answer, for this reason: it may have been done.
    Lost(Error),
}

impl Failed {
    /// A statement that failed at this place.
    pub(super) fn of(purpose: Purpose, place: &str, doing: &str, error: &sqlx::Error) -> Self {
        let Some(answer) = error.as_database_error() else {
            let why = match error {
                sqlx::Error::Io(e) if e.kind() == io::ErrorKind::TimedOut => "it does not answer in time".to_owned(),
                sqlx::Error::Io(e) => format!("the connection broke: {e}"),
                _ => "the connection broke".to_owned(),
            };
            return Self::Lost(purpose.error(format!("cannot {doing} in {place}: {why}")));
        };
        let state = answer.code().unwrap_or_default().into_owned();
        let text = |why: &str| purpose.error(format!("cannot {doing} in {place}: {why}"));
        match state.as_str() {
            // The server ends, or ends our connection: this may have crossed with the commit.
            s if s.starts_with("57P") || s.starts_with("08") => {
                Self::Lost(text(&format!("the server ended the connection (SQLSTATE {state})")))
            }
            "25006" => Self::Refused(text("the server is read-only: give the primary")),
            "42501" => Self::Refused(text(&format!(
                "the role has not the right to: the {}'s page in the documentation lists the rights that it needs",
                purpose.what
            ))),
            _ => Self::Refused(text(&format!("the server says SQLSTATE {state}"))),
        }
    }

    /// Why there was no connection: nothing was asked.
    pub(super) fn to_connect(purpose: Purpose, place: &str, error: &sqlx::Error) -> Self {
        let why = no_connection(place, error);
        let text = format!("cannot open the {}: {}", purpose.what, why.message());
        match why.kind() {
            ErrorKind::Unreachable => Self::Lost(purpose.error(text)),
            _ => Self::Refused(purpose.error(text)),
        }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(error) | Failed::Lost(error) => error,
        }
    }
}
