//! The folder of change requests: what is put there comes back, and what was damaged is named.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Draft, Judging, Requester, SignedDecision, Verdict, judge};
use swarmsecrets_core::executor::read_inventory;
use swarmsecrets_core::ids::{EnvironmentId, PolicyDigest};
use swarmsecrets_core::inventory::Labels;
use swarmsecrets_core::keys::{Keyring, SigningKey};
use swarmsecrets_core::plan::{CreateRequest, Plan, ValueRecipe, plan_create};
use swarmsecrets_host::{FileApprover, OsRandom};
use swarmsecrets_testkit::SimSwarm;
use swarmsecrets_testkit::conformance;
use swarmsecrets_testkit::conformance::approver::{PEOPLE, Stage};

fn at(time: &str) -> Timestamp {
    format!("2026-05-07T{time}Z").parse().unwrap()
}

async fn plan(name: &str) -> Plan {
    let swarm = SimSwarm::new(7);
    let inventory = read_inventory(&swarm.client(), EnvironmentId(1), &swarm.clock()).await.unwrap();
    let request = CreateRequest {
        name: name.into(),
        recipe: ValueRecipe::Generate(Default::default()),
        labels: Labels::new(),
        reason: None,
        agent: None,
    };
    plan_create(&inventory, &request).unwrap()
}

async fn request(name: &str) -> ChangeRequest {
    let who = Requester { account: "svc-agent".into(), agent: None };
    let policy = PolicyDigest::from_sha256([5; 32]);
    let draft = Draft::new(plan(name).await, who, "https://portainer.example", policy, at("12:00:00"));
    draft.seal(&mut OsRandom).unwrap()
}

fn says(request: &ChangeRequest, verdict: Verdict, who: &str, key: &SigningKey) -> SignedDecision {
    SignedDecision::sign(request, verdict, who, at("12:05:00"), None, key).unwrap()
}

fn put(folder: &Path, request: &ChangeRequest, name: &str, content: impl AsRef<[u8]>) {
    fs::write(folder.join(format!("{}.{name}.decision.json", request.digest())), content).unwrap();
}

/// A folder, and people with keys who decide in it.
struct Folder {
    dir: tempfile::TempDir,
    people: Vec<(&'static str, SigningKey)>,
}

#[async_trait]
impl Stage for Folder {
    fn open(&self) -> Arc<dyn Approver> {
        Arc::new(FileApprover::open(self.dir.path()).unwrap())
    }

    async fn decide(&self, request: &ChangeRequest, person: &str, verdict: Verdict) {
        let folder = FileApprover::open(self.dir.path()).unwrap();
        let read = folder.load(request.digest()).await.unwrap();
        let (who, key) = self.people.iter().find(|(name, _)| *name == person).unwrap();
        folder.answer(&says(&read, verdict, who, key)).await.unwrap();
    }

    async fn told(&self, request: &ChangeRequest) -> usize {
        let files = fs::read_dir(self.dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        files.filter(|name| *name == format!("{}.request.json", request.digest())).count()
    }

    fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        self.people.iter().for_each(|(who, key)| keyring.add(who, key.public()).unwrap());
        keyring
    }

