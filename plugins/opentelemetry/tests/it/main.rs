//! The sink before receivers that answer what the test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Phase};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_opentelemetry::OpenTelemetryAudit;
use swarmsecrets_testkit::{conformance, values};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// What a collector answers.
const ACCEPTED: &str = r#"{"partialSuccess":{}}"#;

fn record() -> AuditRecord {
    AuditRecord {
        at: Timestamp::UNIX_EPOCH,
        actor: Actor { account: "a\"}\n]\u{1b}".into(), agent: None, reason: None, leave: None },
        environment: EnvironmentId(1),
        rotation: RotationId::from_random([1; 10]),
        plan: PlanDigest::from_sha256([2; 32]),
        phase: Phase::Intent,
        step: 1,
        direction: Direction::Forward,
        action: "create secret db".into(),
        outcome: None,
        simulated: true,
    }
}

fn json(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "application/json")
}

async fn sent_to(response: ResponseTemplate) -> (MockServer, swarmsecrets_core::Result<()>) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/logs")).respond_with(response).mount(&server).await;
    let sink = OpenTelemetryAudit::at(&server.uri()).build().unwrap();
    let result = sink.append(&record()).await;
    (server, result)
}

/// The one log record of a request.
fn log_record(request: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(request).unwrap();
    let only = |value: &Value, name: &str| {
        let all = value[name].as_array().unwrap();
        assert_eq!(all.len(), 1, "{value}");
        all[0].clone()
    };
    only(&only(&only(&request, "resourceLogs"), "scopeLogs"), "logRecords")
}

#[tokio::test]
async fn one_record_is_one_log_record_whose_body_can_be_checked() {
    let (server, result) = sent_to(json(ACCEPTED)).await;
    result.unwrap();
    let requests = server.received_requests().await.unwrap();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(!request.headers.contains_key("authorization"));
    let sent = log_record(&request.body);
    let body = sent["body"]["stringValue"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<AuditRecord>(body).unwrap(), record());
    let sha = Sha256::new().chain_update("swarmsecrets audit record 1\n").chain_update(body).finalize();
    let hash: String = sha.iter().map(|byte| format!("{byte:02x}")).collect();
    for key in ["log.record.uid", "swarmsecrets.record.hash"] {
        let found = sent["attributes"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap();
        assert_eq!(found["value"]["stringValue"], hash.as_str(), "{key}");
    }
    let observed: u128 = sent["observedTimeUnixNano"].as_str().unwrap().parse().unwrap();
    assert!(observed > 1_700_000_000_000_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_accepts_keeps_the_promises_of_a_sink() {
    let server = MockServer::start().await;
    let kept: Arc<Mutex<Vec<AuditRecord>>> = Arc::default();
    let keeps = Arc::clone(&kept);
    let receive = move |request: &Request| {
        let sent = log_record(&request.body);
        let body = sent["body"]["stringValue"].as_str().unwrap();
        keeps.lock().unwrap().push(serde_json::from_str(body).unwrap());
        json(ACCEPTED)
    };
    Mock::given(method("POST")).and(path("/v1/logs")).respond_with(receive).mount(&server).await;
    let open = || OpenTelemetryAudit::at(&server.uri()).build().unwrap();
    assert!(!open().acknowledges(), "it never counts");
    conformance::audit_sink::check(open, || kept.lock().unwrap().clone()).await;
    let full = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(503)).mount(&full).await;
    let broken = OpenTelemetryAudit::at(&full.uri()).build().unwrap();
    conformance::audit_sink::check_failing(&broken, Vec::new).await;
}

#[tokio::test]
async fn services_that_say_with_another_status_that_they_took_it_are_believed() {
    for response in [
        ResponseTemplate::new(204),
        ResponseTemplate::new(202),
        json("{}"),
        json(r#"{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"made-up"}}"#),
    ] {
        let (_, result) = sent_to(response).await;
        result.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_good_answer_is_an_error_that_shows_nothing_of_it() {
    let elsewhere = ResponseTemplate::new(307).insert_header("location", "http://127.0.0.1:1/made-up");
    let rejects = |count: &str| {
        json(&format!(r#"{{"partialSuccess":{{"rejectedLogRecords":{count},"errorMessage":"made-up"}}}}"#))
    };
    for (response, says) in [
        (rejects("\"1\""), "it rejects the record"),
        (rejects("1"), "it rejects the record"),
        (ResponseTemplate::new(400).set_body_string("made-up"), "HTTP 400: it cannot read"),
        (ResponseTemplate::new(401).set_body_string("made-up"), "HTTP 401: the login is refused"),
        (ResponseTemplate::new(403), "HTTP 403"),
        (ResponseTemplate::new(404), "HTTP 404: it takes no OTLP over HTTP there"),
        (ResponseTemplate::new(413), "HTTP 413: the record is too large"),
        (ResponseTemplate::new(415), "HTTP 415: it takes no JSON"),
        (ResponseTemplate::new(429), "HTTP 429"),
        (ResponseTemplate::new(500), "HTTP 500"),
        (ResponseTemplate::new(503).insert_header("retry-after", "1"), "HTTP 503"),
        (elsewhere, "HTTP 307: a redirect, which is not followed"),
        (ResponseTemplate::new(200), "an answer that is not one to `/v1/logs`"),
        (ResponseTemplate::new(200).set_body_string("<p>made-up"), "an answer that is not one to `/v1/logs`"),
        (json(r#"{"error":"made-up"}"#), "an answer that is not one to `/v1/logs`"),
        (json(&format!("{{\"partialSuccess\":{{}}}}{}", " ".repeat(100_000))), "far too long"),
    ] {
        let (server, result) = sent_to(response).await;
        let error = result.unwrap_err();
        assert!(error.kind() == ErrorKind::Audit && error.message().contains(says), "{error}");
        assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "nothing is sent a second time: {says}");
    }
}

#[tokio::test]
async fn logins_are_sent_and_never_shown() {
    let (token, password) = ("made-up-token-of-a-sender", "made-up-password-of-a-sender");
    values::record(token.as_bytes());
    values::record(password.as_bytes());
    let secret = |text: &str| SecretValue::credential(text.as_bytes().to_vec());
    let at = OpenTelemetryAudit::at;
    let build = |uri: &str, way: &str| match way {
        "bearer" => at(uri).token(&secret(token)).build().unwrap(),
        "basic" => at(uri).password("sender", &secret(password)).build().unwrap(),
        _ => at(uri).header("api-key", &secret(token)).build().unwrap(),
    };
    for (way, name, wanted) in [
        ("bearer", "authorization", "Bearer made-up-token-of-a-sender"),
        // The base64 of `sender:` and the password.
        ("basic", "authorization", "Basic c2VuZGVyOm1hZGUtdXAtcGFzc3dvcmQtb2YtYS1zZW5kZXI="),
        ("header", "api-key", token),
    ] {
        let server = MockServer::start().await;
        Mock::given(header(name, wanted)).respond_with(json(ACCEPTED)).mount(&server).await;
        build(&server.uri(), way).append(&record()).await.unwrap();
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests[0].headers.contains_key("authorization"), name == "authorization");
        let error = build("http://127.0.0.1:1", way).append(&record()).await.unwrap_err();
        assert!(error.message().contains("a refused connection"), "{error}");
        assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
    }
}
