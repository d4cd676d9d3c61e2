//! The credential as a header that no log shows.

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use zeroize::Zeroizing;

/// How the account is proven.
#[derive(Clone)]
pub(crate) enum Credential {
    /// Portainer's access token, sent as `X-API-Key`.
    ApiKey(SecretValue),
    /// The token that a login gave, sent as `Authorization: Bearer`.
    Jwt(SecretValue),
}

impl Credential {
    /// The header that carries it. Its value shares a buffer that is overwritten when the last request is gone.
    pub(crate) fn header(&self) -> Result<(HeaderName, HeaderValue)> {
        let (name, prefix, secret, what) = match self {
            Self::ApiKey(key) => (HeaderName::from_static("x-api-key"), "", key, "the API key"),
            Self::Jwt(token) => (AUTHORIZATION, "Bearer ", token, "the JWT"),
        };
        if secret.is_empty() {
            return Err(Error::new(ErrorKind::Settings, format!("{what} is empty")));
        }
        if !secret.expose().iter().all(u8::is_ascii_graphic) {
            return Err(Error::new(
                ErrorKind::Settings,
                format!("{what} holds a space, a line break or another character that none has: copy it again"),
            ));
        }
        // Of its full size from the start: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(prefix.len() + secret.len()));
        text.extend_from_slice(prefix.as_bytes());
        text.extend_from_slice(secret.expose());
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
            .map_err(|_| Error::new(ErrorKind::Settings, format!("{what} cannot be sent in a header")))?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretValue {
        SecretValue::credential(text.as_bytes().to_vec())
    }

    #[test]
    fn each_kind_has_its_header() {
        let (name, value) = Credential::ApiKey(secret("ptr_made-up=")).header().unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("x-api-key", b"ptr_made-up=".as_slice()));
        assert_eq!(format!("{value:?}"), "Sensitive");
        let (name, value) = Credential::Jwt(secret("a.b.c")).header().unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("authorization", b"Bearer a.b.c".as_slice()));
    }

    #[test]
    fn what_no_key_looks_like_is_refused_unseen() {
        for bad in ["", "made-up\n", " made-up", "made-up key", "made-up\u{e9}", "made-up\0", "made-up\r\nX-Evil: 1"] {
            for credential in [Credential::ApiKey(secret(bad)), Credential::Jwt(secret(bad))] {
                let error = credential.header().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Settings);
                assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
            }
        }
    }
}
