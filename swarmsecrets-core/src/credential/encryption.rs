//! Whether the way to a system is encrypted.

use std::net::IpAddr;

/// When a setter encrypts its connections (TLS, with the certificate checked).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// To every host that is reached over a network; not to a loopback address, to `localhost`, or on a Unix socket. A system
    /// that cannot encrypt is refused there.
    #[default]
    OverTheNetwork,
    /// Always.
    Always,
    /// Never: who can read the network's traffic can read what is sent, and can pass for the system.
    NeverEvenOverTheNetwork,
}

impl Encryption {
    /// Whether the connection to this host (a name, an address, or the path of a Unix socket) is to be encrypted.
    ///
    /// ```
    /// use swarmsecrets_core::credential::Encryption;
    ///
    /// assert!(Encryption::default().wanted_to("db"));
    /// assert!(!Encryption::default().wanted_to("127.0.0.1"));
    /// ```
    #[must_use]
    pub fn wanted_to(self, host: &str) -> bool {
        match self {
            Self::OverTheNetwork => !is_near(host),
            Self::Always => true,
            Self::NeverEvenOverTheNetwork => false,
        }
    }
}

/// Whether a host is reached without crossing a network.
fn is_near(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let loopback = match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    };
    loopback || host.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_near_are_not() {
        for far in ["", "0.0.0.0", "::", "127.0.0.1.example", "localhost.", "128.0.0.1", "127.1", "[db]", "@local"] {
            assert!(Encryption::default().wanted_to(far), "{far}");
        }
        for near in ["127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "LOCALHOST", "/run/postgresql"] {
            assert!(!Encryption::default().wanted_to(near), "{near}");
            assert!(Encryption::Always.wanted_to(near));
        }
        assert!(!Encryption::NeverEvenOverTheNetwork.wanted_to("db"));
    }
}
