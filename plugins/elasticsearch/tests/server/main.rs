//! The sink on a real OpenSearch. Run by `cargo xtask test`, which starts one; plain `cargo test` leaves these tests out, and run by hand
//! without a server they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

use std::net::SocketAddr;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Phase};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_elasticsearch::ElasticsearchAudit;
use swarmsecrets_testkit::conformance;
use swarmsecrets_testkit::credential::wire_that_loses_the_answer_to;

fn address() -> SocketAddr {
    let told = std::env::var("SWARMSECRETS_TEST_OPENSEARCH");
    told.expect("run these tests with `cargo xtask test`, which starts what they need").parse().unwrap()
}

fn open(address: SocketAddr, index: &str) -> ElasticsearchAudit {
    ElasticsearchAudit::at(&format!("http://{address}")).index(index).build().unwrap()
}

/// Asks the server something about an index.
async fn ask(method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let tls = swarmsecrets_tls::config(&swarmsecrets_tls::Trust::System).unwrap();
    let client = Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let request = client.request(method.parse().unwrap(), format!("http://{}/{path}", address()));
    let request = request.header("content-type", "application/json").body(body.to_string());
    let response = request.send().await.unwrap();
    (response.status(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

/// The documents of an index with their names, in the order in which they came.
async fn documents(index: &str) -> Vec<(String, Value)> {
    let (status, _) = ask("POST", &format!("{index}/_refresh"), json!({})).await;
    if status == StatusCode::NOT_FOUND {
        return Vec::new();
    }
    let (status, found) =
        ask("POST", &format!("{index}/_search?size=1000"), json!({ "sort": [{ "_seq_no": "asc" }] })).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    let hits = found["hits"]["hits"].as_array().unwrap();
    hits.iter().map(|hit| (hit["_id"].as_str().unwrap().to_owned(), hit["_source"].clone())).collect()
}

fn record(step: u32) -> AuditRecord {
    AuditRecord {
        at: "2026-05-07T21:09:36Z".parse().unwrap(),
        actor: Actor { account: "svc-agent".into(), agent: None, reason: Some("due".into()), leave: None },
        environment: EnvironmentId(1),
        rotation: RotationId::from_random([1; 10]),
        plan: PlanDigest::from_sha256([2; 32]),
        phase: Phase::Intent,
        step,
        direction: Direction::Forward,
        action: format!("update service `web{step}`"),
        outcome: None,
        simulated: true,
    }
}

/// Reads what there is on a thread of its own, as the suite asks in between.
fn read_back(index: &'static str) -> Vec<AuditRecord> {
    let read = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let documents = runtime.block_on(documents(index));
        documents.into_iter().map(|(_, document)| serde_json::from_value(document).unwrap()).collect()
    };
    std::thread::spawn(read).join().unwrap()
}

#[tokio::test]
async fn an_index_keeps_the_promises_of_a_sink() {
    conformance::audit_sink::check(|| open(address(), "suite"), || read_back("suite")).await;
}

#[tokio::test]
async fn a_record_that_is_sent_again_is_there_once_under_the_name_that_its_content_gives() {
    let sink = open(address(), "again");
    for step in [0, 1, 0, 0, 1] {
        sink.append(&record(step)).await.unwrap();
    }
    let there = documents("again").await;
    assert_eq!(there.len(), 2);
    for (name, document) in &there {
        assert_eq!(document["@timestamp"], "2026-05-07T21:09:36Z");
        let read: AuditRecord = serde_json::from_value(document.clone()).unwrap();
        assert_eq!(*name, read.name().unwrap());
    }
    // Somebody changes one: it does not have its name any more.
    let (name, _) = &there[0];
    let (status, _) = ask("POST", &format!("again/_update/{name}"), json!({ "doc": { "action": "nothing" } })).await;
    assert_eq!(status, StatusCode::OK);
    let changed = documents("again").await.into_iter().find(|(other, _)| other == name).unwrap().1;
    let read: AuditRecord = serde_json::from_value(changed).unwrap();
    assert_ne!(*name, read.name().unwrap());
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_an_error_and_there_once_it_is_sent_again() {
    let wire = wire_that_loses_the_answer_to(b"web7", address()).await.unwrap();
    let error = open(wire, "lost").append(&record(7)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("index lost of http://"), "{error}");
    open(address(), "lost").append(&record(7)).await.unwrap();
    assert_eq!(documents("lost").await.len(), 1);
}

#[tokio::test]
async fn an_item_that_fails_in_an_answer_of_200_is_an_error() {
    let sink = open(address(), "blocked");
    sink.append(&record(0)).await.unwrap();
    let (status, _) = ask("PUT", "blocked/_settings", json!({ "index.blocks.write": true })).await;
    assert_eq!(status, StatusCode::OK);
    let error = sink.append(&record(1)).await.unwrap_err();
    assert!(error.message().contains("status 403 for the record: cluster_block_exception"), "{error}");
    conformance::audit_sink::check_failing(&sink, || read_back("blocked")).await;
    let (status, _) = ask("PUT", "blocked/_settings", json!({ "index.blocks.write": false })).await;
    assert_eq!(status, StatusCode::OK);
    let strict = json!({ "dynamic": "strict" });
    let (status, _) = ask("PUT", "blocked/_mapping", strict).await;
    assert_eq!(status, StatusCode::OK);
    sink.append(&AuditRecord { outcome: Some("done".into()), ..record(2) }).await.unwrap_err();
    sink.append(&record(1)).await.unwrap();
    assert_eq!(documents("blocked").await.len(), 2);
}

#[tokio::test]
async fn a_data_stream_takes_the_same_records() {
    let template = json!({ "index_patterns": ["stream-*"], "data_stream": {} });
    let (status, _) = ask("PUT", "_index_template/streams", template).await;
    assert_eq!(status, StatusCode::OK);
    let sink = open(address(), "stream-audit");
    for step in [0, 1, 0] {
        sink.append(&record(step)).await.unwrap();
    }
    assert_eq!(documents("stream-audit").await.len(), 2);
}
