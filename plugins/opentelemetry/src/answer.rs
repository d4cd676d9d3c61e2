//! What the receiver says to a record.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::Value;

/// Whether the one record that was sent was accepted, by an answer of 2xx. Its message is left unread: it is a stranger's text, and
/// would stand in reports that agents read.
///
/// # Errors
/// Why not, with nothing in it that the answer said.
pub(crate) fn accepted(status: StatusCode, body: &[u8]) -> Result<(), String> {
    // The standard has an answer in each 200. Some services say with another status, and nothing more, that they took it.
    if body.is_empty() && status != StatusCode::OK {
        return Ok(());
    }
    match rejected(body) {
        Some(0) => Ok(()),
        Some(_) => Err("it rejects the record: its own log may say why".into()),
        None => Err("an answer that is not one to `/v1/logs`".into()),
    }
}

/// How many records the answer says were rejected; nothing if it is the answer of something else.
fn rejected(body: &[u8]) -> Option<i64> {
    let answer: BTreeMap<String, Value> = serde_json::from_slice(body).ok()?;
    match answer.get("partialSuccess") {
        // Members may be added to it one day, but `{"error": …}` alone says something else.
        None if !answer.is_empty() => None,
        None | Some(Value::Null) => Some(0),
        Some(Value::Object(partial)) => match partial.get("rejectedLogRecords") {
            None | Some(Value::Null) => Some(0),
            Some(Value::Number(count)) => count.as_i64(),
            // Numbers of 64 bits are written as text, and may be read as both.
            Some(Value::String(count)) => count.parse().ok(),
            Some(_) => None,
        },
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_accepted_if_none_was_rejected() {
        let ok = |body: &str| accepted(StatusCode::OK, body.as_bytes());
        for good in [
            "{}",
            r#"{"partialSuccess":{}}"#,
            r#"{"partialSuccess":null}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":0}}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"update the client"}}"#,
            r#"{"partialSuccess":{},"newer":1}"#,
        ] {
            assert_eq!(ok(good), Ok(()), "{good}");
        }
        for bad in [
            r#"{"partialSuccess":{"rejectedLogRecords":1,"errorMessage":"made-up"}}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"made-up"}}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":-1}}"#,
        ] {
            assert_eq!(ok(bad), Err("it rejects the record: its own log may say why".into()), "{bad}");
        }
        for stranger in [
            "",
            "[]",
            "null",
            "0",
            "<html>made-up",
            r#"{"error":"made-up"}"#,
            r#"{"partial_success":{"rejected_log_records":1}}"#,
            r#"{"partialSuccess":[]}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":"made-up"}}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":1.5}}"#,
            r#"{"partialSuccess":{}} more"#,
        ] {
            assert_eq!(ok(stranger), Err("an answer that is not one to `/v1/logs`".into()), "{stranger}");
        }
    }

    #[test]
    fn only_another_status_than_200_comes_without_an_answer() {
        for status in [StatusCode::ACCEPTED, StatusCode::NO_CONTENT] {
            assert_eq!(accepted(status, b""), Ok(()));
            assert!(accepted(status, br#"{"partialSuccess":{"rejectedLogRecords":"1"}}"#).is_err());
        }
        assert!(accepted(StatusCode::OK, b"").is_err());
    }
}
