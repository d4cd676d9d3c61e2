//! Rotations whose values are fetched from sources.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZoneDatabase;
use swarmsecrets_core::executor::{Supply, Values};
use swarmsecrets_core::plan::{Plan, RotationRequest, ValueRecipe, plan_rotation};
use swarmsecrets_core::policy::{Guard, MemoryPast, Policy};
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::source::{SecretSource, Sources};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_testkit::conformance::secret_source::{Stage, check};
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Counting, Desk, NEW};
use super::remembered;

const VALUE: &[u8] = b"made-up-in-the-vault";

/// A vault in memory: which values stand where, whether it can be reached, and how often it gave one away.
#[derive(Clone, Default)]
struct Vault(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    /// Each version by its place, and whether it is kept.
    kept: Vec<(String, Vec<u8>)>,
    away: bool,
    forgets: bool,
    given: usize,
}

impl Vault {
    fn put(&self, reference: &str, value: &[u8]) {
        self.0.lock().unwrap().kept.push((reference.to_owned(), value.to_vec()));
    }

    fn inside(&self) -> Result<std::sync::MutexGuard<'_, Inside>> {
        let inside = self.0.lock().unwrap();
        match inside.away {
            true => Err(Error::new(ErrorKind::Unreachable, "the vault is sealed")),
            false => Ok(inside),
        }
    }

    fn given(&self) -> usize {
        self.0.lock().unwrap().given
    }

    fn sources(&self) -> Sources {
        Sources::none().and(Arc::new(self.clone())).unwrap()
    }
}

impl Inside {
    fn newest(&self, reference: &str) -> Result<usize> {
        let none = || Error::new(ErrorKind::NotFound, "nothing stands there");
        self.kept.iter().rposition(|(place, _)| place == reference).ok_or_else(none)
    }
}

#[async_trait]
impl SecretSource for Vault {
    fn name(&self) -> &str {
        "vault"
    }

    async fn current(&self, reference: &str) -> Result<String> {
        Ok(self.inside()?.newest(reference)?.to_string())
    }

    async fn fetch(&self, reference: &str, version: &str) -> Result<SecretValue> {
        let mut inside = self.inside()?;
        let newest = inside.newest(reference)?.to_string();
        let place = version.parse::<usize>().ok().filter(|_| !inside.forgets || newest == version);
        let found = place.and_then(|place| inside.kept.get(place)).filter(|(place, _)| place == reference).cloned();
        inside.given += 1;
        let (_, value) = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "that version is not kept"))?;
        SecretValue::new(value)
    }
}

#[async_trait]
impl Stage for Vault {
    fn source(&self) -> Box<dyn SecretSource> {
        Box::new(self.clone())
    }

    async fn put(&self, reference: &str, value: &SecretValue) {
        Self::put(self, reference, value.expose());
    }

    fn reference(&self, name: &str) -> String {
        format!("kv/{name}")
    }
}

#[tokio::test]
async fn the_vault_of_these_tests_keeps_the_promises_of_a_source() {
    check(&Vault::default()).await;
}

fn desk() -> (Desk, Vault) {
    let service = ServiceBuilder::new("s0", "local/app:1").secret("db").restart_delay(Duration::from_secs(1));
    let vault = Vault::default();
    vault.put("kv/db", VALUE);
    (Desk::with(vec![(service, Program::runs())]), vault)
}

async fn plan(desk: &Desk, vault: &Vault) -> Plan {
    let version = vault.sources().current("vault", "kv/db").await.unwrap();
    plan_rotation(&desk.inventory().await, &RotationRequest::new("db", ValueRecipe::Source(version))).unwrap()
}

async fn apply(desk: &Desk, plan: &Plan, sources: Sources, guards: &[Guard]) -> Result<Report> {
    let mut supply = Supply { values: Values::none(), random: &mut Counting(5) };
    desk.executor(&desk.swarm.clock()).with_sources(sources).guarded(guards).apply(plan, &mut supply).await
}