    fn now(&self) -> Timestamp {
        at("12:05:00")
    }
}

#[tokio::test]
async fn a_folder_keeps_its_promises() {
    let people = PEOPLE.map(|who| (who, SigningKey::generate(&mut OsRandom).unwrap())).into();
    conformance::approver::check(&Folder { dir: tempfile::tempdir().unwrap(), people }).await;
}

#[tokio::test]
async fn a_request_is_made_known_decided_on_and_judged() {
    let dir = tempfile::tempdir().unwrap();
    let (alice, bob) = (SigningKey::generate(&mut OsRandom).unwrap(), SigningKey::generate(&mut OsRandom).unwrap());
    let request = request("db").await;
    let approver = FileApprover::open(&dir.path().join("approvals")).unwrap();
    assert_eq!(approver.load(request.digest()).await.unwrap_err().kind(), ErrorKind::NotFound);
    approver.request(&request).await.unwrap();
    assert!(approver.decisions(&request).await.unwrap().is_empty());

    let there = FileApprover::open(&dir.path().join("approvals")).unwrap();
    let read = there.load(request.digest()).await.unwrap();
    assert_eq!(read, request);
    there.answer(&says(&read, Verdict::Approve, "alice", &alice)).await.unwrap();

    let decisions = approver.decisions(&request).await.unwrap();
    let mut keyring = Keyring::new();
    keyring.add("alice", alice.public()).unwrap();
    keyring.add("bob", bob.public()).unwrap();
    let world = Judging {
        keyring: &keyring,
        now: at("12:10:00"),
        instance: "https://portainer.example",
        environment: request.environment,
        cluster: &request.cluster,
        policy: &request.policy,
        plan: request.plan.digest(),
        fingerprints: &BTreeMap::new(),
    };
    assert_eq!(judge(&request, &decisions, world).unwrap().approvers(), ["alice"]);

    // A later word of the same key does not take the place of the first one.
    there.answer(&says(&read, Verdict::Deny, "bob", &bob)).await.unwrap();
    there.answer(&says(&read, Verdict::Approve, "bob", &bob)).await.unwrap();
    let decisions = approver.decisions(&request).await.unwrap();
    assert_eq!(decisions.len(), 3);
    assert!(judge(&request, &decisions, world).is_err());
}

#[tokio::test]
async fn a_request_is_made_known_once_and_put_right_if_it_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    let approver = FileApprover::open(dir.path()).unwrap();
    let request = request("db").await;
    approver.request(&request).await.unwrap();
    let path = approver.path(request.digest());
    let (written, json) = (fs::metadata(&path).unwrap().modified().unwrap(), fs::read(&path).unwrap());
    approver.request(&request).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    for torn in [&b""[..], &json[..json.len() / 2], b"{}"] {
        fs::write(&path, torn).unwrap();
        let error = approver.load(request.digest()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(request.digest().as_str()), "{error}");
        approver.request(&request).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), json);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[tokio::test]
async fn a_request_under_the_name_of_another_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let approver = FileApprover::open(dir.path()).unwrap();
    let (one, other) = (request("db").await, request("api").await);
    fs::write(approver.path(one.digest()), other.to_json().unwrap()).unwrap();
    let error = approver.load(one.digest()).await.unwrap_err();
    assert!(error.message().contains("another change request"), "{error}");
}

#[tokio::test]
async fn a_decision_that_is_damaged_is_named() {
    let key = SigningKey::generate(&mut OsRandom).unwrap();
    let request = request("db").await;
    let json = says(&request, Verdict::Approve, "alice", &key).to_json().unwrap();
    let long = [json.clone(), vec![b' '; 64 * 1024]].concat();
    for (what, content, kind) in [
        ("cut off", &json[..json.len() - 10], ErrorKind::Invalid),
        ("empty", b"", ErrorKind::Invalid),
        ("not JSON", b"approve", ErrorKind::Invalid),
        ("too long", &long, ErrorKind::TooLarge),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let approver = FileApprover::open(dir.path()).unwrap();
        put(dir.path(), &request, "a", &json);
        put(dir.path(), &request, "b", content);
        let error = approver.decisions(&request).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}");
        assert!(error.message().contains(&format!("{}.b.decision.json", request.digest())), "{what}: {error}");
    }
}

#[tokio::test]
async fn so_many_decisions_are_read_and_no_other_files() {
    let dir = tempfile::tempdir().unwrap();
    let approver = FileApprover::open(dir.path()).unwrap();
    let key = SigningKey::generate(&mut OsRandom).unwrap();
    let (request, other) = (request("db").await, request("api").await);
    let json = says(&request, Verdict::Approve, "alice", &key).to_json().unwrap();
    for n in 0..64 {
        put(dir.path(), &request, &n.to_string(), &json);
    }
    put(dir.path(), &other, "0", "of another request");
    for unrelated in ["decision.json", "notes.txt", ".x.decision.json"] {
        fs::write(dir.path().join(unrelated), "not ours").unwrap();
    }
    fs::write(dir.path().join(format!("{}.decision.json", request.digest())), "not ours").unwrap();
    assert_eq!(approver.decisions(&request).await.unwrap().len(), 64);
    put(dir.path(), &request, "64", &json);
    let error = approver.decisions(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("65 decisions"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let approver = FileApprover::open(dir.path()).unwrap();
    let request = request("db").await;
    let elsewhere = dir.path().join("elsewhere");
    fs::write(&elsewhere, "made-up-line-elsewhere").unwrap();
    std::os::unix::fs::symlink(&elsewhere, dir.path().join(format!("{}.x.decision.json", request.digest()))).unwrap();
    let error = approver.decisions(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("no regular file") && !error.message().contains("made-up"), "{error}");
}
