//! What callers may try.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use swarmsecrets_client::{Change, Client, Equipment, Operations as _, Order, Wanted};
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::policy::{Permit, Word};
use swarmsecrets_core::transport::{Chunks, Read, Response, Transport, Write};
use swarmsecrets_core::{ErrorKind, Result, SecretValue};
use swarmsecrets_server::{Held, Seat, Server, Token};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::desk::{Desk, GOVERNED, apply, generated, remote, token};

const AUTOMATED: &str = "schema = 1\nphase = 'automated'\n";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_token_that_is_known() {
    let desk = Desk::new();
    let (_serving, _) = desk.serve_one(AUTOMATED);
    let stranger = remote(&desk.folder.path().join("socket"), &token());
    for error in [
        stranger.caller().await.map(drop).unwrap_err(),
        stranger.inventory().await.map(drop).unwrap_err(),
        stranger.plan(generated("db_password")).await.map(drop).unwrap_err(),
        stranger.retire(&Order::of(Word::Given)).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    }
    assert!(desk.trail.records().is_empty());
}

/// A plan that was made elsewhere may be made by anybody, also one that no planner would make.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_server_has_planned_for_the_caller_is_carried_out() {
    let desk = Desk::new();
    let seats = vec![desk.full("agent-7", AUTOMATED), desk.full("agent-8", AUTOMATED)];
    let (_serving, remotes) = desk.serve(seats);
    let elsewhere = Client::new(desk.equipment("agent-7", ""));
    let foreign = elsewhere.plan(generated("report_password")).await.unwrap();
    let of_another = remotes[1].plan(generated("report_password")).await.unwrap();
    for plan in [&foreign, &of_another] {
        let error = apply(&remotes[0], plan).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stale, "{error}");
    }
    assert_eq!(desk.trail.records().len(), 2, "both attempts are told");
    assert!(apply(&remotes[1], &of_another).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_who_its_token_says_and_what_it_may_is_what_the_policy_says() {
    let desk = Desk::new();
    let policy = "schema = 1\nphase = 'automated'\n[[rules]]\nname = 'not-8'\neffect = 'deny'\nreason = 'agent 8 may not'\nselect = { agents = ['agent-8'] }\n";
    let seats = vec![desk.full("agent-7", policy), desk.full("agent-8", policy), desk.read_only("agent-9", policy)];
    let (_serving, remotes) = desk.serve(seats);
    for (remote, kind) in [(&remotes[1], ErrorKind::Denied), (&remotes[2], ErrorKind::Denied)] {
        let plan = remote.plan(generated("report_password")).await.unwrap();
        assert_eq!(apply(remote, &plan).await.unwrap_err().kind(), kind);
    }
    let rotation = RotationId::new("r-0123456789abcdef0123").unwrap();
    let read_only = remotes[2].rollback(&rotation, &Order::of(Word::Given)).await.unwrap_err();
    assert!(read_only.to_string().contains("change nothing"), "{read_only}");
    let told = desk.trail.records();
    let last = told.last().map(|r| (r.actor.agent.clone(), r.action.clone())).unwrap();
    assert_eq!(last, (Some("agent-9".into()), "put rotation r-0123456789abcdef0123 back, through a server".into()));
    let plan = remotes[0].plan(generated("report_password")).await.unwrap();
    assert_eq!(plan.agent.as_deref(), Some("agent-7"));
    let rotation = apply(&remotes[0], &plan).await.unwrap().rotation.unwrap();
    let undone = remotes[1].rollback(&rotation, &Order::of(Word::Given)).await.unwrap_err();
    assert_eq!(undone.kind(), ErrorKind::Denied, "{undone}");
}

/// Also where an answer says, once somebody has asked, that all of it is simulated.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_nothing_is_changed() {
    let desk = Desk::new();
    let equipment = desk.equipment("agent-7", "");
    let transport = Arc::new(Late { inner: Arc::clone(&equipment.transport), asked: AtomicBool::new(false) });
    let client = Client::new(Equipment { transport, ..equipment });
    let (_serving, remotes) = desk.serve(vec![Seat::new(Held::Full(Arc::new(client))).unwrap()]);
    let plan = remotes[0].plan(generated("report_password")).await.unwrap();
    let error = apply(&remotes[0], &plan).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("start it with one"), "{error}");
    assert_eq!(desk.trail.records().len(), 1, "the attempt is told");
}

/// A way to a world that says with its first answer that it is simulated.
struct Late {
    inner: Arc<dyn Transport>,
    asked: AtomicBool,
}

