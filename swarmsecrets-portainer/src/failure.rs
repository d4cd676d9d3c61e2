//! What goes wrong on the way, as core's errors. Nothing of a request's body or headers gets into one.

use std::error::Error as StdError;
use std::time::Duration;

use swarmsecrets_core::{Error, ErrorKind, ids};

/// A failed attempt, and whether a read may be sent again after it.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) again: Again,
}

/// Whether to send again, if it was a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It would fail again.
    Never,
    /// After a pause of our choice.
    Later,
    /// After the pause that the server asks for.
    After(Duration),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl Failure {
    /// It would fail again.
    pub(crate) fn lasting(error: Error) -> Self {
        Self { error, again: Again::Never }
    }

    /// It may go better next time.
    pub(crate) fn passing(error: Error) -> Self {
        Self { error, again: Again::Later }
    }

    /// No answer, or no more of it, within `limit`.
    pub(crate) fn timeout(what: &str, limit: Duration) -> Self {
        let message = format!("cannot {what}: no answer within {limit:?}");
        Self::passing(Error::new(ErrorKind::Timeout, message))
    }

    /// The answer is larger than `limit` bytes.
    pub(crate) fn too_large(what: &str, limit: usize) -> Self {
        let message = format!("cannot {what}: the answer is larger than {limit} bytes");
        Self::lasting(Error::new(ErrorKind::TooLarge, message))
    }

    /// The same, where it is the answer to a mutation: an answer that is too large says nothing of whether that was done.
    pub(crate) fn of_a_change(self) -> Self {
        match self.error.kind() {
            ErrorKind::TooLarge => Self::lasting(Error::new(ErrorKind::Protocol, self.error.message())),
            _ => self,
        }
    }

    /// What the HTTP library reports, at `origin`.
    pub(crate) fn http(what: &str, origin: &str, error: reqwest::Error) -> Self {
        // The URL may tell names of objects in its query; `what` says enough.
        let error = error.without_url();
        if error.is_connect() {
            return Self::unreachable(what, origin, error);
        }
        if error.is_timeout() {
            let message = format!("cannot {what}: no answer from {origin} in time");
            return Self::passing(Error::new(ErrorKind::Timeout, message).with_source(error));
        }
        if error.is_builder() {
            let message = format!("cannot {what}: the request cannot be sent as it is");
            return Self::lasting(Error::new(ErrorKind::Invalid, message).with_source(error));
        }
        let message = format!("cannot {what}: the connection to {origin} broke: {}", root(&error));
        Self::passing(Error::new(ErrorKind::Protocol, message).with_source(error))
    }

    fn unreachable(what: &str, origin: &str, error: reqwest::Error) -> Self {
        let tls = in_chain::<rustls::Error>(&error);
        let hint = match tls {
            Some(rustls::Error::InvalidCertificate(_)) => {
                "its certificate is not trusted: if Portainer uses a private authority or a certificate of its own, give \
                 that as the CA certificate, and use the host name that stands in it"
            }
            Some(_) => "the TLS handshake failed: check that the port speaks https",
            None => "check the URL, the network and that Portainer runs",
        };
        let message = format!("cannot {what}: no connection to {origin}, nothing was sent: {}: {hint}", root(&error));
        let again = if tls.is_some() { Again::Never } else { Again::Later };
        Self { error: Error::new(ErrorKind::Unreachable, message).with_source(error), again }
    }
}

/// The last cause, on one line.
fn root(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = cause(last) {
        last = next;
    }
    ids::one_line(&last.to_string(), 300)
}

/// The cause of an error. An I/O error passes over the error that it wraps, so look inside.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn in_chain<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |e| cause(*e)).find_map(|e| e.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn causes_are_found_inside_io_errors() {
        let inner = rustls::Error::General("made-up\u{1b}[2J".into());
        let outer = io::Error::other(io::Error::other(inner));
        assert!(in_chain::<rustls::Error>(&outer).is_some());
        assert_eq!(root(&outer), "unexpected error: made-up [2J");
        assert!(in_chain::<rustls::Error>(&io::Error::from(io::ErrorKind::TimedOut)).is_none());
    }
}
