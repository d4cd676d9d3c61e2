//! The sink before a real OpenTelemetry Collector, which writes what it got to a file. Run by `cargo xtask test`, which starts one; plain
//! `cargo test` leaves these tests out, and run by hand without a collector they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Phase};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::{ErrorKind, Result, SecretValue};
use swarmsecrets_opentelemetry::OpenTelemetryAudit;
use swarmsecrets_testkit::conformance;
use swarmsecrets_testkit::credential::wire_that_loses_the_answer_to;

/// What `cargo xtask test` tells of the collector.
fn told(what: &str) -> String {
    let told = std::env::var(format!("SWARMSECRETS_TEST_COLLECTOR{what}"));
    told.expect("run these tests with `cargo xtask test`, which starts what they need")
}

fn open() -> OpenTelemetryAudit {
    OpenTelemetryAudit::at(&format!("http://{}", told(""))).build().unwrap()
}

fn record(rotation: u8, step: u32, action: &str) -> AuditRecord {
    AuditRecord {
        at: "2026-05-07T21:09:36.000000007Z".parse().unwrap(),
        actor: Actor { account: "svc-agent".into(), agent: None, reason: Some("due".into()), leave: None },
        environment: EnvironmentId(1),
        rotation: RotationId::from_random([rotation; 10]),
        plan: PlanDigest::from_sha256([2; 32]),
        phase: Phase::Outcome,
        step,
        direction: Direction::Forward,
        action: action.into(),
        outcome: Some("refused: no".into()),
        simulated: true,
    }
}

/// Each request that the collector has written, with the one log record in it.
fn written() -> Vec<(Value, Value)> {
    let text = std::fs::read_to_string(told("_FILE")).unwrap_or_default();
    // It may be about to write the last line.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| {
            let request: Value = serde_json::from_str(line).unwrap();
            let resource = request["resourceLogs"][0].clone();
            let log_record = resource["scopeLogs"][0]["logRecords"][0].clone();
            (resource, log_record)
        })
        .collect()
}

/// The text of an attribute; the text of a number, as it is written.
fn attribute(of: &Value, key: &str) -> Option<String> {
    let all = of["attributes"].as_array()?;
    let value = &all.iter().find(|one| one["key"] == key)?["value"];
    let text = value["stringValue"].as_str().or(value["intValue"].as_str());
    text.map(str::to_owned).or(value["boolValue"].as_bool().map(|is| is.to_string()))
}

