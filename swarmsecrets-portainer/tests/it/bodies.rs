//! Answers that are large, endless, silent or no HTTP at all.

use std::time::Duration;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::transport::Transport;

use crate::server::{Answer, End, Server};
use crate::{builder, change, look, permit};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_large_answer_is_read_into_one_buffer_of_its_size() {
    let body = "x".repeat(20_000_000);
    let server = Server::always(Answer::ok(&body)).await;
    let answer = builder(&server.url()).build().unwrap().read(&look()).await.unwrap();
    assert!(answer.body == body.as_bytes());
    assert_eq!(Vec::from(answer.body).capacity(), body.len());
}

#[tokio::test]
async fn an_answer_without_a_length_is_read_to_its_end() {
    for bytes in [
        format!("{CHUNKED}3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1,2]".to_owned(),
    ] {
        let server = Server::always(Answer::raw(&bytes, End::Close)).await;
        assert_eq!(builder(&server.url()).build().unwrap().read(&look()).await.unwrap().body, b"[1,2]"[..][..]);
    }
}

#[tokio::test]
async fn what_is_too_large_is_cut_whatever_it_claims() {
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n";
    for answer in [Answer::raw(announced, End::Silence), Answer::raw(CHUNKED, End::Endless)] {
        let server = Server::always(answer).await;
        let portainer = builder(&server.url()).max_body(1_000_000).build().unwrap();
        assert_eq!(portainer.read(&look()).await.unwrap_err().kind(), ErrorKind::TooLarge);
        let error = portainer.write(change(), permit()).await.unwrap_err();
        assert!(error.is_unknown() && error.message().contains("larger than"), "it may have been done: {error}");
        assert_eq!(server.requests().len(), 2);
    }
    let server = Server::always(Answer::ok("12345")).await;
    assert!(builder(&server.url()).max_body(5).build().unwrap().read(&look()).await.is_ok());
    assert!(builder(&server.url()).max_body(4).build().unwrap().read(&look()).await.is_err());
}

#[tokio::test]
async fn an_endless_refusal_keeps_its_status() {
    let head = "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";
    let server = Server::always(Answer::raw(head, End::Endless)).await;
    let error = builder(&server.url()).build().unwrap().read(&look()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.message().len() < 1000, "{error}");
}

#[tokio::test]
async fn a_silence_within_an_answer_is_a_time_out() {
    let server = Server::always(Answer::raw(&format!("{CHUNKED}3\r\n[1,\r\n"), End::Silence)).await;
    let portainer = builder(&server.url()).timeout(Duration::from_millis(200)).retries(0).build().unwrap();
    let error = portainer.read(&look()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let error = portainer.write(change(), permit()).await.unwrap_err();
    assert!(error.is_unknown(), "{error}");
    let mut stream = portainer.stream(&look()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), b"[1,");
    assert_eq!(stream.next().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_stream_ends_or_breaks_and_then_stays_so() {
    for (end, well) in [("0\r\n\r\n", true), ("", false)] {
        let server = Server::always(Answer::raw(&format!("{CHUNKED}2\r\nab\r\n{end}"), End::Close)).await;
        let portainer = builder(&server.url()).build().unwrap();
        let mut stream = portainer.stream(&look()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), b"ab");
        match stream.next().await {
            Ok(piece) => assert!(well && piece.is_none()),
            Err(error) => assert!(!well && error.kind() == ErrorKind::Protocol, "{error}"),
        }
        assert_eq!(stream.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_no_http_is_said() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ] {
        let server = Server::always(Answer::raw(answer, End::Close)).await;
        let portainer = builder(&server.url()).retries(0).build().unwrap();
        assert_eq!(portainer.read(&look()).await.unwrap_err().kind(), ErrorKind::Protocol, "{answer:?}");
        assert_eq!(portainer.write(change(), permit()).await.unwrap_err().kind(), ErrorKind::Protocol, "{answer:?}");
    }
}
