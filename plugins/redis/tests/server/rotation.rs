//! A whole rotation by the strategy `overlap`: services on a simulated Swarm, the password on a real Redis.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::credential::CredentialSetter as _;
use swarmsecrets_core::executor::{
    Cancellation, Executor, Parts, PasswordChange, Silent, Supply, Values, read_inventory,
};
use swarmsecrets_core::generate::Random;
use swarmsecrets_core::ids::EnvironmentId;
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_core::plan::{RotationRequest, Strategy, Timing, ValueRecipe, plan_rotation};
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_core::{Result, SecretValue};
use swarmsecrets_testkit::sim::{Program, SecretBuilder, ServiceBuilder, SimEngine};
use swarmsecrets_testkit::{SimSwarm, portainer, values};

use crate::place::{Place, password};

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const OLD: &[u8] = b"made-up-old-cache-password";

#[derive(Default)]
struct Trail(Mutex<Vec<String>>);

#[async_trait]
impl AuditSink for Trail {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        self.0.lock().unwrap().push(record.action.clone());
        Ok(())
    }
}

struct Same;

impl Random for Same {
    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        into.fill(7);
        Ok(())
    }
}

/// Rotates to `new`, which the second service takes or refuses, and gives what became of it and of both passwords.
async fn rotate(user: &str, new: &[u8], second: Program) -> (Outcome, bool, bool) {
    let secret = |value: &[u8]| {
        values::record(value);
        SecretValue::new(value.to_vec()).unwrap()
    };
    let (old, new) = (secret(OLD), secret(new));
    let place = Place::WithAclFile;
    place.user(user, &[b"reset", b"on", &password(&old)]).await;
    let setter = place.setter_at(place.address()).await.user(user).build().unwrap();
    let setter = Arc::new(setter);

    let service =
        |name: &str| ServiceBuilder::new(name, "local/app:1").secret("cache").restart_delay(Duration::from_secs(1));
    let world = SimEngine::builder(7).secret_with(SecretBuilder::new("cache", OLD));
    let world = world.program("s0", Program::runs()).service(service("s0"));
    let engine = world.program("s1", second).service(service("s1")).build();
    engine.run_for(Duration::from_secs(60));
    let swarm = SimSwarm::of(engine, portainer::State::default());
    let (client, clock, journal, trail) = (swarm.client(), swarm.clock(), MemoryJournal::default(), Trail::default());

    let request = RotationRequest {
        strategy: Strategy::Overlap,
        timing: Timing { grace: Duration::ZERO, ..Timing::default() },
        credentials: BTreeMap::from([("cache".to_owned(), setter.account())]),
        ..RotationRequest::new("cache", ValueRecipe::Supplied)
    };
    let plan = plan_rotation(&read_inventory(&client, ENVIRONMENT, &clock).await.unwrap(), &request).unwrap();
    let change = PasswordChange::Setter { setter: setter.clone(), current: Some(old.clone()) };
    let executor = Executor::new(Parts {
        transport: &client,
        environment: ENVIRONMENT,
        clock: &clock,
        journal: &journal,
        audit: &trail,
        observer: &Silent,
        cancellation: Cancellation::default(),
        agent: None,
        reason: None,
        word: Word::Given,
    })
    .with_passwords(BTreeMap::from([("cache".to_owned(), change)]));
    let report =
        executor.apply(&plan, &mut Supply { values: Values::one(new.clone()), random: &mut Same }).await.unwrap();
    let works = |login| matches!(login, swarmsecrets_core::credential::Login::Works);
    (report.outcome, works(setter.verify(&old).await), works(setter.verify(&new).await))
}

#[tokio::test]
async fn a_password_is_changed_in_step_with_the_services() {
    let done = rotate("in-step", b"made-up-new-cache-password", Program::runs()).await;
    assert_eq!(done, (Outcome::Applied, false, true));
}

#[tokio::test]
async fn a_service_that_refuses_the_new_value_brings_the_old_password_back() {
    let done = rotate("in-step-back", b"made-up-bad-cache-password", Program::needs("cache", OLD).exit(3)).await;
    assert_eq!(done, (Outcome::RolledBack, true, false));
}
