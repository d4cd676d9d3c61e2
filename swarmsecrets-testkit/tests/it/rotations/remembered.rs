//! Values that are known again: the label of a version, and values of before that a policy keeps out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZoneDatabase;
use swarmsecrets_core::executor::{Supply, Values};
use swarmsecrets_core::generate::{Alphabet, GenerateSpec, Random};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::inventory::label;
use swarmsecrets_core::journal::{Event, JournalStore as _, MemoryJournal};
use swarmsecrets_core::keys::FingerprintKey;
use swarmsecrets_core::plan::{CreateRequest, Plan, RotationRequest, ValueRecipe, plan_create, plan_rotation};
use swarmsecrets_core::policy::{Equipment, Guard, KnownValue, MemoryPast, Past, PastValues, Policy, ValuesOf};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::portainer::{PortainerRequest, WireFault};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, NEW};

const OTHER: &[u8] = b"made-up-other-value";
const THIRD: &[u8] = b"made-up-third-value";
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn key(text: &str) -> FingerprintKey {
    FingerprintKey::new(value(text.as_bytes())).unwrap()
}

fn ours() -> FingerprintKey {
    key("made-up-fingerprint-key")
}

fn value(bytes: &[u8]) -> SecretValue {
    SecretValue::new(bytes.to_vec()).unwrap()
}

fn desk() -> Desk {
    let service = |name: &str| ServiceBuilder::new(name, "local/app:1").secret("db").restart_delay(DAY / 86_400);
    Desk::with(vec![(service("s0"), Program::runs())])
}

pub(super) fn guards(history: u32, past: Arc<dyn PastValues>) -> [Guard; 1] {
    let text = format!("schema = 1\nphase = 'automated'\nstate = '/s'\n[[values]]\nhistory = {history}");
    let policy = Policy::parse(&text, &TimeZoneDatabase::bundled()).unwrap();
    [Guard::equipped("p", policy, Equipment { past: Some(past), ..Equipment::default() }).unwrap()]
}

/// Carries out a plan, each time with other random numbers.
pub(super) async fn apply(
    desk: &Desk,
    guards: &[Guard],
    key: Option<&FingerprintKey>,
    plan: &Plan,
    values: Values,
) -> Result<Report> {
    let mut random = Counting(u8::try_from(desk.client.requests() % 251).unwrap());
    let mut supply = Supply { values, random: &mut random };
    desk.executor(&desk.swarm.clock()).guarded(guards).knowing_values_by(key).apply(plan, &mut supply).await
}

async fn rotate(desk: &Desk, guards: &[Guard], bytes: &[u8]) -> Result<Report> {
    let plan = desk.plan("db", DAY).await?;
    apply(desk, guards, Some(&ours()), &plan, Values::one(value(bytes))).await
}

/// Rotates, and lets the version before go.
async fn passes(desk: &Desk, guards: &[Guard], bytes: &[u8]) {
    let report = rotate(desk, guards, bytes).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    desk.swarm.engine().run_for(DAY + DAY / 24);
    desk.executor(&desk.swarm.clock()).retire().await.unwrap();
}

async fn resume(desk: &Desk, guards: &[Guard], id: &RotationId, bytes: &[u8]) -> Result<Report> {
    let (key, clock) = (ours(), desk.swarm.clock());
    let mut supply = Supply { values: Values::one(value(bytes)), random: &mut Counting(9) };
    desk.executor(&clock).guarded(guards).knowing_values_by(Some(&key)).resume(id, &mut supply).await
}

/// The fingerprint that a version carries.
fn carried(desk: &Desk, name: &str) -> Option<String> {
    let list = desk.get("/api/endpoints/1/docker/secrets");
    let found = list.as_array().unwrap().iter().find(|s| s["Spec"]["Name"] == name).expect(name).clone();
    found["Spec"]["Labels"][label::FINGERPRINT].as_str().map(str::to_owned)
}

fn refused(done: Result<Report>, why: &str) {
    let error = done.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains(why), "{error}");
}

const LAST: &str = "the new value of `db` is one of the last 2 that it had: take another";