/// What the collector has written of a rotation, once it is so many log records: it does so a moment after it has answered.
fn of_rotation(rotation: &RotationId, count: usize) -> Vec<(Value, Value)> {
    let begun = Instant::now();
    loop {
        let mine =
            |(_, one): &(Value, Value)| attribute(one, "swarmsecrets.rotation").as_deref() == Some(rotation.as_str());
        let there: Vec<_> = written().into_iter().filter(mine).collect();
        if there.len() >= count {
            return there;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} log records are there", there.len());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read(log_record: &Value) -> AuditRecord {
    serde_json::from_str(log_record["body"]["stringValue"].as_str().unwrap()).unwrap()
}

/// Counts what was taken, so that reading back knows what to wait for.
struct Counted(OpenTelemetryAudit, Arc<AtomicUsize>);

#[async_trait]
impl AuditSink for Counted {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        self.0.append(record).await?;
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_collector_gets_what_a_sink_should_have_it_get() {
    let taken = Arc::new(AtomicUsize::new(0));
    // That of the suite.
    let rotation = RotationId::from_random([7; 10]);
    let read_back = || -> Vec<AuditRecord> {
        of_rotation(&rotation, taken.load(Ordering::SeqCst)).iter().map(|(_, one)| read(one)).collect()
    };
    conformance::audit_sink::check(|| Counted(open(), Arc::clone(&taken)), read_back).await;
}

#[tokio::test]
async fn a_collector_reads_each_field_as_it_was_meant() {
    let nasty = "update service `web`\": {}]\n\u{1b}[31m\u{2028}\u{0}\u{7f} \u{fc}\u{1f511}";
    let sent = record(21, 3, nasty);
    open().append(&sent).await.unwrap();
    let (resource, got) = of_rotation(&sent.rotation, 1).remove(0);
    let body = got["body"]["stringValue"].as_str().unwrap();
    assert_eq!(body, serde_json::to_string(&sent).unwrap(), "the body is the same to the byte");
    assert_eq!(read(&got).name().unwrap(), attribute(&got, "log.record.uid").unwrap());
    assert_eq!((&got["severityNumber"], &got["severityText"]), (&13.into(), &"WARN".into()));
    assert_eq!(got["eventName"], "swarmsecrets.audit.outcome");
    assert_eq!(got["timeUnixNano"], "1778188176000000007");
    assert_ne!(got["observedTimeUnixNano"], Value::Null);
    for (key, value) in [
        ("swarmsecrets.record.hash", sent.name().unwrap().as_str()),
        ("swarmsecrets.account", "svc-agent"),
        ("swarmsecrets.reason", "due"),
        ("swarmsecrets.environment", "1"),
        ("swarmsecrets.plan.digest", sent.plan.as_str()),
        ("swarmsecrets.phase", "outcome"),
        ("swarmsecrets.step", "3"),
        ("swarmsecrets.direction", "forward"),
        ("swarmsecrets.action", nasty),
        ("swarmsecrets.outcome", "refused"),
        ("swarmsecrets.outcome_reason", "no"),
        ("swarmsecrets.simulated", "true"),
    ] {
        assert_eq!(attribute(&got, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(attribute(&resource["resource"], "service.name").as_deref(), Some("swarmsecrets"));
    assert_eq!(resource["scopeLogs"][0]["scope"]["name"], "swarmsecrets.audit");
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_an_error_and_comes_twice_under_one_name() {
    let sent = record(22, 1, "update service `lost`");
    let wire = wire_that_loses_the_answer_to(b"service `lost`", told("").parse().unwrap()).await.unwrap();
    let lossy = OpenTelemetryAudit::at(&format!("http://{wire}")).build().unwrap();
    let error = lossy.append(&sent).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("may have taken it"), "{error}");
    open().append(&sent).await.unwrap();
    let names: Vec<_> =
        of_rotation(&sent.rotation, 2).iter().map(|(_, one)| attribute(one, "log.record.uid").unwrap()).collect();
    assert_eq!(names, [sent.name().unwrap(), sent.name().unwrap()]);
}

#[tokio::test]
async fn an_encrypted_receiver_takes_records_of_those_alone_who_have_its_token() {
    let url = format!("https://{}", told("_TLS"));
    let authority = std::fs::read(told("_AUTHORITY")).unwrap();
    let at = || OpenTelemetryAudit::at(&url).ca_certificate(&authority);
    let token = SecretValue::credential(told("_PASSWORD").into_bytes());
    let sent = record(23, 1, "a");
    at().token(&token).build().unwrap().append(&sent).await.unwrap();
    assert_eq!(read(&of_rotation(&sent.rotation, 1)[0].1), sent);
    let other = SecretValue::credential(b"made-up-token-of-a-stranger".to_vec());
    for stranger in [at(), at().token(&other)] {
        let error = stranger.build().unwrap().append(&sent).await.unwrap_err();
        assert!(error.message().contains("HTTP 401: the login is refused"), "{error}");
    }
    let distrustful = OpenTelemetryAudit::at(&url).token(&token).build().unwrap();
    let error = distrustful.append(&sent).await.unwrap_err();
    assert!(error.message().contains("a certificate that is not trusted"), "{error}");
    assert_eq!(of_rotation(&sent.rotation, 1).len(), 1, "nothing came of those that were refused");
}

#[tokio::test]
async fn a_client_certificate_lets_one_in() {
    let url = format!("https://{}", told("_CLIENT"));
    let certificate = std::fs::read(told("_AUTHORITY")).unwrap();
    let key = SecretValue::credential(std::fs::read(told("_KEY")).unwrap());
    let at = || OpenTelemetryAudit::at(&url).ca_certificate(&certificate);
    let sent = record(24, 1, "a");
    at().client_certificate(&certificate, key).build().unwrap().append(&sent).await.unwrap();
    at().build().unwrap().append(&sent).await.unwrap_err();
    assert_eq!(of_rotation(&sent.rotation, 1).len(), 1, "nothing came of the one without it");
}
