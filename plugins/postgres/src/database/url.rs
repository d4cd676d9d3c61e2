//! The URL that says where such a database is.

use std::str::FromStr as _;

use percent_encoding::percent_decode_str;
use swarmsecrets_core::credential::Encryption;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use url::Url;

use crate::server::Server;

/// What a URL says.
pub(super) struct Place {
    pub(super) server: Server,
    pub(super) role: String,
    pub(super) password: SecretValue,
}

/// Reads it. The URL holds a password: no error shows any of it but the names of its parameters.
///
/// # Errors
/// [`ErrorKind::Settings`], saying what is missing or cannot be.
pub(super) fn read(what: &str, text: &SecretValue) -> Result<Place> {
    understand(text).map_err(|why| {
        let text = format!("the URL of the {what}'s database cannot be used: {}", why.message());
        Error::new(ErrorKind::Settings, text)
    })
}

fn understand(text: &SecretValue) -> Result<Place> {
    let text = std::str::from_utf8(text.expose()).map_err(|_| bad("it is not UTF-8 text"))?.trim();
    // Left as it is, it would end the URL, and the password would be read as a port.
    if text.contains('#') {
        return Err(bad("it holds a #: in a password write it as %23"));
    }
    // So do / and ?, and with an @ before them the rest of the password would be read, and shown, as a host or a database.
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    if after_scheme.split_once(['/', '?']).is_some_and(|(_, rest)| rest.contains('@')) {
        return Err(bad("it holds an @ after its host: in a password write / as %2F, ? as %3F and @ as %40"));
    }
    let url =
        Url::from_str(text).map_err(|why| bad(&format!("{why}: write postgres://user:password@host:5432/database")))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(bad("it does not begin with postgres://"));
    }
    let database = decoded(url.path().trim_start_matches('/'), "database")?;
    let mut server = Server {
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port().unwrap_or(5432),
        database,
        encryption: Encryption::default(),
        authority: None,
    };
    for (key, value) in url.query_pairs() {
        match &*key {
            "host" if value.starts_with('/') => server.host = value.into_owned(),
            "sslmode" => server.encryption = encryption(&value)?,
            "sslrootcert" => server.authority = Some(authority(&value)?),
            "host" => return Err(bad("its `host` is no folder of a Unix socket: write the host before the database")),
            _ => return Err(bad(&format!("its parameter {} is not known", quoted(&key)))),
        }
    }
    if server.host.is_empty() {
        return Err(bad("it names no host"));
    }
    if server.database.is_empty() {
        return Err(bad("it names no database"));
    }
    if url.username().is_empty() {
        return Err(bad("it names no user"));
    }
    let password = percent_decode_str(url.password().unwrap_or_default()).collect();
    let place = Place { server, role: decoded(url.username(), "user")?, password: SecretValue::credential(password) };
    match std::str::from_utf8(place.password.expose()) {
        Ok(_) => Ok(place),
        Err(_) => Err(bad("its password is not UTF-8 text")),
    }
}

fn encryption(mode: &str) -> Result<Encryption> {
    match mode {
        "verify-full" => Ok(Encryption::Always),
        "disable" => Ok(Encryption::NeverEvenOverTheNetwork),
        "allow" | "prefer" | "require" | "verify-ca" => Err(bad(
            "its `sslmode` does not check whose certificate it is: write verify-full, or leave it out, which is the same \
             over a network",
        )),
        other => Err(bad(&format!("its `sslmode` {} is not known: verify-full or disable", quoted(other)))),
    }
}

fn authority(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| bad(&format!("its `sslrootcert` {} cannot be read: {e}", quoted(path))))
}

fn decoded(text: &str, what: &str) -> Result<String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(bad(&format!("its {what} is not UTF-8 text"))),
    }
}

fn bad(why: &str) -> Error {
    Error::new(ErrorKind::Settings, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Result<Place> {
        read("journal", &SecretValue::credential(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_url_says_where_and_who() {
        let place = place("postgres://rota%40tor:made%23up%2f@db.example.org:6543/jour%20nal\n").unwrap();
        let Place { server, role, password } = place;
        assert_eq!((server.host.as_str(), server.port, server.database.as_str()), ("db.example.org", 6543, "jour nal"));
        assert_eq!((server.encryption, role.as_str()), (Encryption::OverTheNetwork, "rota@tor"));
        assert!(password.expose() == b"made#up/");
    }

    #[test]
    fn a_socket_and_encryption_are_parameters() {
        let near = place("postgresql://rotator@/journal?host=/run/postgresql").map(|p| p.server.host);
        // A user needs a host before the path: the URL standard says so, and libpq does not.
        assert!(near.is_err());
        let near = place("postgresql://rotator@localhost/journal?host=/run/postgresql").unwrap();
        assert_eq!(near.server.host, "/run/postgresql");
        for (mode, wanted) in [("verify-full", Encryption::Always), ("disable", Encryption::NeverEvenOverTheNetwork)] {
            let found = place(&format!("postgres://rotator@db/journal?sslmode={mode}")).unwrap();
            assert_eq!(found.server.encryption, wanted);
        }
    }

    #[test]
    fn what_cannot_be_is_said_without_the_password() {
        for (url, part) in [
            ("", "write postgres://"),
            ("mysql://rotator:made-up@db/journal", "does not begin with postgres://"),
            ("postgres://rotator:made-up@db", "no database"),
            ("postgres://:made-up@db/journal", "no user"),
            ("postgres:///journal", "no host"),
            ("postgres://rotator:made-up#x@db/journal", "%23"),
            ("postgres://rotator:made-up@db/journal?sslmode=require", "verify-full"),
            ("postgres://rotator:made-up@db/journal?sslmode=never", "`never` is not known"),
            ("postgres://rotator:made-up@db/journal?pasword=made-up", "`pasword` is not known"),
            ("postgres://rotator:made-up@db/journal?host=db2", "no folder"),
            ("postgres://rotator:made-up@db/journal?sslrootcert=/no/such/file", "/no/such/file"),
            ("postgres://rotator:pa/made-up@db/journal", "write / as %2F"),
            ("postgres://rotator:p@x/made-up@db/journal", "write / as %2F"),
            ("postgres://rotator:p@x/y?made-up@db/journal", "? as %3F"),
            ("postgres://rotator:%ff@db/journal", "not UTF-8"),
            ("postgres://rotator:made-up@db:port/journal", "port"),
        ] {
            let error = place(url).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert_eq!(error.kind(), ErrorKind::Settings);
            assert!(error.message().contains(part), "{url}: {error}");
            assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
        }
    }
}