#[tokio::test]
async fn each_version_carries_the_fingerprint_of_its_own_value_and_without_a_key_none() {
    let (desk, key) = (desk(), ours());
    assert_eq!(carried(&desk, "db"), None, "it was made by others");
    rotate(&desk, &[], NEW).await.unwrap();
    assert_eq!(carried(&desk, "db_v2"), Some(key.of(&value(NEW))));
    // It is the version's, and no label of the user's that goes on to the next one; nor does the plan know of it.
    let plan = desk.plan("db", DAY).await.unwrap();
    assert_eq!(plan.secrets[0].next.labels.get(label::FINGERPRINT), None);
    assert_eq!(plan.secrets[0].next.labels.get("team"), Some("payments"));
    apply(&desk, &[], None, &plan, Values::one(value(OTHER))).await.unwrap();
    assert_eq!(carried(&desk, "db_v3"), None);
    let recipe = ValueRecipe::Generate(GenerateSpec::new(32, Alphabet::Alnum).unwrap());
    let generated = plan_rotation(&desk.inventory().await, &RotationRequest::new("db", recipe.clone())).unwrap();
    apply(&desk, &[], Some(&key), &generated, Values::none()).await.unwrap();
    let first = carried(&desk, "db_v4").unwrap();
    assert!(first.starts_with("hmac-sha256:") && first.len() == 76, "{first}");
    for (name, recipe, values) in
        [("new_key", ValueRecipe::Supplied, Values::one(value(THIRD))), ("newer_key", recipe, Values::none())]
    {
        let request = CreateRequest {
            name: name.into(),
            recipe,
            labels: swarmsecrets_core::inventory::Labels::new(),
            reason: None,
            agent: None,
        };
        let plan = plan_create(&desk.inventory().await, &request).unwrap();
        apply(&desk, &[], Some(&key), &plan, values).await.unwrap();
        assert_ne!(carried(&desk, name).unwrap(), first);
    }
    assert_eq!(carried(&desk, "new_key"), Some(key.of(&value(THIRD))));
}

#[tokio::test]
async fn what_is_resumed_carries_it_too_and_a_lost_answer_makes_no_second_version() {
    let desk = desk();
    desk.trail.stop_after(0);
    let id = rotate(&desk, &[], NEW).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    assert!(!desk.has_secret("db_v2"));
    let mut lost = false;
    desk.client.on_request(move |view| {
        let lose = !lost && view.path.ends_with("/secrets/create");
        lost |= lose;
        lose.then_some(WireFault::LoseAnswer)
    });
    let report = resume(&desk, &[], &id, NEW).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(carried(&desk, "db_v2"), Some(ours().of(&value(NEW))));
    assert!(!desk.has_secret("db_v3"));
}

/// Or else its plan would be another one than that which made the version.
#[tokio::test]
async fn a_plan_that_is_read_back_from_labels_has_none() {
    let mut desk = desk();
    desk.trail.stop_after(1);
    let id = rotate(&desk, &[], NEW).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    assert!(carried(&desk, "db_v2").is_some());
    desk.journal = MemoryJournal::default();
    desk.resume(&id).await.unwrap();
    let journal = desk.journal.load(&id).await.unwrap();
    let Event::Begun { plan, .. } = &journal.entries[0].event else { panic!("{journal:?}") };
    assert_eq!(plan.secrets[0].next.labels.get(label::FINGERPRINT), None);
    assert_eq!(plan.secrets[0].next.labels.get(label::VERSION), Some("2"));
}

#[tokio::test]
async fn the_value_that_is_there_already_is_no_new_one_whatever_a_policy_says() {
    let desk = desk();
    passes(&desk, &[], NEW).await;
    let sent = desk.intents().len();
    let why = "the new value of `db` is what `db_v2` holds already: take another, as nothing would be changed";
    refused(rotate(&desk, &[], NEW).await, why);
    assert_eq!(desk.intents().len(), sent, "nothing was sent");
    // By another key, or none, nobody can tell.
    let plan = desk.plan("db", DAY).await.unwrap();
    apply(&desk, &[], Some(&key("made-up-other-fingerprint-key")), &plan, Values::one(value(NEW))).await.unwrap();
    assert!(desk.has_secret("db_v3"));
}

#[tokio::test]
async fn a_value_of_before_does_not_come_back_also_where_its_version_is_gone() {
    let (desk, past) = (desk(), Arc::<MemoryPast>::default());
    let guards = guards(2, past);
    passes(&desk, &guards, NEW).await;
    passes(&desk, &guards, OTHER).await;
    assert!(!desk.has_secret("db_v2"), "its label tells nothing any more");
    let sent = desk.intents().len();
    refused(rotate(&desk, &guards, NEW).await, LAST);
    assert_eq!(desk.intents().len(), sent, "nothing was sent");
    {
        let records = desk.trail.records.lock().unwrap();
        let told = records.last().unwrap().outcome.clone().unwrap();
        assert!(told.starts_with("refused: denied") && !told.contains("made-up") && !told.contains("hmac"), "{told}");
    }
    passes(&desk, &guards, THIRD).await;
    passes(&desk, &guards, NEW).await;
}