#[async_trait]
impl Transport for Late {
    async fn read(&self, request: &Read) -> Result<Response> {
        self.asked.store(true, Ordering::SeqCst);
        self.inner.read(request).await
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        self.inner.stream(request).await
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        self.inner.write(request, permit).await
    }

    fn simulated(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_crosses_the_socket_and_what_only_a_person_may_say_is_not_offered() {
    let desk = Desk::new();
    let (_serving, remote) = desk.serve_one(AUTOMATED);
    let supplied = Wanted { secrets: vec!["report_password".into()], ..Wanted::default() };
    let error = remote.plan(supplied).await.unwrap_err();
    assert!(error.to_string().contains("let it generate one"), "{error}");
    let plan = remote.plan(generated("report_password")).await.unwrap();
    let value = SecretValue::new("made-up-value".into()).unwrap();
    let change = Change { plan: &plan, values: Values::one(value), approval: None };
    assert_eq!(remote.apply(change, &Order::of(Word::Given)).await.unwrap_err().kind(), ErrorKind::Denied);
    let rotation = apply(&remote, &plan).await.unwrap().rotation.unwrap();
    let order = Order::of(Word::Given);
    assert_eq!(remote.close(&rotation, &order).await.unwrap_err().kind(), ErrorKind::Denied);
    let sure = Order { accept_inconclusive: true, ..Order::of(Word::Given) };
    assert_eq!(remote.resume(&rotation, Values::none(), &sure).await.unwrap_err().kind(), ErrorKind::Denied);
}

/// Sends bytes as they are, and gives what is answered.
pub(crate) async fn raw(desk: &Desk, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(desk.folder.path().join("socket")).await.unwrap();
    // What is refused at its head may be hung up on before its end.
    drop(stream.write_all(request).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_and_tells_nothing() {
    let desk = Desk::new();
    let known = token();
    let path = desk.folder.path().join("socket");
    let seat = desk.full("agent-7", AUTOMATED);
    let mut serving = Server::new([(Token::new(&known).unwrap(), seat)]).unwrap().start();
    serving.listen_on_socket(&path).unwrap();
    let bearer = String::from_utf8_lossy(known.expose()).into_owned();
    let head = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {bearer}\r\n{more}\r\n")
    };
    let large = format!("{}{}", head("POST /v1/plans", "content-length: 2000000\r\n"), "x".repeat(2_000_000));
    for (request, status) in [
        (head("GET /v1", "origin: http://127.0.0.1\r\n"), "403"),
        (head("GET /v1/../v1/inventory", ""), "404"),
        (head("POST /v1/rotations/..%2f..%2fapply/resume", "content-length: 0\r\n"), "400"),
        (format!("{}{{\"plan\": 7}}", head("POST /v1/apply", "content-length: 11\r\n")), "400"),
        (format!("{}{{\"secret\": 1}}", head("POST /v1/plans", "content-length: 13\r\n")), "400"),
        (large, "413"),
        (head("GET /v1", "").replace(&bearer, &bearer[1..]), "401"),
        (head("GET /v1", "").replace("Bearer", "Basic"), "401"),
    ] {
        let answer = raw(&desk, request.as_bytes()).await;
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{first} for {}", request.lines().next().unwrap_or_default());
        assert!(!answer.contains(&bearer));
    }
}

#[test]
fn two_callers_have_two_tokens_and_two_names() {
    let desk = Desk::new();
    let one = token();
    let pair = |a: &SecretValue, b: &SecretValue, names: [&str; 2]| -> Vec<(Token, Seat)> {
        let seat = |name: &str| desk.full(name, GOVERNED);
        vec![(Token::new(a).unwrap(), seat(names[0])), (Token::new(b).unwrap(), seat(names[1]))]
    };
    for seats in [pair(&one, &one, ["a", "b"]), pair(&one, &token(), ["a", "a"]), Vec::new()] {
        assert_eq!(Server::new(seats).map(drop).unwrap_err().kind(), ErrorKind::Settings);
    }
}

#[tokio::test]
async fn a_socket_is_for_its_user_and_group_and_takes_nothings_place() {
    use std::os::unix::fs::PermissionsExt as _;

    let desk = Desk::new();
    let path = desk.folder.path().join("socket");
    // One that was left behind by a server that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let (mut serving, remote) = desk.serve_one(AUTOMATED);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    assert!(serving.listen_on_socket(&path).unwrap_err().to_string().contains("another server"));
    let file = desk.folder.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    assert_eq!(serving.listen_on_socket(&file).unwrap_err().kind(), ErrorKind::Settings);
    assert!(remote.caller().await.is_ok());
    serving.stop().await;
    assert!(!path.exists() && file.exists());
}
