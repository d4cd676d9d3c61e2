//! Decisions, as the receiver sends them.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use swarmsecrets_core::approval::{Given, ReadBack, SignedDecision, Verdict};
use swarmsecrets_core::ids::RequestDigest;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// The version of the format.
const SCHEMA: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    schema: u32,
    #[serde(borrow)]
    decisions: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry<'a> {
    #[serde(borrow)]
    Signed(&'a RawValue),
    ReadBack(Written),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    request: RequestDigest,
    decision: Verdict,
    account: String,
    at: Timestamp,
    reference: String,
}

/// Reads the decisions of a message whose signature was checked.
///
/// # Errors
/// [`ErrorKind::Protocol`] if it is something else.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Given>> {
    let bad = |why: String| {
        Error::new(ErrorKind::Protocol, format!("the answer of the webhook is no document of decisions: {why}"))
    };
    let document: Document<'_> =
        serde_json::from_slice(body).map_err(|e| bad(format!("line {}, column {}", e.line(), e.column())))?;
    if document.schema != SCHEMA {
        return Err(bad(format!("format {} is not known, only {SCHEMA}", document.schema)));
    }
    let given = document.decisions.into_iter().map(|entry| match entry {
        Entry::Signed(text) => SignedDecision::from_json(text.get().as_bytes()).map(Given::Signed),
        Entry::ReadBack(one) => {
            ReadBack::new(one.request, one.decision, &one.account, one.at, &one.reference).map(Given::ReadBack)
        }
    });
    given.collect()
}
