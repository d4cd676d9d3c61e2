//! What sqlx says, in this project's words. The server's own messages are left out: they may quote a statement.

use std::{fmt, io};

use swarmsecrets_core::credential::Login;
use swarmsecrets_core::{Error, ErrorKind};

/// Why there is no connection to `place`. Nothing was changed.
pub(crate) fn no_connection(place: &str, error: &sqlx::Error) -> Error {
    let (kind, why) = match error {
        // rustls puts a bad certificate into an error of input and output.
        sqlx::Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => (ErrorKind::Refused, not_trusted(e)),
        sqlx::Error::Tls(e) => (ErrorKind::Refused, not_trusted(e)),
        sqlx::Error::Io(e) => (ErrorKind::Unreachable, format!("cannot be reached: {e}")),
        sqlx::Error::Configuration(_) => {
            (ErrorKind::Invalid, "is not asked: the password cannot be sent in the way that it wants".into())
        }
        sqlx::Error::Database(e) => at_login(e.code().as_deref().unwrap_or_default()),
        _ => (ErrorKind::Unreachable, "does not answer as PostgreSQL does".into()),
    };
    Error::new(kind, format!("{place} {why}"))
}

fn not_trusted(why: &dyn fmt::Display) -> String {
    format!("gives no encrypted connection whose certificate can be trusted: {why}")
}

fn at_login(state: &str) -> (ErrorKind, String) {
    match state {
        "28P01" | "28000" => (ErrorKind::Unauthorized, "refuses the login".into()),
        "3D000" => (ErrorKind::NotFound, "has no such database".into()),
        "42501" => (ErrorKind::Forbidden, "takes the password, but not for this database".into()),
        "53300" => (ErrorKind::RateLimited, "has too many connections".into()),
        "57P01" | "57P02" | "57P03" => (ErrorKind::Unreachable, "is starting or stopping".into()),
        other => (ErrorKind::Refused, format!("refuses the connection with SQLSTATE {other}")),
    }
}

/// What a failed login says of the password.
pub(crate) fn login(place: &str, error: &sqlx::Error) -> Login {
    let error = no_connection(place, error);
    if error.kind() == ErrorKind::Unauthorized { Login::Refused } else { Login::Unclear(error) }
}

/// What a failed look means. Nothing was changed.
pub(crate) fn no_look(place: &str, error: &sqlx::Error) -> Error {
    match state(error) {
        Some(state) => {
            Error::new(ErrorKind::Refused, format!("{place} does not say who its roles are: SQLSTATE {state}"))
        }
        None => no_connection(place, error),
    }
}

/// What a failed change means. Where there was no answer, it may have been made.
pub(crate) fn no_change(place: &str, role: &str, error: &sqlx::Error) -> Error {
    let (kind, why) = match state(error).as_deref() {
        Some("42501") => (
            ErrorKind::Forbidden,
            "the administrator may not do this: it needs CREATEROLE and, since PostgreSQL 16, ADMIN OPTION on the role"
                .into(),
        ),
        Some("42704") => (ErrorKind::NotFound, "there is no such role".into()),
        Some("25006") => (ErrorKind::Refused, "the server is read-only: give the primary".into()),
        // The server ends, or ends our connection: this may have crossed with the commit.
        Some(state) if state.starts_with("57P") || state.starts_with("08") => (
            ErrorKind::Timeout,
            format!("the server ended the connection (SQLSTATE {state}): look before it is sent again"),
        ),
        Some(state) => (ErrorKind::Refused, format!("the server says SQLSTATE {state}")),
        None => (ErrorKind::Timeout, "the connection broke before the answer: it may have been done".into()),
    };
    Error::new(kind, format!("cannot change role {role} of {place}: {why}"))
}

fn state(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().map(|e| e.code().unwrap_or_default().into_owned())
}
