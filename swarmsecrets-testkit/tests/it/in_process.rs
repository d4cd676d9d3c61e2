//! Core's transport without a socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::{EnvironmentId, StackId};
use swarmsecrets_core::transport::{Read, Transport};
use swarmsecrets_testkit::portainer::{Portainer, PortainerClient, PortainerRequest, WireFault};

use crate::accounts::{Hand, accounts};
use crate::scripted::Scripted;

fn portainer() -> Arc<Portainer> {
    Arc::new(Portainer::new(Arc::new(Scripted::default()), Arc::new(Hand(Mutex::new(1_795_000_000))), accounts()))
}

#[tokio::test]
async fn a_good_answer_comes_whole_and_a_bad_one_as_its_kind() {
    let portainer = portainer();
    let agent = PortainerClient::new(portainer.clone(), 2).agent("agent-1");
    let me = agent.read(&Read::me()).await.unwrap();
    assert!(String::from_utf8(me.body.into()).unwrap().contains("svc-agent"));
    assert_eq!(agent.read(&Read::users()).await.unwrap_err().kind(), ErrorKind::Forbidden);
    let elsewhere = agent.read(&Read::secrets(EnvironmentId(99))).await.unwrap_err();
    assert_eq!(elsewhere.kind(), ErrorKind::NotFound);
    assert_eq!(
        PortainerClient::new(portainer.clone(), 77).read(&Read::me()).await.unwrap_err().kind(),
        ErrorKind::Unauthorized
    );
    assert!(agent.simulated());
    assert_eq!((agent.requests(), portainer.requests()), (3, 4));
}

#[tokio::test]
async fn the_wire_can_fail_in_every_way_and_what_was_sent_is_done() {
    let portainer = portainer();
    let client = PortainerClient::new(portainer.clone(), 1);
    for (fault, kind, done) in [
        (WireFault::Unreachable, ErrorKind::Unreachable, 0),
        (WireFault::LoseAnswer, ErrorKind::Timeout, 1),
        (WireFault::Answer(503, "{}".into()), ErrorKind::Protocol, 0),
        (WireFault::Mask(502, "{}".into()), ErrorKind::Protocol, 1),
    ] {
        let before = portainer.requests();
        let next = fault.clone();
        client.on_request(move |_| Some(next.clone()));
        assert_eq!(client.read(&Read::stacks()).await.unwrap_err().kind(), kind, "{fault:?}");
        assert_eq!(portainer.requests() - before, done, "{fault:?}");
    }
    client.on_request(|view| view.path.ends_with("me").then_some(WireFault::Delay(Duration::from_secs(30))));
    let before = portainer.clock().now().wall;
    client.read(&Read::me()).await.unwrap();
    assert!(portainer.clock().now().wall.duration_since(before).as_secs() >= 30);
}

#[tokio::test]
async fn a_git_stack_updates_itself_when_its_repository_moves() {
    const URL: &str = "https://git.example.com/shop.git";
    let portainer = portainer();
    let push = |text: &str| portainer.state().push(URL, "refs/heads/main", "docker-compose.yml", text);
    push("services: {a: {}}\n");
    let create =
        PortainerRequest::new("POST", "/api/stacks/create/swarm/repository").param("endpointId", "1").json(&json!({
            "name": "shop", "swarmID": "x", "repositoryURL": URL, "autoUpdate": {"interval": "5m"},
        }));
    assert_eq!(portainer.answer_to(1, create).await.status, 200);
    let client = PortainerClient::new(portainer.clone(), 1);
    let moved = push("services: {b: {}}\n");
    let file =
        async || String::from_utf8(client.read(&Read::stack_file(StackId(1))).await.unwrap().body.into()).unwrap();
    portainer.clock().sleep(Duration::from_secs(200)).await;
    assert!(file().await.contains("a:"));
    portainer.clock().sleep(Duration::from_secs(101)).await;
    assert!(file().await.contains("b:"));
    assert_eq!(portainer.state().stacks()[0].git_config.as_ref().unwrap().config_hash, moved);
}

#[tokio::test]
async fn a_stopped_stack_starts_from_its_file_and_a_removed_one_is_gone() {
    let portainer = portainer();
    let ask = async |method: &str, path: &str, body: serde_json::Value| {
        let request = PortainerRequest::new(method, path).param("endpointId", "1").json(&body);
        let answer = portainer.answer_to(1, request).await;
        (answer.status, serde_json::from_slice::<serde_json::Value>(&answer.bytes().await).unwrap_or_default())
    };
    let text = json!({"name": "shop", "swarmID": "x", "stackFileContent": "services: {}", "env": []});
    assert_eq!(ask("POST", "/api/stacks/create/swarm/string", text.clone()).await.0, 200);
    assert_eq!(ask("POST", "/api/stacks/create/swarm/string", text).await.0, 409);
    assert_eq!(ask("POST", "/api/stacks/1/start", json!(null)).await.0, 400);
    assert_eq!(ask("POST", "/api/stacks/1/stop", json!(null)).await.1["Status"], 2);
    assert_eq!(ask("POST", "/api/stacks/1/stop", json!(null)).await.0, 400);
    assert_eq!(ask("POST", "/api/stacks/1/start", json!(null)).await.1["Status"], 1);
    assert_eq!(ask("DELETE", "/api/stacks/1", json!(null)).await.0, 204);
    assert_eq!(ask("GET", "/api/stacks/1", json!(null)).await.0, 404);
}
