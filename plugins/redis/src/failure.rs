//! What a server answers, in this project's words. Its own messages are left out: they may quote a command.

use std::io;

use redis::{RedisError, ServerErrorKind};
use swarmsecrets_core::{Error, ErrorKind};

/// Why there is no connection to `place`. Nothing was changed.
pub(crate) fn no_connection(place: &str, error: &io::Error) -> Error {
    let (kind, why) = match error.kind() {
        // rustls puts a bad certificate into an error of input and output.
        io::ErrorKind::InvalidData => {
            (ErrorKind::Refused, format!("gives no encrypted connection whose certificate can be trusted: {error}"))
        }
        _ => (ErrorKind::Unreachable, format!("cannot be reached: {error}")),
    };
    Error::new(kind, format!("{place} {why}"))
}

/// What a failed login or look means. Nothing was changed.
pub(crate) fn no_answer(place: &str, error: &RedisError) -> Error {
    let (kind, why) = match error.kind() {
        redis::ErrorKind::Server(ServerErrorKind::BusyLoading) => {
            (ErrorKind::Unreachable, "is still starting".to_owned())
        }
        redis::ErrorKind::Server(ServerErrorKind::NoPerm) => (
            ErrorKind::Forbidden,
            "does not let its administrator do this: see what the setter's documentation asks for".into(),
        ),
        _ if error.code() == Some("WRONGPASS") => (ErrorKind::Unauthorized, "refuses the login".into()),
        _ if is_full(error) => (ErrorKind::RateLimited, "has too many connections".into()),
        _ => match error.code() {
            Some(code) => (ErrorKind::Refused, format!("refuses with {code}")),
            None => (ErrorKind::Unreachable, "broke the connection, or does not answer as Redis does".into()),
        },
    };
    Error::new(kind, format!("{place} {why}"))
}

/// What a failed change means. Where there was no answer, it may have been made.
pub(crate) fn no_change(place: &str, error: &RedisError) -> Error {
    match error.code() {
        Some(_) => no_answer(place, error),
        None => Error::new(
            ErrorKind::Timeout,
            format!("the connection to {place} broke before the answer: it may have been done"),
        ),
    }
}

/// The one answer that a server gives without a code of its own.
fn is_full(error: &RedisError) -> bool {
    error.code() == Some("ERR") && error.detail().is_some_and(|text| text.contains("max number of clients"))
}
