//! What sqlx says, in this project's words. The server's own messages are left out: they may quote a statement.

use std::{fmt, io};

use sqlx::mysql::MySqlDatabaseError;
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
            (ErrorKind::Refused, "wants the password in a way that needs an encrypted connection".into())
        }
        sqlx::Error::Database(_) => at_login(number(error).unwrap_or_default()),
        _ => (ErrorKind::Unreachable, "does not answer as MariaDB and MySQL do".into()),
    };
    Error::new(kind, format!("{place} {why}"))
}

fn not_trusted(why: &dyn fmt::Display) -> String {
    format!("gives no encrypted connection whose certificate can be trusted: {why}")
}

fn at_login(number: u16) -> (ErrorKind, String) {
    match number {
        // Access denied; an account that is locked, in MySQL and in MariaDB.
        1045 | 1698 | 3118 | 4151 => (ErrorKind::Unauthorized, "refuses the login".into()),
        1130 => (ErrorKind::Forbidden, "takes no connection from this machine".into()),
        1129 => (ErrorKind::Forbidden, "has blocked this machine after too many failures".into()),
        1040 | 1203 | 1226 => (ErrorKind::RateLimited, "has too many connections".into()),
        1053 => (ErrorKind::Unreachable, "is stopping".into()),
        other => (ErrorKind::Refused, format!("refuses the connection with error {other}")),
    }
}

/// What a failed login says of the password.
pub(crate) fn login(place: &str, error: &sqlx::Error) -> Login {
    let error = no_connection(place, error);
    if error.kind() == ErrorKind::Unauthorized { Login::Refused } else { Login::Unclear(error) }
}

/// What a failed look means. Nothing was changed.
pub(crate) fn no_look(place: &str, table: &str, error: &sqlx::Error) -> Error {
    match number(error) {
        Some(1142 | 1143 | 1044) => {
            Error::new(ErrorKind::Forbidden, format!("the administrator of {place} needs SELECT on {table}"))
        }
        Some(number) => Error::new(ErrorKind::Refused, format!("{place} does not show {table}: error {number}")),
        None => no_connection(place, error),
    }
}

/// What a failed change means. Where there was no answer, it may have been made.
pub(crate) fn no_change(place: &str, user: &dyn fmt::Display, error: &sqlx::Error) -> Error {
    let (kind, why) = match number(error) {
        Some(1044 | 1045 | 1142 | 1227) => {
            (ErrorKind::Forbidden, "the administrator may not do this: it needs CREATE USER".into())
        }
        Some(1396) => (ErrorKind::NotFound, "there is no such user".into()),
        Some(1290 | 1836) => (ErrorKind::Refused, "the server is read-only: give the primary".into()),
        Some(1819) => (ErrorKind::Invalid, "the server's rules for passwords do not allow this one".into()),
        // The server ends, or ends our connection: this may have crossed with the change.
        Some(number @ (1053 | 1317 | 1927)) => {
            (ErrorKind::Timeout, format!("the server ended the connection (error {number}): it may have been done"))
        }
        Some(number) => (ErrorKind::Refused, format!("the server says error {number}")),
        None => (ErrorKind::Timeout, "the connection broke before the answer: it may have been done".into()),
    };
    Error::new(kind, format!("cannot change user {user} of {place}: {why}"))
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?;
    Some(error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number))
}
