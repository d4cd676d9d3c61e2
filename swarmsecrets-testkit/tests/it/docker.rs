//! The real Engine's back end, against a socket and a command that say what they were told.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use swarmsecrets_testkit::engine::{Engine, EngineRequest, StackDeployment};
use swarmsecrets_testkit::gateway::DockerEngine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

fn get(path: &str, query: &[(&str, &str)]) -> EngineRequest {
    let query = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    EngineRequest { method: "GET".into(), path: path.into(), query, body: Vec::new() }
}

/// Answers one connection with these bytes, and gives what was asked.
fn answer_once(socket: &Path, answer: &'static [u8]) -> tokio::task::JoinHandle<String> {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.windows(4).any(|w| w == b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let n = stream.read(&mut buffer).await.unwrap();
            asked.extend_from_slice(&buffer[..n]);
        }
        stream.write_all(answer).await.unwrap();
        String::from_utf8(asked).unwrap()
    })
}

fn command(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("docker");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn shop() -> StackDeployment {
    StackDeployment {
        name: "shop".into(),
        file: "services: {}\n".into(),
        variables: vec![("TAG".into(), "v 2".into())],
        prune: true,
    }
}

#[tokio::test]
async fn a_call_goes_over_the_socket_and_a_raw_stream_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let engine = DockerEngine::new(&socket, Path::new("docker"));
    let asked = answer_once(
        &socket,
        b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    );
    let answer = engine.call(get("/secrets/a b", &[("filters", "{\"names\":[\"x\"]}")])).await;
    assert_eq!(
        (answer.status, answer.content_type.as_str(), answer.body.as_slice()),
        (404, "application/json", &b"{}"[..])
    );
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("GET /secrets/a%20b?filters=%7B%22names%22%3A%5B%22x%22%5D%7D HTTP/1.1\r\n"), "{asked}");
    std::fs::remove_file(&socket).unwrap();
    let asked = answer_once(
        &socket,
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n\x01\0\0\0\0\0\0\x02ok",
    );
    let mut answer = engine.stream(get("/exec/x/start", &[])).await;
    let mut body = Vec::new();
    while let Some(piece) = answer.body.next().await {
        body.extend(piece);
    }
    assert_eq!(
        (answer.content_type.as_str(), body.as_slice()),
        ("application/vnd.docker.raw-stream", &b"\x01\0\0\0\0\0\0\x02ok"[..])
    );
    drop(asked);
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_a_bad_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let answer = DockerEngine::new(&folder.path().join("none"), Path::new("docker")).call(get("/secrets", &[])).await;
    assert_eq!(answer.status, 502);
    assert!(String::from_utf8(answer.body).unwrap().contains("cannot reach the Docker Engine"));
}

#[tokio::test]
async fn a_stack_goes_to_the_command_with_its_file_on_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let docker =
        command(folder.path(), &format!("{{ shift 2; echo \"$@\"; echo \"TAG=$TAG\"; cat; }} > '{}'", seen.display()));
    let engine = DockerEngine::new(&folder.path().join("sock"), &docker);
    engine.deploy(shop()).await.unwrap();
    let said = std::fs::read_to_string(&seen).unwrap();
    let host = format!("--host unix://{}", folder.path().join("sock").display());
    assert_eq!(
        said,
        format!("{host} stack deploy --with-registry-auth --prune --compose-file - -- shop\nTAG=v 2\nservices: {{}}\n")
    );
    engine.undeploy("shop").await.unwrap();
    assert!(std::fs::read_to_string(&seen).unwrap().starts_with(&format!("{host} stack rm -- shop\n")));
}

#[tokio::test]
async fn what_the_command_complains_of_is_passed_on_without_its_notice() {
    let folder = tempfile::tempdir().unwrap();
    let docker = command(
        folder.path(),
        "echo 'Since --detach=false was not specified, tasks will be created in the background.' >&2
         echo 'In a future release, --detach=false will become the default.' >&2
         echo 'service web: secret not found: x' >&2; exit 1",
    );
    let engine = DockerEngine::new(&folder.path().join("sock"), &docker);
    assert_eq!(engine.deploy(shop()).await, Err("service web: secret not found: x\n".into()));
    let none = DockerEngine::new(&folder.path().join("sock"), &folder.path().join("none"));
    assert!(none.deploy(shop()).await.unwrap_err().starts_with("cannot run the docker command"));
}
