//! Whether the way to a host leaves the machine.

use std::net::IpAddr;

/// Whether a host can be reached without crossing a network: a loopback address, `localhost`, or the path of a Unix
/// socket. A setter sends no password unencrypted to any other host, unless it was told to in words.
///
/// ```
/// use swarmsecrets_core::credential::is_near;
///
/// assert!(is_near("127.0.0.1") && is_near("[::1]") && is_near("localhost") && is_near("/run/postgresql"));
/// assert!(!is_near("db") && !is_near("10.0.0.1") && !is_near("localhost.example"));
/// ```
#[must_use]
pub fn is_near(host: &str) -> bool {
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
            assert!(!is_near(far), "{far}");
        }
        for near in ["127.9.9.9", "::1", "::ffff:127.0.0.1", "LOCALHOST"] {
            assert!(is_near(near), "{near}");
        }
    }
}