#[tokio::test]
async fn labels_of_versions_that_are_there_tell_where_the_memory_was_lost() {
    let desk = desk();
    for bytes in [NEW, OTHER] {
        rotate(&desk, &[], bytes).await.unwrap();
    }
    refused(rotate(&desk, &guards(2, Arc::<MemoryPast>::default()), NEW).await, LAST);
    rotate(&desk, &guards(1, Arc::<MemoryPast>::default()), NEW).await.unwrap();
}

#[tokio::test]
async fn without_a_key_nothing_is_begun_where_values_must_differ() {
    let (desk, guards) = (desk(), guards(2, Arc::<MemoryPast>::default()));
    let why = "there is no key: let SWARMSECRETS_FINGERPRINT_KEY_FILE name a file with one";
    let plan = desk.plan("db", DAY).await.unwrap();
    refused(apply(&desk, &guards, None, &plan, Values::one(value(NEW))).await, why);
    let recipe = ValueRecipe::Generate(GenerateSpec::new(32, Alphabet::Alnum).unwrap());
    let plan = plan_rotation(&desk.inventory().await, &RotationRequest::new("db", recipe)).unwrap();
    refused(apply(&desk, &guards, None, &plan, Values::none()).await, why);
    assert!(desk.intents().is_empty() && desk.journal.list().await.unwrap().is_empty());
    // Nor does what was begun go on without it.
    desk.trail.stop_after(0);
    let id = rotate(&desk, &guards, NEW).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    let mut supply = Supply { values: Values::one(value(NEW)), random: &mut Counting(9) };
    let executor = desk.swarm.clock();
    refused(desk.executor(&executor).guarded(&guards).resume(&id, &mut supply).await, why);
    assert!(!desk.has_secret("db_v2"));
    assert_eq!(resume(&desk, &guards, &id, NEW).await.unwrap().outcome, Outcome::Applied);
}

#[tokio::test]
async fn a_secret_that_is_removed_and_made_anew_does_not_get_its_old_value() {
    let (desk, guards) = (desk(), guards(3, Arc::<MemoryPast>::default()));
    let create = async || {
        let request = CreateRequest {
            name: "new_key".into(),
            recipe: ValueRecipe::Supplied,
            labels: swarmsecrets_core::inventory::Labels::new(),
            reason: None,
            agent: None,
        };
        let plan = plan_create(&desk.inventory().await, &request).unwrap();
        apply(&desk, &guards, Some(&ours()), &plan, Values::one(value(NEW))).await
    };
    assert_eq!(create().await.unwrap().outcome, Outcome::Applied);
    let remove = PortainerRequest::new("DELETE", "/api/endpoints/1/docker/secrets/new_key");
    desk.swarm.ask("admin", remove).unwrap();
    assert!(!desk.has_secret("new_key"));
    refused(create().await, "the new value of `new_key` is one of the last 3 that it had");
}

/// A crash between remembering a value and making its version.
#[tokio::test]
async fn what_was_remembered_and_not_made_is_the_rotations_own_until_that_has_ended() {
    for back in [false, true] {
        let (desk, past) = (desk(), Arc::<MemoryPast>::default());
        let guards = guards(5, past);
        desk.trail.stop_after(0);
        let id = rotate(&desk, &guards, NEW).await.unwrap().rotation.unwrap();
        desk.trail.go_on();
        refused(rotate(&desk, &guards, NEW).await, "is one of the last 5 that it had");
        if back {
            let clock = desk.swarm.clock();
            let report = desk.executor(&clock).guarded(&guards).rollback(&id, "a test").await.unwrap();
            assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
            assert_eq!(rotate(&desk, &guards, NEW).await.unwrap().outcome, Outcome::Applied);
        } else {
            let report = resume(&desk, &guards, &id, NEW).await.unwrap();
            assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
        }
    }
}

