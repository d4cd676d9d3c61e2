//! The user and the password of a URL, found and replaced in its text.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use super::{Credential, bad, spliced};
use crate::error::Result;
use crate::secret::SecretValue;

/// Everything but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn read(url: &str) -> Result<Credential> {
    let (user, password) = places(url)?;
    let name = percent_decode_str(&url[user]).decode_utf8().map_err(|_| bad("has a user that is not UTF-8 text"))?;
    let password = percent_decode_str(&url[password]).collect::<Vec<u8>>();
    let user = (!name.is_empty()).then(|| name.into_owned());
    Ok(Credential { user, password: SecretValue::credential(password) })
}

pub(super) fn write(url: &str, credential: &Credential) -> Result<SecretValue> {
    let (user, password) = places(url)?;
    let name = match &credential.user {
        Some(name) => utf8_percent_encode(name, ENCODED).to_string(),
        None => url[user.clone()].to_owned(),
    };
    let encoded = Zeroizing::new(encode(credential.password.expose()));
    spliced(&[&url[..user.start], &name, &url[user.end..password.start], &encoded, &url[password.end..]])
}

fn encode(password: &[u8]) -> String {
    // Of its full size from the start, so that it does not grow and leave copies behind.
    let mut encoded = String::with_capacity(password.len() * 3);
    encoded.extend(percent_encoding::percent_encode(password, ENCODED));
    encoded
}

/// Where the user and the password stand. The password ends at the last `@` of the authority, as URL parsers have it.
fn places(url: &str) -> Result<(Range<usize>, Range<usize>)> {
    let start = url.find("://").ok_or_else(|| bad("is no URL: it has no `://`"))? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    let at = url[start..end].rfind('@').ok_or_else(|| bad("is a URL without a user and a password"))? + start;
    let colon = url[start..at].find(':').ok_or_else(|| bad("is a URL without a password"))? + start;
    Ok((start..colon, colon + 1..at))
}
