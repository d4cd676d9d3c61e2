//! The remotes on git's own server, and on servers that are none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

use std::time::Duration;

use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::{Error, ErrorKind};
use swarmsecrets_git::HttpRemotes;
use swarmsecrets_testkit::GitServer;
use wiremock::matchers::{any, header_exists};
use wiremock::{Mock, MockServer, ResponseTemplate};

const MAIN: &str = "refs/heads/main";

fn remotes() -> HttpRemotes {
    HttpRemotes::new(Duration::from_secs(20))
}

async fn refused(url: &str) -> Error {
    remotes().head(url, MAIN).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn git_s_own_server_tells_where_each_branch_and_tag_stands() {
    let server = GitServer::start().unwrap();
    let first = server.commit("docker-compose.yml", "services: {}\n").unwrap();
    server.git(&["tag", "v1"]).unwrap();
    let url = server.url().to_owned();
    assert_eq!(remotes().head(&url, MAIN).await.unwrap(), first);
    let second = server.commit("docker-compose.yml", "services: {web: {}}\n").unwrap();
    assert_ne!(first, second);
    assert_eq!(remotes().head(&url, MAIN).await.unwrap(), second);
    assert_eq!(remotes().head(&url, "refs/tags/v1").await.unwrap(), first);
    let gone = remotes().head(&url, "refs/heads/gone").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn whatever_is_no_git_server_says_nothing() {
    let page = "<title>made-up words</title>";
    for (status, kind) in [
        (200, ErrorKind::Protocol),
        (401, ErrorKind::Unreachable),
        (404, ErrorKind::Unreachable),
        (500, ErrorKind::Unreachable),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_string(page);
        Mock::given(any()).respond_with(answer).expect(1).mount(&server).await;
        let error = refused(&format!("{}/shop.git", server.uri())).await;
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert!(!format!("{error} {error:?}").contains("made-up"), "{error:?}");
    }
    assert_eq!(refused("http://127.0.0.1:9/shop.git").await.kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn nobody_is_led_to_another_host() {
    let other = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&other).await;
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(302).insert_header("Location", format!("{}/info/refs", other.uri()));
    Mock::given(header_exists("authorization")).respond_with(ResponseTemplate::new(500)).expect(0).mount(&server).await;
    Mock::given(any()).respond_with(elsewhere).expect(1).mount(&server).await;
    let error = refused(&format!("{}/shop.git", server.uri())).await;
    assert!(error.to_string().contains("HTTP 302"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_silent_or_endless_is_left() {
    let silent = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(any()).respond_with(late).mount(&silent).await;
    let short = HttpRemotes::new(Duration::from_secs(1));
    let error = short.head(&silent.uri(), MAIN).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 1 s"), "{error}");

    let endless = MockServer::start().await;
    let much = ResponseTemplate::new(200).set_body_bytes(vec![b'0'; 33 * 1024 * 1024]);
    Mock::given(any()).respond_with(much).mount(&endless).await;
    let error = refused(&endless.uri()).await;
    assert!(error.to_string().contains("longer than 32 MiB"), "{error}");
}
