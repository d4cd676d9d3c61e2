//! A process that was paused between its last look and its request, and another one that took its rotation over meanwhile.

use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::executor::{Executor, Parts, Silent, Supply, Values};
use swarmsecrets_core::journal::JournalStore as _;
use swarmsecrets_core::policy::Permit;
use swarmsecrets_core::rotation::{Outcome, Report};
use swarmsecrets_core::transport::{Chunks, Read, Response, Transport, Write};
use swarmsecrets_core::{Result, SecretValue};
use swarmsecrets_testkit::portainer::PortainerClient;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};
use tokio::sync::Notify;

use super::desk::{Counting, Desk, ENVIRONMENT, NEW, OLD};

/// The way of a process that is paused just before one of its mutations is sent.
struct Paused<'a> {
    client: &'a PortainerClient,
    /// So many mutations go through before.
    left: AtomicIsize,
    reached: Notify,
    woken: Notify,
}

#[async_trait]
impl Transport for Paused<'_> {
    async fn read(&self, request: &Read) -> Result<Response> {
        self.client.read(request).await
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        self.client.stream(request).await
    }

    async fn write(&self, request: Write, permit: Permit) -> Result<Response> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.reached.notify_one();
            self.woken.notified().await;
        }
        self.client.write(request, permit).await
    }

    fn simulated(&self) -> bool {
        self.client.simulated()
    }
}

/// The loser is paused before its mutation number `at`; its lease runs out, the winner brings the rotation to an end, and the
/// loser wakes up and sends. Gives nothing if the rotation has no such mutation.
pub(super) async fn overtaken(desk: &mut Desk, at: isize) -> Option<(Report, Report)> {
    let plan = desk.plan("db", Duration::from_secs(3600)).await.unwrap();
    let client = desk.swarm.client();
    let losers = Paused { client: &client, left: AtomicIsize::new(at), reached: Notify::new(), woken: Notify::new() };
    let journal = desk.journal.clone();
    desk.journal = journal.opened_anew();
    let clock = desk.swarm.clock();
    let loser = Executor::new(Parts {
        transport: &losers,
        environment: ENVIRONMENT,
        clock: &clock,
        journal: &journal,
        audit: desk.trail.as_ref(),
        observer: &Silent,
        cancellation: desk.cancellation.clone(),
        agent: Some("agent-loser".into()),
        reason: None,
        word: desk.word,
    });
    let value = || Values::one(SecretValue::new(NEW.to_vec()).unwrap());
    let (mut random, mut other) = (Counting(11), Counting(12));
    let mut supply = Supply { values: value(), random: &mut random };
    let mut lost = std::pin::pin!(loser.apply(&plan, &mut supply));
    tokio::select! {
        () = losers.reached.notified() => {}
        _ = &mut lost => return None,
    }
    let id = journal.list().await.unwrap().pop().unwrap();
    let error = desk.resume(&id).await.unwrap_err();
    assert!(error.is_conflict(), "the loser has it yet: {error}");
    desk.journal.expire(&id);
    let mut supply = Supply { values: value(), random: &mut other };
    let won = desk.executor(&clock).resume(&id, &mut supply).await.unwrap();
    losers.woken.notify_one();
    Some((lost.await.unwrap(), won))
}

fn desk(second: Program) -> Desk {
    let service =
        |name: &str| ServiceBuilder::new(name, "local/app:1").secret("db").restart_delay(Duration::from_secs(1));
    Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), second)])
}

fn all_on(desk: &Desk, name: &str) -> bool {
    ["s0", "s1"].iter().all(|service| desk.mounts(service) == [name])
}

#[tokio::test]
async fn whoever_took_over_ends_it_and_the_one_before_stops() {
    for at in 0.. {
        let mut desk = desk(Program::runs());
        let Some((lost, won)) = overtaken(&mut desk, at).await else {
            assert!(at >= 3, "a version is made and two services are updated");
            break;
        };
        assert_eq!(won.outcome, Outcome::Applied, "{at}: {won:?}");
        assert_eq!(lost.outcome, Outcome::Conflict, "{at}: {lost:?}");
        assert!(lost.warnings[0].contains("lease"), "{at}: {:?}", lost.warnings);
        desk.swarm.engine().run_for(Duration::from_secs(60));
        assert!(all_on(&desk, "db_v2") && desk.has_secret("db"), "{at}: the winner's work stands");
    }
}

#[tokio::test]
async fn what_was_put_back_stays_back() {
    for at in 0.. {
        let mut desk = desk(Program::needs("db", OLD).exit(3));
        let Some((lost, won)) = overtaken(&mut desk, at).await else {
            assert!(at >= 5, "two services are updated and put back, and the version is removed");
            break;
        };
        assert_eq!(won.outcome, Outcome::RolledBack, "{at}: {won:?}");
        assert_eq!(lost.outcome, Outcome::Conflict, "{at}: {lost:?}");
        desk.swarm.engine().run_for(Duration::from_secs(60));
        assert!(all_on(&desk, "db"), "{at}: every service is on the old version");
        // A create that arrives after everybody has given up on it leaves a version that nobody uses.
        assert_eq!(desk.has_secret("db_v2"), at == 0, "{at}");
    }
}
