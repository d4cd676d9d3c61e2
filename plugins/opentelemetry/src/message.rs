//! A record as a request of OTLP/HTTP, in the JSON that the standard maps its messages to: 64-bit numbers are text, and other names than those of
//! the messages are passed over by who reads them.

use jiff::Timestamp;
use serde::Serialize;
use swarmsecrets_core::audit::{AuditRecord, Phase};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::{Error, ErrorKind, Result};

/// Whose records these are.
const SCOPE: &str = "swarmsecrets.audit";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What went as it should, and what somebody should look at: numbers and words of the standard.
const INFO: (u8, &str) = (9, "INFO");
const WARN: (u8, &str) = (13, "WARN");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    resource_logs: [ResourceLogs<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs<'a> {
    resource: Resource<'a>,
    scope_logs: [ScopeLogs<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs<'a> {
    scope: Scope,
    log_records: [LogRecord<'a>; 1],
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord<'a> {
    time_unix_nano: String,
    observed_time_unix_nano: String,
    severity_number: u8,
    severity_text: &'static str,
    event_name: &'static str,
    body: Value<'a>,
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: Value<'a>,
}

#[derive(Serialize)]
enum Value<'a> {
    #[serde(rename = "stringValue")]
    Text(&'a str),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "intValue")]
    Int(String),
    #[serde(rename = "arrayValue")]
    Array(Values<'a>),
}

#[derive(Serialize)]
struct Values<'a> {
    values: Vec<Value<'a>>,
}

/// The body of a request that brings one record, from a host, at a time.
pub(crate) fn request(record: &AuditRecord, host: &str, now: Timestamp) -> Result<Vec<u8>> {
    let failed = |e| Error::new(ErrorKind::Audit, "the audit record cannot be encoded").with_source(e);
    // What its name is the digest of, and what the chain binds: nothing may be added or left out.
    let json = serde_json::to_string(record).map_err(failed)?;
    let name = record.name()?;
    let (severity_number, severity_text) =
        if record.outcome.as_deref().is_none_or(|outcome| outcome == "done") { INFO } else { WARN };
    let log_record = LogRecord {
        time_unix_nano: nanoseconds(record.at),
        observed_time_unix_nano: nanoseconds(now),
        severity_number,
        severity_text,
        event_name: match record.phase {
            Phase::Intent => "swarmsecrets.audit.intent",
            Phase::Outcome => "swarmsecrets.audit.outcome",
        },
        body: Value::Text(&json),
        attributes: attributes(record, &name),
    };
    let mut resource = vec![text("service.name", "swarmsecrets"), text("service.version", VERSION)];
    if !host.is_empty() {
        resource.push(text("host.name", host));
    }
    let scope_logs = [ScopeLogs { scope: Scope { name: SCOPE, version: VERSION }, log_records: [log_record] }];
    let resource_logs = [ResourceLogs { resource: Resource { attributes: resource }, scope_logs }];
    serde_json::to_vec(&Request { resource_logs }).map_err(failed)
}

fn attributes<'a>(record: &'a AuditRecord, name: &'a str) -> Vec<Attribute<'a>> {
    let actor = &record.actor;
    let direction = match record.direction {
        Direction::Forward => "forward",
        Direction::Restore => "restore",
    };
    let phase = match record.phase {
        Phase::Intent => "intent",
        Phase::Outcome => "outcome",
    };
    let mut all = vec![
        // The name that the conventions of OpenTelemetry have for this: records with the same one are one.
        text("log.record.uid", name),
        text("swarmsecrets.record.hash", name),
        text("swarmsecrets.account", &actor.account),
        number("swarmsecrets.environment", record.environment.0),
        text("swarmsecrets.rotation", record.rotation.as_str()),
        text("swarmsecrets.plan.digest", record.plan.as_str()),
        text("swarmsecrets.phase", phase),
        number("swarmsecrets.step", u64::from(record.step)),
        text("swarmsecrets.direction", direction),
        text("swarmsecrets.action", &record.action),
        Attribute { key: "swarmsecrets.simulated", value: Value::Bool(record.simulated) },
    ];
    let outcome = record.outcome.as_deref().map(|said| said.split_once(": ").unwrap_or((said, "")));
    for (key, value) in [
        ("swarmsecrets.agent", actor.agent.as_deref()),
        ("swarmsecrets.reason", actor.reason.as_deref()),
        // The word alone, so that it can be searched for.
        ("swarmsecrets.outcome", outcome.map(|(word, _)| word)),
        ("swarmsecrets.outcome_reason", outcome.map(|(_, why)| why).filter(|why| !why.is_empty())),
    ] {
        all.extend(value.map(|value| text(key, value)));
    }
    if let Some(leave) = &actor.leave {
        let values = leave.approvers.iter().map(|approver| Value::Text(approver)).collect();
        all.push(text("swarmsecrets.approval.request", leave.request.as_str()));
        let approvers = Value::Array(Values { values });
        all.push(Attribute { key: "swarmsecrets.approval.approvers", value: approvers });
    }
    all
}

fn text<'a>(key: &'static str, value: &'a str) -> Attribute<'a> {
    Attribute { key, value: Value::Text(value) }
}

/// The standard's numbers are signed. What is too large for them is told exactly by the body.
fn number(key: &'static str, value: u64) -> Attribute<'static> {
    Attribute { key, value: Value::Int(i64::try_from(value).unwrap_or(i64::MAX).to_string()) }
}

/// Since 1970; what was before is not known, which the standard writes as 0.
fn nanoseconds(at: Timestamp) -> String {
    u64::try_from(at.as_nanosecond()).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use swarmsecrets_core::audit::{Actor, Leave};
    use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RequestDigest, RotationId};

    use super::*;

    fn record(outcome: Option<&str>) -> AuditRecord {
        AuditRecord {
            at: "2026-05-07T21:09:36.000000007Z".parse().unwrap(),
            actor: Actor { account: "svc".into(), agent: None, reason: Some("due".into()), leave: None },
            environment: EnvironmentId(u64::MAX),
            rotation: RotationId::from_random([1; 10]),
            plan: PlanDigest::from_sha256([2; 32]),
            phase: if outcome.is_some() { Phase::Outcome } else { Phase::Intent },
            step: 3,
            direction: Direction::Forward,
            action: "create secret \"db\"\n\u{1b}\u{2028}".into(),
            outcome: outcome.map(str::to_owned),
            simulated: false,
        }
    }

    fn sent(record: &AuditRecord) -> Json {
        serde_json::from_slice(&request(record, "blue", "2026-05-07T21:09:37Z".parse().unwrap()).unwrap()).unwrap()
    }

    /// The names and forms are those of the example that stands beside the standard's messages.
    #[test]
    fn a_request_is_as_the_standard_wants_it() {
        let intent = record(None);
        let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let name = intent.name().unwrap();
        let wanted = json!({ "resourceLogs": [{
            "resource": { "attributes": [
                text("service.name", "swarmsecrets"),
                text("service.version", VERSION),
                text("host.name", "blue"),
            ] },
            "scopeLogs": [{
                "scope": { "name": "swarmsecrets.audit", "version": VERSION },
                "logRecords": [{
                    "timeUnixNano": "1778188176000000007",
                    "observedTimeUnixNano": "1778188177000000000",
                    "severityNumber": 9,
                    "severityText": "INFO",
                    "eventName": "swarmsecrets.audit.intent",
                    "body": { "stringValue": serde_json::to_string(&intent).unwrap() },
                    "attributes": [
                        text("log.record.uid", &name),
                        text("swarmsecrets.record.hash", &name),
                        text("swarmsecrets.account", "svc"),
                        { "key": "swarmsecrets.environment", "value": { "intValue": "9223372036854775807" } },
                        text("swarmsecrets.rotation", intent.rotation.as_str()),
                        text("swarmsecrets.plan.digest", intent.plan.as_str()),
                        text("swarmsecrets.phase", "intent"),
                        { "key": "swarmsecrets.step", "value": { "intValue": "3" } },
                        text("swarmsecrets.direction", "forward"),
                        text("swarmsecrets.action", &intent.action),
                        { "key": "swarmsecrets.simulated", "value": { "boolValue": false } },
                        text("swarmsecrets.reason", "due"),
                    ],
                }],
            }],
        }] });
        assert_eq!(sent(&intent), wanted);
    }

    #[test]
    fn an_outcome_tells_how_it_went_and_by_whose_leave() {
        let value = |sent: &Json, key: &str| -> Json {
            let all = sent.pointer("/resourceLogs/0/scopeLogs/0/logRecords/0/attributes").unwrap().as_array().unwrap();
            all.iter().find(|one| one["key"] == key).map_or(Json::Null, |one| one["value"].clone())
        };
        for (said, number, word, why) in [
            ("done", 9, "done", Json::Null),
            ("refused: it says: no", 13, "refused", json!({ "stringValue": "it says: no" })),
            ("unknown", 13, "unknown", Json::Null),
        ] {
            let mut record = record(Some(said));
            let (request, expires) = (RequestDigest::from_sha256([4; 32]), record.at);
            let leave = Leave {
                request: request.clone(),
                approvers: vec!["a".into(), "b".into()],
                expires,
                fingerprints: [].into(),
            };
            record.actor = Actor { agent: Some("agent-7".into()), leave: Some(leave), ..record.actor };
            let sent = sent(&record);
            let log_record = sent.pointer("/resourceLogs/0/scopeLogs/0/logRecords/0").unwrap();
            assert_eq!(
                (&log_record["severityNumber"], &log_record["eventName"]),
                (&json!(number), &json!("swarmsecrets.audit.outcome"))
            );
            assert_eq!(value(&sent, "swarmsecrets.outcome"), json!({ "stringValue": word }));
            assert_eq!(value(&sent, "swarmsecrets.outcome_reason"), why);
            assert_eq!(value(&sent, "swarmsecrets.agent"), json!({ "stringValue": "agent-7" }));
            assert_eq!(value(&sent, "swarmsecrets.approval.request"), json!({ "stringValue": request.as_str() }));
            let approvers = json!({ "arrayValue": { "values": [{ "stringValue": "a" }, { "stringValue": "b" }] } });
            assert_eq!(value(&sent, "swarmsecrets.approval.approvers"), approvers);
            // Whatever is read back from the body is the record, to the byte.
            let body = log_record["body"]["stringValue"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<AuditRecord>(body).unwrap(), record);
            assert_eq!(body, serde_json::to_string(&record).unwrap());
        }
    }

    #[test]
    fn a_time_before_1970_is_none() {
        assert_eq!(nanoseconds("1969-12-31T23:59:59Z".parse().unwrap()), "0");
    }
}
