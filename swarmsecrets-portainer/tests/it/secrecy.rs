//! Whatever goes wrong with a mutation, its body and the key are in no error.

use std::error::Error as _;
use std::time::Duration;

use swarmsecrets_core::transport::Transport;
use swarmsecrets_core::{Error, ErrorKind};

use crate::server::{Answer, End, Server, nobody};
use crate::{KEY, VALUE, builder, change, permit};

/// Everything that can be made of an error: its words, and those of each of its causes, in every form.
fn everything(error: &Error) -> String {
    let mut shown = format!("{error}\n{error:?}\n{error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        shown += &format!("\n{error}\n{error:?}\n{error:#?}");
        cause = error.source();
    }
    shown
}

#[tokio::test]
async fn no_error_of_a_mutation_tells_its_body_or_the_key() {
    let statuses = (300..=599).step_by(7).chain([401, 403, 413]);
    let mut answers: Vec<Answer> = statuses.map(|status| Answer::of(status, "", "no")).collect();
    answers.extend([
        Answer::raw("", End::Close),
        Answer::raw("", End::Silence),
        Answer::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n", End::Close),
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", End::Close),
        Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", End::Close),
        Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", End::Endless),
    ]);
    let mut kinds = std::collections::HashSet::new();
    for answer in answers {
        let server = Server::always(answer).await;
        let portainer = builder(&server.url()).timeout(Duration::from_millis(300)).max_body(100_000).build().unwrap();
        let error = portainer.write(change(), permit()).await.unwrap_err();
        let shown = format!("{}\n{portainer:?}", everything(&error));
        assert!(!shown.contains(VALUE) && !shown.contains(KEY), "{shown}");
        assert_eq!(server.requests().iter().filter(|r| r.contains(VALUE)).count(), 1, "it was sent");
        kinds.insert(error.kind());
    }
    assert!(kinds.len() > 3, "{kinds:?}");
    let error = builder(&nobody().await).build().unwrap().write(change(), permit()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(!everything(&error).contains(VALUE));
}
