//! Audit trails for people.

use std::fmt::Write as _;

use comfy_table::ColumnConstraint;
use jiff::Timestamp;
use swarmsecrets_core::audit::{Compared, Entry, Found, Phase, Verdict};

use crate::printable::printable;
use crate::table::{counted, lines, table};

/// What a check found.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    let whole = if verdict.whole { "whole" } else { "NOT WHOLE" };
    let mut out = format!("audit trail {}: {whole}\n", printable(&verdict.file));
    let before = if verdict.whole { "" } else { " as they were written, before what is wrong" };
    let _ = writeln!(out, "  {}{before}", counted(usize::try_from(verdict.records).unwrap_or(usize::MAX), "record"));
    if let (Some(from), Some(until)) = (verdict.from, verdict.until) {
        let _ = writeln!(out, "  first at {}, last at {}", moment(from), moment(until));
    }
    if let Some(end) = &verdict.end {
        let _ = writeln!(out, "  last is record {}, hash {}", end.n, end.hash);
    }
    for one in &verdict.checkpoints {
        let _ = writeln!(out, "  {}", compared(one));
    }
    for entry in &verdict.open {
        let _ = writeln!(out, "! {}", open(entry));
    }
    if !verdict.open.is_empty() {
        let intents = counted(verdict.open.len(), "intent");
        let _ = writeln!(
            out,
            "{intents} without an outcome: such a mutation may have been done, and nobody wrote down how it went"
        );
    }
    out
}

fn compared(one: &Compared) -> String {
    let holds = match one.held {
        Some(true) => "holds",
        Some(false) => "DOES NOT HOLD",
        None => "was not come to",
    };
    let records = counted(usize::try_from(one.records).unwrap_or(usize::MAX), "record");
    format!("checkpoint of {records}, signed at {} with the key {}: {holds}", moment(one.at), one.key)
}

/// One intent whose outcome was never written down.
pub(crate) fn open(entry: &Entry) -> String {
    let record = &entry.record;
    format!(
        "record {}: {} (rotation {}, step {}), begun at {} by {}",
        entry.n,
        printable(&record.action),
        record.rotation,
        record.step,
        moment(record.at),
        who(entry)
    )
}

/// A table for each run of records that belong to one rotation and were written for one actor, so that lines stay short.
pub(crate) fn records(found: &Found, width: u16) -> String {
    if found.records.is_empty() {
        return "no record was found".to_owned();
    }
    let mut out = String::new();
    for run in found.records.chunk_by(|a, b| heading(a) == heading(b)) {
        let _ = writeln!(out, "{}\n{}", heading(&run[0]), rows(run, width));
    }
    let _ = writeln!(out, "{}", counted(found.records.len(), "record"));
    out
}

fn heading(entry: &Entry) -> String {
    let record = &entry.record;
    let simulated = if record.simulated { " (SIMULATED)" } else { "" };
    let reason = record.actor.reason.as_deref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
    let leave = record.actor.leave.as_ref().map(|leave| {
        let approvers = leave.approvers.iter().map(|name| printable(name).into_owned());
        format!(", approved by {}", approvers.collect::<Vec<_>>().join(", "))
    });
    let (by, leave) = (who(entry), leave.unwrap_or_default());
    format!("environment {}{simulated}, rotation {}, by {by}{leave}{reason}", record.environment, record.rotation)
}

fn rows(entries: &[Entry], width: u16) -> String {
    let mut table = table(width, &["N", "TIME", "STEP", "ACTION", "OUTCOME"]);
    for entry in entries {
        let record = &entry.record;
        table.add_row([
            entry.n.to_string(),
            moment(record.at),
            record.step.to_string(),
            printable(&record.action).into_owned(),
            outcome(entry),
        ]);
    }
    // Words are broken where there is no room, numbers and times never.
    for at in 0..3 {
        if let Some(column) = table.column_mut(at) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    lines(&table)
}

fn who(entry: &Entry) -> String {
    let actor = &entry.record.actor;
    let account = printable(&actor.account);
    match &actor.agent {
        Some(agent) => format!("{account} (agent {})", printable(agent)),
        None => account.into_owned(),
    }
}

fn outcome(entry: &Entry) -> String {
    match (&entry.record.outcome, entry.record.phase) {
        (Some(outcome), _) => printable(outcome).into_owned(),
        (None, Phase::Intent) => "(intent)".to_owned(),
        (None, Phase::Outcome) => String::new(),
    }
}

/// To the second: JSON has the rest.
fn moment(at: Timestamp) -> String {
    format!("{at:.0}")
}

#[cfg(test)]
mod tests {
    use swarmsecrets_core::audit::{Actor, AuditRecord};
    use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId, is_unprintable};
    use swarmsecrets_core::policy::Direction;

    use super::*;

    #[test]
    fn nothing_in_a_record_can_drive_a_terminal() {
        let nasty = || "a\u{1b}[31m\u{202e}b\n".to_owned();
        let entry = |n, outcome: Option<String>| Entry {
            n,
            record: AuditRecord {
                at: Timestamp::UNIX_EPOCH,
                actor: Actor { account: nasty(), agent: Some(nasty()), reason: Some(nasty()), leave: None },
                environment: EnvironmentId(1),
                rotation: RotationId::from_random([1; 10]),
                plan: PlanDigest::from_sha256([2; 32]),
                phase: if outcome.is_some() { Phase::Outcome } else { Phase::Intent },
                step: 1,
                direction: Direction::Forward,
                action: nasty(),
                outcome,
                simulated: false,
            },
        };
        let found = Found { schema: 1, records: vec![entry(0, None), entry(1, Some(nasty()))], torn_bytes: 0 };
        let broken = Verdict {
            schema: 1,
            file: nasty(),
            records: 1,
            from: Some(Timestamp::UNIX_EPOCH),
            until: Some(Timestamp::UNIX_EPOCH),
            end: None,
            whole: false,
            problem: Some(nasty()),
            open: vec![entry(0, None)],
            checkpoints: Vec::new(),
        };
        for text in [records(&found, 200), verdict(&broken)] {
            assert!(!text.replace('\n', "").contains(is_unprintable), "{text}");
            assert!(text.contains("a\\u{1b}[31m"), "{text}");
        }
    }
}
