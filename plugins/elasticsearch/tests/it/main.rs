//! The sink before servers that answer what the test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use jiff::Timestamp;
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Phase};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_elasticsearch::ElasticsearchAudit;
use swarmsecrets_testkit::values;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const CREATED: &str = r#"{"errors":false,"items":[{"create":{"status":201}}]}"#;

fn record() -> AuditRecord {
    AuditRecord {
        at: Timestamp::UNIX_EPOCH,
        actor: Actor { account: "a\n{\"delete\":{\"_id\":\"x\"}}\n".into(), agent: None, reason: None, leave: None },
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

async fn sent_to(response: ResponseTemplate) -> (MockServer, swarmsecrets_core::Result<()>) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/swarmsecrets-audit/_bulk")).respond_with(response).mount(&server).await;
    let sink = ElasticsearchAudit::at(&server.uri()).build().unwrap();
    let result = sink.append(&record()).await;
    (server, result)
}

#[tokio::test]
async fn one_record_is_one_order_and_one_document_whatever_it_says() {
    let (server, result) = sent_to(ResponseTemplate::new(200).set_body_string(CREATED)).await;
    result.unwrap();
    let requests = server.received_requests().await.unwrap();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    let body = std::str::from_utf8(&request.body).unwrap();
    let lines: Vec<serde_json::Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [order, document] = &lines[..] else { panic!("{body}") };
    assert_eq!(*order, serde_json::json!({ "create": { "_id": record().name().unwrap() } }));
    assert_eq!(document["actor"]["account"], record().actor.account);
    assert_eq!(request.headers["content-type"], "application/x-ndjson");
}

#[tokio::test]
async fn what_is_no_good_answer_is_an_error_that_shows_nothing_of_it() {
    let elsewhere = ResponseTemplate::new(307).insert_header("location", "http://127.0.0.1:1/made-up");
    for (response, says) in [
        (ResponseTemplate::new(401).set_body_string("made-up"), "HTTP 401: the login is refused"),
        (ResponseTemplate::new(403), "HTTP 403"),
        (ResponseTemplate::new(413), "HTTP 413"),
        (ResponseTemplate::new(429), "HTTP 429"),
        (ResponseTemplate::new(503), "HTTP 503"),
        (elsewhere, "a redirect, which is not followed"),
        (ResponseTemplate::new(201).set_body_string(CREATED), "HTTP 201"),
        (ResponseTemplate::new(200).set_body_string("made-up"), "an answer that is not one to `_bulk`"),
        (ResponseTemplate::new(200).set_body_string("x".repeat(100_000)), "far too long"),
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
    let (password, key) = ("made-up-password-of-a-writer", "bWFkZS11cC1rZXk6b2YtYS13cml0ZXI=");
    values::record(password.as_bytes());
    values::record(key.as_bytes());
    let secret = |text: &str| SecretValue::credential(text.as_bytes().to_vec());
    for (wanted, user) in [
        // The base64 of `writer:` and the password.
        ("Basic d3JpdGVyOm1hZGUtdXAtcGFzc3dvcmQtb2YtYS13cml0ZXI=", true),
        ("ApiKey bWFkZS11cC1rZXk6b2YtYS13cml0ZXI=", false),
    ] {
        let server = MockServer::start().await;
        let good = ResponseTemplate::new(200).set_body_string(CREATED);
        Mock::given(header("authorization", wanted)).respond_with(good).mount(&server).await;
        let builder = ElasticsearchAudit::at(&server.uri());
        let builder = match user {
            true => builder.password("writer", &secret(password)),
            false => builder.api_key(&secret(key)),
        };
        builder.build().unwrap().append(&record()).await.unwrap();
    }
    let nobody = ElasticsearchAudit::at("http://127.0.0.1:1").password("writer", &secret(password)).build().unwrap();
    let error = nobody.append(&record()).await.unwrap_err();
    assert!(error.message().contains("a refused connection"), "{error}");
    assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
}
