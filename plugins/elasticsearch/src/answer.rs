//! What the server says to a record.

use serde::Deserialize;
use swarmsecrets_core::ids::one_line;

/// The only reason for which an item that conflicts is there already.
const THERE: &str = "version_conflict_engine_exception";

#[derive(Deserialize)]
struct Answer {
    errors: bool,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Created,
}

#[derive(Deserialize)]
struct Created {
    status: u16,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "type")]
    kind: String,
}

/// Whether the one record that was sent is there now.
///
/// # Errors
/// Why not, with nothing in it but the server's own names of errors.
pub(crate) fn taken(body: &[u8]) -> Result<(), String> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "an answer that is not one to `_bulk`".to_owned())?;
    let [Item { create: Created { status, error } }] = &answer.items[..] else {
        return Err(format!("an answer about {} records to one", answer.items.len()));
    };
    match (status, error) {
        (200 | 201, None) if !answer.errors => Ok(()),
        (409, Some(failure)) if failure.kind == THERE => Ok(()),
        (status, Some(failure)) => Err(format!("status {status} for the record: {}", one_line(&failure.kind, 80))),
        (status, None) => Err(format!("status {status} for the record")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_there_if_it_was_created_now_or_before() {
        let item = |errors: bool, create: &str| {
            taken(format!(r#"{{"errors":{errors},"items":[{{"create":{create}}}]}}"#).as_bytes())
        };
        assert_eq!(item(false, r#"{"status":201}"#), Ok(()));
        assert_eq!(item(true, r#"{"status":409,"error":{"type":"version_conflict_engine_exception"}}"#), Ok(()));
        for (errors, create, says) in [
            (true, r#"{"status":409,"error":{"type":"some_other_conflict"}}"#, "status 409 for the record: some_other"),
            (true, r#"{"status":409}"#, "status 409"),
            (true, r#"{"status":201}"#, "status 201"),
            (true, r#"{"status":403,"error":{"type":"cluster_block_exception"}}"#, "cluster_block_exception"),
            (true, r#"{"status":400,"error":{"type":"mapper\u001b[31m"}}"#, "mapper [31m"),
        ] {
            let why = item(errors, create).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
        for body in
            ["", "[]", r#"{"errors":false}"#, r#"{"errors":false,"items":[{"index":{"status":201}}]}"#, "<html>"]
        {
            assert!(taken(body.as_bytes()).is_err(), "{body}");
        }
    }
}
