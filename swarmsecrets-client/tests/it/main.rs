//! A client before a simulated Swarm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use swarmsecrets_client::{Client, Equipment, Order, Policies, Question, Wanted, WantedFirst, Way};
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::generate::GenerateSpec;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_core::plan::Strategy;
use swarmsecrets_core::policy::{Action, Guard, Word};
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_core::source::Sources;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_host::{FolderSource, parse_policy, policy_in_force};
use swarmsecrets_settings::{Credentials, ProbeSet};
use swarmsecrets_testkit::{Forgotten, SimSwarm};

fn client(swarm: &SimSwarm, policy: Option<&str>, sources: Sources) -> Client {
    let guard = |text: &str| -> Guard { policy_in_force("operator", parse_policy(text).unwrap()).unwrap() };
    Client::new(Equipment {
        transport: Arc::new(swarm.client().agent("agent-7")),
        environment: EnvironmentId(1),
        clock: Arc::new(swarm.clock()),
        remotes: swarm.portainer().clone(),
        journal: Arc::new(MemoryJournal::default()),
        audit: Arc::new(Forgotten),
        trail: None,
        agent: Some("agent-7".to_owned()),
        probes: ProbeSet::default(),
        credentials: Credentials::default(),
        sources,
        policies: Policies::new(policy.map(guard).into_iter().collect(), true).unwrap(),
        instance: "simulated".to_owned(),
        approvers: Vec::new(),
        fingerprint_key: None,
    })
}

fn generated(secrets: &[&str]) -> Wanted {
    let secrets = secrets.iter().map(|name| (*name).to_owned()).collect();
    Wanted { secrets, value: Some(Way::Generate(GenerateSpec::default())), ..Wanted::default() }
}

#[tokio::test]
async fn it_plans_carries_out_and_goes_back() {
    let client = client(&SimSwarm::demo(0), None, Sources::none());
    let plan = client.plan(generated(&["report_password"])).await.unwrap();
    assert_eq!((plan.agent.as_deref(), plan.strategy), (Some("agent-7"), Strategy::Swap));
    let unsaid = client.apply(&plan, Values::none(), &Order::of(Word::NotGiven)).await.unwrap_err();
    assert_eq!(unsaid.kind(), ErrorKind::Denied);
    let order = Order::of(Word::Given);
    let report = client.apply(&plan, Values::none(), &order).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied);
    assert_eq!(client.unfinished().await.unwrap().len(), 1);
    let back = client.rollback(&report.rotation.unwrap(), &order).await.unwrap();
    assert_eq!(back.outcome, Outcome::RolledBack);
    let first = WantedFirst { name: "new_key".into(), value: generated(&[]).value, ..WantedFirst::default() };
    let plan = client.plan_create(first).await.unwrap();
    assert_eq!(client.apply(&plan, Values::none(), &order).await.unwrap().outcome, Outcome::Applied);
}

#[tokio::test]
async fn groups_and_values_of_their_own_are_found_in_the_world() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("redis"), "made-up-value-of-a-folder").unwrap();
    let sources = Sources::none().and(Arc::new(FolderSource::new("files", folder.path()))).unwrap();
    let client = client(&SimSwarm::demo(0), None, sources);
    let from = Way::From { source: "files".into(), reference: "redis".into() };
    let mut wanted = Wanted { stack: Some("shop".into()), secrets: Vec::new(), ..generated(&[]) };
    wanted.values.insert("redis_password".into(), Some(from));
    let plan = client.plan(wanted.clone()).await.unwrap();
    assert!(plan.secrets.len() >= 4, "{:?}", plan.secrets);
    wanted.values.insert("report_password".into(), None);
    let stray = client.plan(wanted).await.unwrap_err();
    assert!(stray.kind() == ErrorKind::Invalid && stray.to_string().contains("report_password"), "{stray}");
    assert_eq!(client.plan(generated(&[])).await.unwrap_err().kind(), ErrorKind::Invalid);
    let nobody = Wanted { stack: Some("nobody".into()), ..generated(&[]) };
    assert_eq!(client.plan(nobody).await.unwrap_err().kind(), ErrorKind::NotFound);
    let value = SecretValue::new("made-up".into()).unwrap();
    let plan = client.plan(generated(&["report_password"])).await.unwrap();
    let left_over = client.apply(&plan, Values::one(value), &Order::of(Word::Given)).await.unwrap_err();
    assert_eq!(left_over.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn the_policies_in_force_are_asked_and_told() {
    let client = client(&SimSwarm::demo(0), Some("schema = 1\nphase = 'read-only'\n"), Sources::none());
    let question = Question { secret: "report_password".into(), action: Action::Rotate, at: None };
    let said = client.explain(&question).await.unwrap();
    assert!(said.rulings.iter().any(|part| part.policy == "operator"), "{said:?}");
    let plan = client.plan(generated(&["report_password"])).await.unwrap();
    let error = client.apply(&plan, Values::none(), &Order::of(Word::Given)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let nobody = client.ask_people(&plan, &Values::none(), None).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NeedsApproval, "no policy says who approves");
}
