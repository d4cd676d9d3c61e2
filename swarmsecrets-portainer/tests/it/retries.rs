//! Reads are sent again, mutations never.

use std::time::Duration;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::transport::Transport;

use crate::server::{Answer, End, Server, nobody};
use crate::{builder, change, look, permit};

const SHORT: Duration = Duration::from_millis(300);

fn broken() -> [(&'static str, Answer, ErrorKind); 7] {
    [
        ("429", Answer::of(429, "Retry-After: 0\r\n", ""), ErrorKind::RateLimited),
        ("502", Answer::of(502, "", "<html>bad gateway</html>"), ErrorKind::Protocol),
        ("503", Answer::of(503, "", ""), ErrorKind::Protocol),
        ("504", Answer::of(504, "", ""), ErrorKind::Timeout),
        ("no answer", Answer::raw("", End::Silence), ErrorKind::Timeout),
        ("a closed connection", Answer::raw("", End::Close), ErrorKind::Protocol),
        ("half a head", Answer::raw("HTTP/1.1 200 OK\r\nContent-Le", End::Close), ErrorKind::Protocol),
    ]
}

#[tokio::test]
async fn a_read_is_sent_again_until_it_is_answered() {
    for (what, answer, _) in broken() {
        let server = Server::start(move |n| if n < 2 { answer.clone() } else { Answer::ok("[7]") }).await;
        let portainer = builder(&server.url()).timeout(SHORT).build().unwrap();
        assert_eq!(portainer.read(&look()).await.unwrap().body, b"[7]"[..][..], "{what}");
        assert_eq!((server.requests().len(), portainer.requests_sent()), (3, 3), "{what}");
    }
}

#[tokio::test]
async fn a_stream_is_asked_for_again_until_it_begins() {
    for (what, answer, _) in broken() {
        let server = Server::start(move |n| if n == 0 { answer.clone() } else { Answer::ok("line\n") }).await;
        let portainer = builder(&server.url()).timeout(SHORT).build().unwrap();
        let mut stream = portainer.stream(&look()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), b"line\n", "{what}");
        assert_eq!(server.requests().len(), 2, "{what}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_read_again() {
    let torn = Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,", End::Close);
    let server = Server::start(move |n| if n == 0 { torn.clone() } else { Answer::ok("[7]") }).await;
    let portainer = builder(&server.url()).build().unwrap();
    assert_eq!(portainer.read(&look()).await.unwrap().body, b"[7]"[..][..]);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn retries_end_and_the_kind_is_that_of_the_last_attempt() {
    for (what, answer, kind) in broken() {
        let server = Server::always(answer).await;
        let portainer = builder(&server.url()).timeout(SHORT).retries(1).build().unwrap();
        let error = portainer.read(&look()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.message().starts_with("after 2 attempts: cannot look"), "{error}");
        assert_eq!(server.requests().len(), 2, "{what}");
    }
}

#[tokio::test]
async fn a_mutation_is_sent_once_whatever_happens() {
    for (what, answer, kind) in broken() {
        let server = Server::always(answer).await;
        let portainer = builder(&server.url()).timeout(SHORT).retries(9).build().unwrap();
        let error = portainer.write(change(), permit()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert_eq!((server.requests().len(), portainer.requests_sent()), (1, 1), "{what}");
    }
}

#[tokio::test]
async fn a_mutation_whose_answer_breaks_off_is_not_known_to_have_failed() {
    let torn = Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ID\":", End::Close);
    let server = Server::always(torn).await;
    let error = builder(&server.url()).build().unwrap().write(change(), permit()).await.unwrap_err();
    assert!(error.is_unknown(), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_would_fail_again_is_not_asked_again() {
    for status in [400, 401, 403, 404, 405, 408, 409, 413, 500, 501] {
        let server = Server::always(Answer::of(status, "", "no")).await;
        let portainer = builder(&server.url()).build().unwrap();
        portainer.read(&look()).await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_hour_is_too_long_to_wait() {
    let server = Server::always(Answer::of(429, "Retry-After: 3600\r\n", "slow down")).await;
    let error = builder(&server.url()).build().unwrap().read(&look()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.message().contains("slow down") && error.message().contains("3600 seconds"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_sent() {
    let portainer = builder(&nobody().await).retries(1).build().unwrap();
    for error in [
        portainer.read(&look()).await.unwrap_err(),
        portainer.stream(&look()).await.err().unwrap(),
        portainer.write(change(), permit()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.message().contains("nothing was sent") && error.message().contains("refused"), "{error}");
    }
    assert_eq!(portainer.requests_sent(), 0);
}