/// Whether the running tasks of the service read this value.
fn reads(desk: &Desk, value: &[u8]) -> bool {
    let tasks = desk.get("/api/endpoints/1/docker/tasks");
    let running = |task: &&serde_json::Value| task["Status"]["State"] == "running";
    let mut running = tasks.as_array().unwrap().iter().filter(running).peekable();
    running.peek().is_some()
        && running.all(|task| desk.swarm.engine().task_reads(task["ID"].as_str().unwrap(), "db", value))
}

#[tokio::test]
async fn the_value_of_the_plan_is_fetched_and_the_version_says_where_it_is_from() {
    let (desk, vault) = desk();
    let plan = plan(&desk, &vault).await;
    assert_eq!(vault.given(), 0, "a plan needs no value");
    assert!(plan.diff().to_string().contains("secret db_v2 with version `0` of `kv/db` in `vault`"), "{}", plan.diff());
    assert!(!serde_json::to_string(&plan).unwrap().contains("made-up-in-the-vault"));
    let report = apply(&desk, &plan, vault.sources(), &[]).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied);
    assert!(reads(&desk, VALUE));
    let inventory = desk.inventory().await;
    let labels = &inventory.find("db").unwrap().current().labels;
    assert_eq!(labels.get("io.swarmsecrets.source"), Some("vault:kv/db@0"));
}

#[tokio::test]
async fn what_is_fetched_is_known_again_and_does_not_come_back() {
    let ((desk, vault), key) = (desk(), remembered::key("made-up-fingerprint-key"));
    let guards = remembered::guards(3, Arc::<MemoryPast>::default());
    let rotate = async |random| {
        let plan = plan(&desk, &vault).await;
        let (clock, mut random) = (desk.swarm.clock(), Counting(random));
        let mut supply = Supply { values: Values::none(), random: &mut random };
        let executor = desk.executor(&clock).with_sources(vault.sources()).guarded(&guards);
        executor.knowing_values_by(Some(&key)).apply(&plan, &mut supply).await
    };
    rotate(1).await.unwrap();
    let inventory = desk.inventory().await;
    let carried = inventory.find("db").unwrap().current().labels.get("io.swarmsecrets.fingerprint").map(str::to_owned);
    assert_eq!(carried, Some(key.of(&SecretValue::new(VALUE.to_vec()).unwrap())));
    vault.put("kv/db", NEW);
    rotate(2).await.unwrap();
    vault.put("kv/db", VALUE);
    let error = rotate(3).await.unwrap_err();
    assert!(error.to_string().contains("is one of the last 3 that it had"), "{error}");
}

