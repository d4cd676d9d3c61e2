//! What is offered.

use std::sync::{Arc, Mutex};

use swarmsecrets_client::{Change, Client, Operations as _, Order, Question, Seen, WantedFirst, Way};
use swarmsecrets_core::approval::{Approver, Verdict};
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::executor::{Cancellation, Observer, Progress, Values};
use swarmsecrets_core::generate::GenerateSpec;
use swarmsecrets_core::policy::{Action, Word};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_host::{FileApprover, make_key, read_credential, sign_decision};
use swarmsecrets_server::{Held, Seat, Server, Token};
use swarmsecrets_webhook::{Secret, WebhookApprover};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::attacks::raw;
use crate::desk::{Desk, GOVERNED, apply, generated, remote, token};

/// Remembers what is told, and may ask to stop once the first service is updated.
#[derive(Default)]
struct Listener {
    told: Mutex<Vec<String>>,
    stop: Option<Cancellation>,
}

impl Observer for Listener {
    fn tell(&self, progress: &Progress<'_>) {
        let text = format!("{progress:?}");
        if let (Some(stop), true) = (&self.stop, text.contains("ConsumerBegun")) {
            stop.cancel();
        }
        self.told.lock().unwrap().push(text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_plans_and_carries_out_for_a_client_without_a_key() {
    let desk = Desk::new();
    let (serving, remote) = desk.serve_one(GOVERNED);
    assert_eq!(remote.caller().await.unwrap().agent, "agent-7");
    let Seen::Document(seen) = remote.inventory().await.unwrap() else { panic!("a server tells a document") };
    assert!(seen.contains("\"report_password\"") && seen.contains("\"simulated\": true"));
    let question = Question { secret: "report_password".into(), action: Action::Rotate, at: None };
    assert!(!remote.explain(&question).await.unwrap().rulings.is_empty());
    remote.due().await.unwrap();

    let plan = remote.plan(generated("report_password")).await.unwrap();
    let listener = Listener::default();
    let order = Order { observer: &listener, reason: Some("it is old".into()), ..Order::of(Word::NotGiven) };
    let change = Change { plan: &plan, values: Values::none(), approval: None };
    let report = remote.apply(change, &order).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied);
    let told = listener.told.lock().unwrap().join("\n");
    assert!(told.contains("ConsumerConverged") && told.contains("create secret"), "{told}");
    let records = desk.trail.records();
    let all = records
        .iter()
        .all(|r| r.actor.agent.as_deref() == Some("agent-7") && r.actor.reason.as_deref() == Some("it is old"));
    assert!(all && !records.is_empty(), "{records:?}");

    let rotation = report.rotation.unwrap();
    assert_eq!(remote.unfinished().await.unwrap().len(), 1, "its old version is kept yet");
    let back = remote.rollback(&rotation, &Order::of(Word::NotGiven)).await.unwrap();
    assert_eq!(back.outcome, Outcome::RolledBack);
    assert!(remote.retire(&Order::of(Word::NotGiven)).await.is_ok());
    let first = WantedFirst {
        name: "made_by_an_agent".into(),
        value: Some(Way::Generate(GenerateSpec::default())),
        ..WantedFirst::default()
    };
    let plan = remote.plan_create(first).await.unwrap();
    assert_eq!(apply(&remote, &plan).await.unwrap_err().kind(), ErrorKind::NeedsApproval);
    serving.stop().await;
    assert_eq!(remote.caller().await.unwrap_err().kind(), ErrorKind::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_approved_is_carried_out_by_its_digest() {
    let desk = Desk::new();
    let key_file = desk.folder.path().join("alice.key");
    let public = make_key(&key_file).unwrap();
    let policy = format!(
        "schema = 1\nphase = 'assisted'\n[approval]\nfolder = '{{folder}}/requests'\nstate = '{{folder}}/state'\n[[approval.approvers]]\nidentity = 'alice'\nkey = '{public}'\n"
    );
    let (_serving, remote) = desk.serve_one(&policy);
    let plan = remote.plan(generated("report_password")).await.unwrap();
    assert_eq!(apply(&remote, &plan).await.unwrap_err().kind(), ErrorKind::NeedsApproval);
    let request = remote.ask_people(&plan, &Values::none(), Some("it is old")).await.unwrap();
    let carry = async || {
        let change = Change { plan: &plan, values: Values::none(), approval: Some((&request, Vec::new())) };
        remote.apply(change, &Order::of(Word::NotGiven)).await
    };
    assert_eq!(carry().await.unwrap_err().kind(), ErrorKind::NeedsApproval, "nobody has decided");
    let key = read_credential(&key_file).unwrap();
    let decision = sign_decision(&request, Verdict::Approve, "alice", None, &key).unwrap();
    FileApprover::open(&desk.folder.path().join("requests")).unwrap().answer(&decision).await.unwrap();
    assert_eq!(carry().await.unwrap().outcome, Outcome::Applied);
    assert_eq!(carry().await.unwrap_err().kind(), ErrorKind::Conflict, "it is carried out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_to_stop_goes_to_the_server() {
    let desk = Desk::new();
    let (_serving, remote) = desk.serve_one("schema = 1\nphase = 'automated'\n");
    let plan = remote.plan(generated("db_password")).await.unwrap();
    let listener = Listener { stop: Some(Cancellation::default()), ..Listener::default() };
    let cancellation = listener.stop.clone().unwrap();
    let order = Order { observer: &listener, cancellation, ..Order::of(Word::NotGiven) };
    let change = Change { plan: &plan, values: Values::none(), approval: None };
    // It may be over before the wish arrives: time in a simulation flies.
    let report = remote.apply(change, &order).await.unwrap();
    assert!([Outcome::NeedsHuman, Outcome::RolledBack, Outcome::Applied].contains(&report.outcome), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_also_listens_on_a_port_of_this_machine_and_on_no_other() {
    let desk = Desk::new();
    let (mut serving, _) = desk.serve_one(GOVERNED);
    let address = serving.listen_on_port("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let stranger = swarmsecrets_server::Remote::new(&format!("http://{address}"), &crate::desk::token()).unwrap();
    assert_eq!(stranger.caller().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    let outside = serving.listen_on_port("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert_eq!(outside.kind(), ErrorKind::Settings);
}

/// The receiver of a webhook sends what a person has said, signed; nobody else can.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_may_send_decisions_as_they_are_made() {
    let receiver = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(202)).mount(&receiver).await;
    let (desk, shared) = (Desk::new(), token());
    let file = desk.folder.path().join("secret");
    std::fs::write(&file, shared.expose()).unwrap();
    let policy = format!(
        "schema = 1\nphase = 'assisted'\n[approval]\nfolder = '{{folder}}/requests'\nstate = '{{folder}}/state'\n[approvers.hook]\nkind = 'webhook'\nurl = '{}/hook'\nsecret_file = '{}'\nidentities = {{ U1 = 'alice' }}\n",
        receiver.uri(),
        file.display()
    );
    let webhook =
        Arc::new(WebhookApprover::builder(&format!("{}/hook", receiver.uri()), shared.clone()).build().unwrap());
    let mut equipment = desk.equipment("agent-7", &policy);
    equipment.approvers = vec![("hook".to_owned(), Arc::clone(&webhook) as Arc<dyn Approver>)];
    let (caller, path) = (token(), desk.folder.path().join("socket"));
    let seat = Seat::new(Held::Full(Arc::new(Client::new(equipment)))).unwrap();
    let server = Server::new([(Token::new(&caller).unwrap(), seat)]).unwrap();
    let mut serving = server.receiving([("hook".to_owned(), webhook)]).start();
    serving.listen_on_socket(&path).unwrap();
    let remote = remote(&path, &caller);
    let plan = remote.plan(generated("report_password")).await.unwrap();
    let request = remote.ask_people(&plan, &Values::none(), None).await.unwrap();
    let (digest, at) = (request.digest().to_string(), desk.swarm.clock().now().wall);
    let body = serde_json::json!({"schema": 1, "decisions": [{"read_back": {
        "request": digest, "decision": "approve", "account": "U1", "at": at, "reference": "message 17"
    }}]})
    .to_string();
    let send = async |name: &str, secret: &SecretValue| {
        let (timestamp, signature) =
            Secret::new(secret.clone()).unwrap().sign(&digest, jiff::Timestamp::now(), body.as_bytes());
        let head = format!(
            "POST /v1/webhooks/{name} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nwebhook-id: {digest}\r\nwebhook-timestamp: {timestamp}\r\nwebhook-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        raw(&desk, format!("{head}{body}").as_bytes()).await
    };
    for (name, secret, status) in [("hook", &token(), "403"), ("other", &shared, "404")] {
        assert!(send(name, secret).await.starts_with(&format!("HTTP/1.1 {status}")), "{name}");
    }
    let carry = async || {
        let change = Change { plan: &plan, values: Values::none(), approval: Some((&request, Vec::new())) };
        remote.apply(change, &Order::of(Word::NotGiven)).await
    };
    assert_eq!(carry().await.unwrap_err().kind(), ErrorKind::NeedsApproval, "nobody has decided");
    assert!(send("hook", &shared).await.starts_with("HTTP/1.1 204"));
    assert_eq!(carry().await.unwrap().outcome, Outcome::Applied);
}
