//! A record as a message of RFC 5424.

use std::fmt::Write as _;

use swarmsecrets_core::audit::{AuditRecord, Phase};
use swarmsecrets_core::ids::is_unprintable;
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// Facility 13, log audit.
const FACILITY: u8 = 13;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;

/// The number is the one that is set apart for examples, as nobody has registered one for this project.
const STRUCTURED: &str = "swarmsecrets@32473";

/// The message, with its length before it.
pub(crate) fn framed(record: &AuditRecord, host: &str, process: u32) -> Result<Vec<u8>> {
    let text = message(record, host, process)?;
    Ok([format!("{} ", text.len()).as_bytes(), text.as_bytes()].concat())
}

fn message(record: &AuditRecord, host: &str, process: u32) -> Result<String> {
    let well = record.outcome.as_deref().is_none_or(|outcome| outcome == "done");
    let priority = FACILITY * 8 + if well { NOTICE } else { WARNING };
    let phase = match record.phase {
        Phase::Intent => "intent",
        Phase::Outcome => "outcome",
    };
    let at = record.at;
    let mut text = format!("<{priority}>1 {at:.6} {} swarmsecrets {process} {phase} [{STRUCTURED}", header(host));
    let direction = match record.direction {
        Direction::Forward => "forward",
        Direction::Restore => "restore",
    };
    let actor = &record.actor;
    let (environment, step) = (record.environment.to_string(), record.step.to_string());
    let name = record.name()?;
    for (key, value) in [
        ("id", Some(name.as_str())),
        ("account", Some(actor.account.as_str())),
        ("agent", actor.agent.as_deref()),
        ("reason", actor.reason.as_deref()),
        ("environment", Some(environment.as_str())),
        ("rotation", Some(record.rotation.as_str())),
        ("plan", Some(record.plan.as_str())),
        ("step", Some(step.as_str())),
        ("direction", Some(direction)),
        ("action", Some(record.action.as_str())),
        ("outcome", record.outcome.as_deref()),
        ("simulated", Some(if record.simulated { "true" } else { "false" })),
    ] {
        if let Some(value) = value {
            let _ = write!(text, " {key}=\"{}\"", escaped(value));
        }
    }
    let json = serde_json::to_string(record)
        .map_err(|e| Error::new(ErrorKind::Audit, "the audit record cannot be encoded").with_source(e))?;
    // The mark says that what follows is UTF-8.
    let _ = write!(text, "] \u{feff}{}", in_one_line(&json));
    Ok(text)
}

/// What may stand in the header: of what the standard lets stand there, what hosts are called.
fn header(host: &str) -> String {
    let good = |c: &char| c.is_ascii_alphanumeric() || ".-_:".contains(*c);
    let name: String = host.trim().chars().filter(good).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// A value of structured data. What could end it is escaped, and what could end a line or drive a terminal is written out.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '"' | '\\' | ']' => out.extend(['\\', c]),
            c if is_unprintable(c) => {
                let _ = write!(out, "\\\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// JSON with what is not printable written out: there it can stand in strings alone, and says the same.
fn in_one_line(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match is_unprintable(c) {
            // All of them are in the basic plane.
            true => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use swarmsecrets_core::audit::Actor;
    use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};

    use super::*;

    fn record(action: &str, outcome: Option<&str>) -> AuditRecord {
        AuditRecord {
            at: Timestamp::UNIX_EPOCH,
            actor: Actor { account: "svc".into(), agent: None, reason: Some("due".into()), leave: None },
            environment: EnvironmentId(1),
            rotation: RotationId::from_random([1; 10]),
            plan: PlanDigest::from_sha256([2; 32]),
            phase: if outcome.is_some() { Phase::Outcome } else { Phase::Intent },
            step: 3,
            direction: Direction::Forward,
            action: action.into(),
            outcome: outcome.map(str::to_owned),
            simulated: false,
        }
    }

    #[test]
    fn a_message_is_as_the_standard_wants_it() {
        let intent = record("create secret db_v2", None);
        let text = message(&intent, "blue", 7).unwrap();
        let begins = format!(
            "<109>1 1970-01-01T00:00:00.000000Z blue swarmsecrets 7 intent [swarmsecrets@32473 id=\"{}\" account=\"svc\" reason=\"due\" \
             environment=\"1\" rotation=\"{}\" plan=\"{}\" step=\"3\" direction=\"forward\" action=\"create secret db_v2\" simulated=\"false\"] \u{feff}{{\"at\":",
            intent.name().unwrap(),
            intent.rotation,
            intent.plan
        );
        assert!(text.starts_with(&begins), "{text}");
        let framed = framed(&intent, "blue", 7).unwrap();
        assert_eq!(framed, format!("{} {text}", text.len()).into_bytes());
        for (outcome, priority) in [("done", "<109>1 "), ("refused: no", "<108>1 "), ("unknown: time-out", "<108>1 ")] {
            assert!(message(&record("x", Some(outcome)), "blue", 7).unwrap().starts_with(priority), "{outcome}");
        }
        assert!(message(&intent, " bl ue\n\u{1b}\u{fc} ", 7).unwrap().contains("Z blue swarmsecrets "));
        assert!(message(&intent, "\n", 7).unwrap().contains("Z - swarmsecrets "));
    }

    /// A name may hold anything: none of it may look like another field, message or line.
    #[test]
    fn nothing_that_a_name_holds_gets_out_of_its_value() {
        let nasty = "x\"] <0>1 - [forged a=\"b\\\n\r\u{0}\u{7f}\u{85}\u{2028}\u{1b}[31m 12 <13>1";
        let written = record(nasty, Some(nasty));
        let text = message(&written, nasty, 7).unwrap();
        // But for the mark before the JSON.
        assert_eq!(text.chars().filter(|c| is_unprintable(*c)).count(), 1, "{text:?}");
        let (data, json) = text.split_once('\u{feff}').unwrap();
        assert_eq!(serde_json::from_str::<AuditRecord>(json).unwrap(), written);
        // As a receiver reads it: a quote or bracket counts where no backslash stands before it.
        let (mut inside, mut values, mut ended, mut escape) = (false, 0, 0, false);
        for c in data[data.find('[').unwrap()..].chars() {
            match (escape, c) {
                (true, _) => escape = false,
                (false, '\\') => escape = true,
                (false, '"') => {
                    inside = !inside;
                    values += usize::from(inside);
                }
                (false, ']') if !inside => ended += 1,
                (false, ']') => panic!("a bracket stands in a value: {data}"),
                _ => {}
            }
        }
        assert_eq!((inside, values, ended), (false, 11, 1), "{data}");
    }
}
