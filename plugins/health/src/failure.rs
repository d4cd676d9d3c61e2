//! What went wrong with a connection, in words of our own: a library's may show a part of what came.

use std::error::Error as StdError;
use std::io;

/// The first cause of a failed connection that we have words for: of TLS, or of the network.
#[must_use]
pub fn words(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    std::iter::successors(Some(error), |error| cause(*error)).find_map(known)
}

/// What an error was caused by; for one of input and output that is what it holds, which its `source` leaves out.
fn cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn known(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(match tls {
            rustls::Error::InvalidCertificate(_) => {
                "a certificate that is not trusted, has expired, or is for another host"
            }
            rustls::Error::AlertReceived(_) => "a TLS handshake that the server refused",
            _ => "no TLS",
        });
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some("a refused connection"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            Some("a connection that was reset")
        }
        io::ErrorKind::UnexpectedEof => Some("a connection that was closed at once"),
        io::ErrorKind::TimedOut => Some("no answer in time"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("no way to the host"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_inside_others() {
        let tls = io::Error::other(io::Error::other(rustls::Error::General("made-up-words".into())));
        assert_eq!(words(&tls), Some("no TLS"));
        assert_eq!(words(&io::Error::from(io::ErrorKind::ConnectionRefused)), Some("a refused connection"));
        assert_eq!(words(&io::Error::other("made-up-words")), None);
    }
}