/// Half of its versions are there, with their labels, and remembered: they are its own.
#[tokio::test]
async fn what_a_rotation_of_two_has_made_is_not_in_its_own_way() {
    let (desk, guards, key) =
        (Desk::with_secrets(&["db", "key"], vec![]), guards(5, Arc::<MemoryPast>::default()), ours());
    let request = RotationRequest::of(["db", "key"].map(|secret| (secret.to_owned(), ValueRecipe::Supplied)));
    let plan = plan_rotation(&desk.inventory().await, &request).unwrap();
    let values = || Values::named([("db".to_owned(), value(NEW)), ("key".to_owned(), value(OTHER))]);
    desk.trail.stop_after(1);
    let id = apply(&desk, &guards, Some(&key), &plan, values()).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    assert!(desk.has_secret("db_v2") && !desk.has_secret("key_v2"));
    let clock = desk.swarm.clock();
    let mut supply = Supply { values: values(), random: &mut Counting(9) };
    let executor = desk.executor(&clock).guarded(&guards).knowing_values_by(Some(&key));
    let report = executor.resume(&id, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!(carried(&desk, "key_v2"), Some(key.of(&value(OTHER))));
}

#[tokio::test]
async fn a_value_that_portainer_did_not_take_may_be_tried_again_and_one_that_was_put_back_may_not() {
    let (desk, guards) = (desk(), guards(5, Arc::<MemoryPast>::default()));
    let refuse = Arc::new(AtomicBool::new(true));
    let refuses = Arc::clone(&refuse);
    desk.client.on_request(move |view| {
        let create = refuses.load(Ordering::SeqCst) && view.path.ends_with("/secrets/create");
        create.then(|| WireFault::Answer(403, r#"{"message":"made up"}"#.into()))
    });
    assert_eq!(rotate(&desk, &guards, NEW).await.unwrap().outcome, Outcome::NotStarted);
    refuse.store(false, Ordering::SeqCst);
    let report = rotate(&desk, &guards, NEW).await.unwrap();
    let clock = desk.swarm.clock();
    let back = desk.executor(&clock).guarded(&guards).rollback(&report.rotation.unwrap(), "a test").await.unwrap();
    assert_eq!(back.outcome, Outcome::RolledBack, "{back:?}");
    assert!(!desk.has_secret("db_v2"));
    refused(rotate(&desk, &guards, NEW).await, "is one of the last 5 that it had");
    assert_eq!(rotate(&desk, &guards, OTHER).await.unwrap().outcome, Outcome::Applied);
}

/// An id for the rotation, and then the same value each time.
struct Stuck(u8);

impl Random for Stuck {
    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        into.fill(self.0);
        self.0 = 0;
        Ok(())
    }
}

#[tokio::test]
async fn a_generated_value_is_held_to_it_too() {
    let (desk, guards, key) = (desk(), guards(5, Arc::<MemoryPast>::default()), ours());
    let recipe = ValueRecipe::Generate(GenerateSpec::new(32, Alphabet::Alnum).unwrap());
    let request = RotationRequest::new("db", recipe);
    for (n, outcome) in [(1, Outcome::Applied), (2, Outcome::NotStarted)] {
        let plan = plan_rotation(&desk.inventory().await, &request).unwrap();
        let mut supply = Supply { values: Values::none(), random: &mut Stuck(n) };
        let clock = desk.swarm.clock();
        let executor = desk.executor(&clock).guarded(&guards).knowing_values_by(Some(&key));
        let report = executor.apply(&plan, &mut supply).await.unwrap();
        assert_eq!(report.outcome, outcome, "{report:?}");
        let said = report.warnings.join("\n");
        assert_eq!(said.contains("the new value of `db` is what `db_v2` holds already"), n == 2, "{said}");
    }
    assert!(!desk.has_secret("db_v3"));
}

/// A memory that cannot be read, or not be written to.
struct Broken {
    reads: bool,
}

#[async_trait]
impl PastValues for Broken {
    async fn past(&self, _: &ValuesOf) -> Result<Past> {
        if self.reads { Ok(Past::default()) } else { Err(Error::new(ErrorKind::Io, "the disk cannot be read")) }
    }

    async fn remember(&self, _: &ValuesOf, _: &RotationId, _: KnownValue, _: u32) -> Result<()> {
        Err(Error::new(ErrorKind::Io, "no space left on device"))
    }

    async fn forget(&self, _: &ValuesOf, _: &RotationId) -> Result<()> {
        Err(Error::new(ErrorKind::Io, "no space left on device"))
    }
}

#[tokio::test]
async fn what_cannot_be_remembered_is_not_made() {
    let desk = desk();
    let error = rotate(&desk, &guards(1, Arc::new(Broken { reads: false })), NEW).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Io && error.to_string().contains("the disk cannot be read"), "{error}");
    let full = guards(1, Arc::new(Broken { reads: true }));
    let report = rotate(&desk, &full, NEW).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman);
    assert!(report.warnings[0].contains("no space left on device; nothing more was sent"), "{:?}", report.warnings);
    assert!(!desk.has_secret("db_v2") && desk.intents().is_empty());
    let id = report.rotation.unwrap();
    let good = guards(1, Arc::<MemoryPast>::default());
    assert_eq!(resume(&desk, &good, &id, NEW).await.unwrap().outcome, Outcome::Applied);
}
