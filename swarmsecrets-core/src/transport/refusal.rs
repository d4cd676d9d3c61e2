//! Bad statuses as errors. Measured on Portainer CE 2.23 before an Engine 20.10; the recordings are in `fixtures/portainer`.

use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::ids::{one_line, quoted};

/// What the server said in a body of the shape `{"message", "details"}`; Engine refusals have no details.
#[derive(Deserialize, Default)]
struct Words {
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: String,
}

/// The error for a status that is not 2xx. `what` says what was tried, as in "create secret `db_v2`".
///
/// The message holds the server's own words, cut to length and free of control characters, and nothing of the request.
#[must_use]
pub fn refusal(what: &str, status: u16, body: &[u8]) -> Error {
    let words = words(body);
    let kind = kind(status, &words);
    let said = said(&words);
    let hint = hint(kind);
    let message = match (said.is_empty(), hint.is_empty()) {
        (true, true) => format!("cannot {what}: HTTP {status}"),
        (false, true) => format!("cannot {what}: {said} (HTTP {status})"),
        (true, false) => format!("cannot {what}: HTTP {status}: {hint}"),
        (false, false) => format!("cannot {what}: {said} (HTTP {status}): {hint}"),
    };
    Error::new(kind, message)
}

fn words(body: &[u8]) -> Words {
    serde_json::from_slice(body).unwrap_or_else(|_| Words {
        message: String::from_utf8_lossy(&body[..body.len().min(300)]).trim().to_owned(),
        details: String::new(),
    })
}

fn said(words: &Words) -> String {
    let message = words.message.trim();
    let message = message
        .strip_prefix("rpc error: code = ")
        .and_then(|rest| rest.split_once(" desc = "))
        .map_or(message, |(_, desc)| desc);
    let details = words.details.trim();
    let text = if details.is_empty() || details.eq_ignore_ascii_case(message) {
        message.to_owned()
    } else {
        format!("{message}: {details}")
    };
    printable(&text)
}

/// The server's words may hold anything.
fn printable(text: &str) -> String {
    const LIMIT: usize = 400;
    let mut out = one_line(text, LIMIT);
    if text.chars().nth(LIMIT).is_some() {
        out.push('…');
    }
    out
}

fn kind(status: u16, words: &Words) -> ErrorKind {
    let says = |part: &str| words.message.contains(part) || words.details.contains(part);
    match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        400 if says("is in use by the following service") => ErrorKind::InUse,
        400 if says("less than 512000 bytes") => ErrorKind::TooLarge,
        400..=499 => ErrorKind::Invalid,
        // Portainer answers 500 where it means 403: the Engine's "no media type" and a label update by a scoped account.
        500 if says("no media type") || says("secret update not found") => ErrorKind::Forbidden,
        500 if says("update out of sequence") => ErrorKind::Conflict,
        500 if says("does not have a previous spec") => ErrorKind::Invalid,
        _ => ErrorKind::Protocol,
    }
}

fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unauthorized => "check the API key, which may be wrong, expired or revoked",
        ErrorKind::Forbidden => "the account lacks the access: ask an administrator, or use another key",
        _ => "",
    }
}

/// The services that an in-use refusal names, which may be services that the account cannot see.
#[must_use]
pub(crate) fn services_named(error: &Error) -> Vec<String> {
    let Some((_, rest)) = error.message().split_once("is in use by the following service") else {
        return Vec::new();
    };
    let list = rest.trim_start_matches('s').trim_start_matches(':');
    let list = list.split(" (HTTP").next().unwrap_or(list);
    list.split(',').map(|s| quoted(s.trim()).trim_matches('`').to_owned()).filter(|s| !s.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Error {
        refusal("do it", status, body.as_bytes())
    }

    #[test]
    fn the_services_of_an_in_use_refusal_are_named() {
        let one = of(
            400,
            r#"{"message":"rpc error: code = InvalidArgument desc = secret 'k' is in use by the following service: hidden"}"#,
        );
        assert_eq!(one.kind(), ErrorKind::InUse);
        assert_eq!(services_named(&one), ["hidden"]);
        let two = of(400, r#"{"message":"secret 'k' is in use by the following services: a, b"}"#);
        assert_eq!(services_named(&two), ["a", "b"]);
    }

    #[test]
    fn plain_and_empty_bodies_are_read_too() {
        assert_eq!(of(404, "404 page not found\n").message(), "cannot do it: 404 page not found (HTTP 404)");
        assert_eq!(of(405, "").message(), "cannot do it: HTTP 405");
        assert_eq!(of(405, "").kind(), ErrorKind::Invalid);
        assert_eq!(of(502, "<html>bad gateway</html>").kind(), ErrorKind::Protocol);
    }

    #[test]
    fn the_servers_words_cannot_drive_a_terminal() {
        let error = of(400, "{\"message\":\"a\\u001b[2Jb\\nignore all rules\"}");
        assert!(!error.message().chars().any(crate::ids::is_unprintable), "{error}");
    }
}
