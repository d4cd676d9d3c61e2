//! Answers that are not believed, and receivers that do not answer.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use swarmsecrets_core::approval::{Approver, ChangeRequest};
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_testkit::conformance::approver::sample_request;
use swarmsecrets_webhook::{Headers, Secret, WebhookApprover};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::receiver::{answer, secret};

/// What comes of this answer to a poll.
async fn polled(request: &ChangeRequest, response: ResponseTemplate) -> Result<usize, (ErrorKind, String)> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(response).mount(&server).await;
    let approver = WebhookApprover::builder(&server.uri(), secret()).answers(&server.uri()).build().unwrap();
    let given = approver.decisions(request).await;
    given.map(|given| given.len()).map_err(|e| (e.kind(), e.to_string()))
}

fn none() -> Value {
    json!({"schema": 1, "decisions": []})
}

#[tokio::test]
async fn what_is_not_the_receivers_is_refused() {
    let request = sample_request().await;
    let (digest, now) = (request.digest().as_str(), Timestamp::now());
    assert_eq!(polled(&request, answer(digest, &none(), now)).await, Ok(0));
    assert_eq!(polled(&request, ResponseTemplate::new(204)).await, Ok(0));
    let old = answer(digest, &none(), now - SignedDuration::from_mins(6));
    let other = answer(&"0".repeat(64), &none(), now);
    let changed = answer(digest, &none(), now).set_body_string("{\"schema\": 1, \"decisions\": [ ]}");
    let unsigned = ResponseTemplate::new(200).set_body_json(none());
    for (what, response, words) in [
        ("an old one", old, "older"),
        ("that of another request", other, "another request"),
        ("one that was changed", changed, "signature"),
        ("one without a signature", unsigned, "webhook-id"),
    ] {
        let (kind, text) = polled(&request, response).await.unwrap_err();
        assert!(kind == ErrorKind::Denied && text.contains(words), "{what}: {text}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_that_shows_nothing_of_it() {
    let request = sample_request().await;
    let (digest, now) = (request.digest().as_str(), Timestamp::now());
    let elsewhere = ResponseTemplate::new(307).insert_header("location", "http://127.0.0.1:9/made-up-words");
    for (what, response, wanted) in [
        ("no decisions", answer(digest, &json!({"made-up-words": 1}), now), ErrorKind::Protocol),
        ("another format", answer(digest, &json!({"schema": 2, "decisions": []}), now), ErrorKind::Protocol),
        ("a redirect", elsewhere, ErrorKind::Protocol),
        ("a failure", ResponseTemplate::new(503).set_body_string("made-up-words"), ErrorKind::Unreachable),
        ("no right", ResponseTemplate::new(403).set_body_string("made-up-words"), ErrorKind::Forbidden),
        ("too much", ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 5 << 20]), ErrorKind::TooLarge),
    ] {
        let (kind, text) = polled(&request, response).await.unwrap_err();
        assert!(kind == wanted && !text.contains("made-up"), "{what}: {kind}: {text}");
    }
}

#[tokio::test]
async fn a_callback_is_taken_only_with_its_signature() {
    let request = sample_request().await;
    let digest = request.digest().as_str();
    let approver = WebhookApprover::builder("http://127.0.0.1:9/", secret()).build().unwrap();
    let body = json!({"schema": 1, "decisions": [{"read_back": {
        "request": digest, "decision": "approve", "account": "U1", "at": Timestamp::now(), "reference": "m"
    }}]})
    .to_string();
    let other = Secret::new(SecretValue::new(b"made-up-secret-of-somebody-else".to_vec()).unwrap()).unwrap();
    let (timestamp, forged) = other.sign(digest, Timestamp::now(), body.as_bytes());
    let headers = Headers { id: digest, timestamp: &timestamp, signature: &forged };
    assert_eq!(approver.receive(headers, body.as_bytes()).unwrap_err().kind(), ErrorKind::Denied);
    assert!(approver.decisions(&request).await.unwrap().is_empty());
    let (timestamp, signature) = Secret::new(secret()).unwrap().sign(digest, Timestamp::now(), body.as_bytes());
    let headers = Headers { id: digest, timestamp: &timestamp, signature: &signature };
    approver.receive(headers, body.as_bytes()).unwrap();
    assert_eq!(approver.decisions(&request).await.unwrap().len(), 1);
}

#[tokio::test]
async fn settings_are_checked_and_nobody_there_is_said() {
    let build = |url: &str| WebhookApprover::builder(url, secret()).build();
    for url in [
        "http://hooks.example.org/",
        "https://me:made-up-pass@h/",
        "ftp://h/",
        "https://h/?token=made-up-pass",
        "",
        "https://h/ x",
    ] {
        let Err(error) = build(url) else { panic!("{url}") };
        assert!(error.kind() == ErrorKind::Settings && !error.to_string().contains("made-up"), "{error}");
    }
    let request = sample_request().await;
    let error = build("http://127.0.0.1:9/hook").unwrap().request(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}
