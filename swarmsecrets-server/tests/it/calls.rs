//! What is offered.

use std::sync::Mutex;

use swarmsecrets_client::{Change, Operations as _, Order, Question, Seen, WantedFirst, Way};
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::approval::Verdict;
use swarmsecrets_core::executor::{Cancellation, Observer, Progress, Values};
use swarmsecrets_core::generate::GenerateSpec;
use swarmsecrets_core::policy::{Action, Word};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_host::{FileApprover, make_key, read_credential, sign_decision};

use crate::desk::{Desk, GOVERNED, apply, generated};

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
