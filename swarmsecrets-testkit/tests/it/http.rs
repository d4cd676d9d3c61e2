//! The rules over a socket.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::engine::{Engine, EngineRequest, EngineResponse, EngineStream, Pieces, StackDeployment};
use swarmsecrets_testkit::gateway::{Serving, serve, serve_live};
use swarmsecrets_testkit::portainer::{Portainer, PortainerRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::accounts::{Hand, accounts};

/// Repeats the request's path and query; its events come one by one, the second when it is told.
#[derive(Default)]
struct Echo {
    second_event: Arc<Notify>,
}

struct Events(u8, Arc<Notify>);

#[async_trait]
impl Pieces for Events {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.0 += 1;
        match self.0 {
            1 => Some(b"first\n".to_vec()),
            2 => {
                self.1.notified().await;
                Some(b"second\n".to_vec())
            }
            _ => None,
        }
    }
}

#[async_trait]
impl Engine for Echo {
    async fn call(&self, request: EngineRequest) -> EngineResponse {
        let status = if request.path == "/silence" { 0 } else { 200 };
        let body = serde_json::to_vec(&(request.path, request.query)).unwrap();
        EngineResponse { status, content_type: "application/json".into(), body }
    }
    async fn stream(&self, request: EngineRequest) -> EngineStream {
        if request.path != "/events" {
            return self.call(request).await.into();
        }
        let body = Box::new(Events(0, self.second_event.clone()));
        EngineStream { status: 200, content_type: "application/json".into(), body }
    }
    async fn deploy(&self, _: StackDeployment) -> Result<(), String> {
        Ok(())
    }
    async fn undeploy(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn simulated(&self) -> bool {
        true
    }
}

async fn served(engine: Echo) -> Serving {
    let mut state = accounts();
    state.set_password(1, "made-up-password");
    let portainer = Portainer::new(Arc::new(engine), Arc::new(Hand(Mutex::new(0))), state);
    serve(Arc::new(portainer), TcpListener::bind("127.0.0.1:0").await.unwrap()).await.unwrap()
}

async fn send(serving: &Serving, head: &str, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(serving.address()).await.unwrap();
    let text = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(text.as_bytes()).await.unwrap();
    socket
}

async fn ask(serving: &Serving, head: &str, body: &str) -> String {
    let mut answer = String::new();
    send(serving, head, body).await.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn paths_and_queries_are_decoded_and_unknown_credentials_refused() {
    let serving = served(Echo::default()).await;
    let head = "GET /api/endpoints/1/docker/x%20y?filters=%7B%22a%22%7D&b=1+2 HTTP/1.1\r\nX-API-Key: key of 1";
    let answer = ask(&serving, head, "").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(r#"["/x y",[["filters","{\"a\"}"],["b","1 2"]]]"#), "{answer}");
    let refused = ask(&serving, "GET /api/users/me HTTP/1.1", "").await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let open = ask(&serving, "GET /api/system/status HTTP/1.1", "").await;
    assert!(open.contains(r#""Version":"2.23.0""#), "{open}");
    serving.stop().await;
}

#[tokio::test]
async fn the_cookie_of_a_login_spoils_what_changes_something() {
    let serving = served(Echo::default()).await;
    let login = ask(&serving, "POST /api/auth HTTP/1.1", r#"{"username":"admin","password":"made-up-password"}"#).await;
    let token = login.split("\"jwt\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let cookie = login.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap();
    assert_eq!(cookie, format!("portainer_api_key={token}"));
    let with = |method: &str, headers: &str| format!("{method} /api/resource_controls/9 HTTP/1.1\r\n{headers}");
    let bearer = format!("Authorization: Bearer {token}");
    let body = r#"{"Public":true}"#;
    let without_cookie = ask(&serving, &with("PUT", &bearer), body).await;
    assert!(without_cookie.starts_with("HTTP/1.1 404"), "{without_cookie}");
    let both = ask(&serving, &with("PUT", &format!("{bearer}\r\nCookie: {cookie}")), body).await;
    assert!(both.starts_with("HTTP/1.1 403"), "{both}");
    let reading = ask(&serving, &with("GET", &format!("Cookie: {cookie}")), "").await;
    assert!(reading.starts_with("HTTP/1.1 405"), "{reading}");
    let wrong = ask(&serving, "POST /api/auth HTTP/1.1", r#"{"username":"admin","password":"guess"}"#).await;
    assert!(wrong.starts_with("HTTP/1.1 422"), "{wrong}");
}

#[tokio::test]
async fn events_arrive_as_they_happen() {
    let second = Arc::new(Notify::new());
    let serving = served(Echo { second_event: second.clone() }).await;
    let head = "GET /api/endpoints/1/docker/events HTTP/1.1\r\nX-API-Key: key of 2";
    let mut socket = send(&serving, head, "").await;
    let mut so_far = String::new();
    let mut buffer = [0; 1024];
    while !so_far.contains("first") {
        let n = socket.read(&mut buffer).await.unwrap();
        assert!(n > 0, "ended after {so_far}");
        so_far.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    assert!(!so_far.contains("second"));
    second.notify_one();
    let mut rest = String::new();
    socket.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("second"), "{rest}");
}

#[tokio::test]
async fn an_answer_that_is_lost_breaks_the_connection_off() {
    let serving = served(Echo::default()).await;
    let head = "GET /api/endpoints/1/docker/silence HTTP/1.1\r\nX-API-Key: key of 1";
    assert_eq!(ask(&serving, head, "").await, "");
    let after = ask(&serving, "GET /api/users/me HTTP/1.1\r\nX-API-Key: key of 1", "").await;
    assert!(after.starts_with("HTTP/1.1 200"), "{after}");
}

#[tokio::test]
async fn a_simulation_that_is_served_live_moves_on_by_itself() {
    let swarm = SimSwarm::new(1);
    let before = swarm.clock().wall();
    let serving = serve_live(&swarm, TcpListener::bind("127.0.0.1:0").await.unwrap(), 1_000_000).await.unwrap();
    while swarm.clock().wall().duration_since(before).as_secs() < 60 {
        tokio::task::yield_now().await;
    }
    let answer = ask(&serving, "GET /api/system/status HTTP/1.1", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serving.stop().await;
}

/// Says that a node may join with this.
struct Joinable;

#[async_trait]
impl Engine for Joinable {
    async fn call(&self, _: EngineRequest) -> EngineResponse {
        let body = br#"{"JoinTokens":{"Worker":"made-up"},"ID":"abc","TLSInfo":{}}"#.to_vec();
        EngineResponse { status: 200, content_type: "application/json".into(), body }
    }
    async fn deploy(&self, _: StackDeployment) -> Result<(), String> {
        Ok(())
    }
    async fn undeploy(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn simulated(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn what_lets_a_node_join_is_for_administrators() {
    let portainer = Portainer::new(Arc::new(Joinable), Arc::new(Hand(Mutex::new(0))), accounts());
    for (user, shown) in [(1, r#"{"ID":"abc","JoinTokens":{"Worker":"made-up"},"TLSInfo":{}}"#), (2, r#"{"ID":"abc"}"#)]
    {
        let request = PortainerRequest::new("GET", "/api/endpoints/1/docker/swarm");
        let answer = portainer.answer_to(user, request).await.bytes().await;
        assert_eq!(String::from_utf8(answer).unwrap(), shown);
    }
}