/// What people approved is that version: another value in its place is another version.
#[tokio::test]
async fn a_value_that_was_exchanged_after_the_plan_is_not_taken() {
    let (desk, vault) = desk();
    let plan = plan(&desk, &vault).await;
    vault.put("kv/db", b"made-up-by-somebody-else");
    vault.0.lock().unwrap().forgets = true;
    let error = apply(&desk, &plan, vault.sources(), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(!desk.has_secret("db_v2") && desk.intents().is_empty());
    // Where old versions are kept, the one of the plan is taken all the same.
    vault.0.lock().unwrap().forgets = false;
    apply(&desk, &plan, vault.sources(), &[]).await.unwrap();
    assert!(reads(&desk, VALUE));
}

#[tokio::test]
async fn without_its_source_a_plan_is_not_begun() {
    let (desk, vault) = desk();
    let plan = plan(&desk, &vault).await;
    let error = apply(&desk, &plan, Sources::none(), &[]).await.unwrap_err();
    assert_eq!((error.kind(), desk.intents().len()), (ErrorKind::Invalid, 0));
    assert!(error.message().contains("the source `vault` is not at hand"), "{error}");
    vault.0.lock().unwrap().away = true;
    let error = apply(&desk, &plan, vault.sources(), &[]).await.unwrap_err();
    assert_eq!((error.kind(), desk.intents().len()), (ErrorKind::Unreachable, 0));
    assert!(error.to_string().contains("source `vault`: the vault is sealed"), "{error}");
}

#[tokio::test]
async fn what_is_fetched_is_judged_and_what_is_denied_is_not_fetched() {
    let (desk, vault) = desk();
    let plan = plan(&desk, &vault).await;
    let guard = |text: &str| {
        let text = format!("schema = 1\nphase = 'automated'\n{text}");
        Guard::new("policy.toml", Policy::parse(&text, &TimeZoneDatabase::bundled()).unwrap()).unwrap()
    };
    let deny = "[[rules]]\nname = 'r'\neffect = 'deny'\nreason = 'not now'\nselect = { secrets = ['db'] }";
    let error = apply(&desk, &plan, vault.sources(), &[guard(deny)]).await.unwrap_err();
    assert_eq!((error.kind(), vault.given()), (ErrorKind::Denied, 0));
    let long = "[[values]]\nmin_length = 4000";
    let error = apply(&desk, &plan, vault.sources(), &[guard(long)]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("fewer than 4000"), "{error}");
    assert!(!desk.has_secret("db_v2") && desk.intents().is_empty());
}

#[tokio::test]
async fn an_interrupted_rotation_fetches_the_same_version_again() {
    let (desk, vault) = desk();
    let plan = plan(&desk, &vault).await;
    // The process ends before the new version is made.
    desk.trail.stop_after(0);
    let id = apply(&desk, &plan, vault.sources(), &[]).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    vault.put("kv/db", b"made-up-by-somebody-else");
    let clock = desk.swarm.clock();
    let resume = async |sources: Sources| {
        let mut supply = Supply { values: Values::none(), random: &mut Counting(9) };
        desk.executor(&clock).with_sources(sources).resume(&id, &mut supply).await
    };
    let error = resume(Sources::none()).await.unwrap_err();
    assert!(error.to_string().contains("the source `vault` is not at hand"), "{error}");
    vault.0.lock().unwrap().away = true;
    assert_eq!(resume(vault.sources()).await.unwrap_err().kind(), ErrorKind::Unreachable);
    vault.0.lock().unwrap().away = false;
    assert_eq!(resume(vault.sources()).await.unwrap().outcome, Outcome::Applied);
    assert!(reads(&desk, VALUE));
}

/// Otherwise whoever goes on with what people have approved could exchange the value.
#[tokio::test]
async fn a_value_that_is_handed_over_takes_no_place_of_the_pinned_one() {
    let (desk, vault) = desk();
    let plan = plan(&desk, &vault).await;
    let other = || Values::named([("db".to_owned(), SecretValue::new(NEW.to_vec()).unwrap())]);
    let clock = desk.swarm.clock();
    let executor = || desk.executor(&clock).with_sources(vault.sources());
    let mut supply = Supply { values: other(), random: &mut Counting(5) };
    let error = executor().apply(&plan, &mut supply).await.unwrap_err();
    assert!(error.to_string().contains("takes no value for `db`"), "{error}");
    desk.trail.stop_after(0);
    let id = apply(&desk, &plan, vault.sources(), &[]).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    let mut supply = Supply { values: other(), random: &mut Counting(9) };
    assert_eq!(executor().resume(&id, &mut supply).await.unwrap().outcome, Outcome::Applied);
    assert!(reads(&desk, VALUE) && !reads(&desk, NEW));
}

#[tokio::test]
async fn a_rotation_whose_value_is_kept_no_more_ends_as_not_started() {
    let (desk, vault) = desk();
    let plan = plan(&desk, &vault).await;
    desk.trail.stop_after(0);
    let id = apply(&desk, &plan, vault.sources(), &[]).await.unwrap().rotation.unwrap();
    desk.trail.go_on();
    vault.put("kv/db", b"made-up-by-somebody-else");
    vault.0.lock().unwrap().forgets = true;
    let clock = desk.swarm.clock();
    let mut supply = Supply { values: Values::none(), random: &mut Counting(9) };
    let report = desk.executor(&clock).with_sources(vault.sources()).resume(&id, &mut supply).await.unwrap();
    assert_eq!(report.outcome, Outcome::NotStarted, "{report:?}");
    assert!(!desk.has_secret("db_v2"));
}
