//! What is said where nothing more is sent.

use crate::error::{Error, ErrorKind};
use crate::rotation::{Outcome, Report, State};

/// The report of a rotation that journal, audit trail, guardrails or a lost lease have stopped: nothing more was sent.
pub(super) fn stopped_by(state: &State, error: &Error) -> Report {
    let mut report = Report::of(state);
    let id = &state.rotation;
    let (outcome, then) = match error.kind() {
        ErrorKind::Conflict => (
            Outcome::Conflict,
            format!("another process may be carrying the rotation on; if none is, `swarmsecrets resume {id}`"),
        ),
        _ => (Outcome::NeedsHuman, format!("mend that, then `swarmsecrets resume {id}`")),
    };
    report.outcome = outcome;
    report.warnings.insert(0, format!("{error}; nothing more was sent: {then}"));
    report
}
