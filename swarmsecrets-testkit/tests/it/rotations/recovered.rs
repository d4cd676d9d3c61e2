//! Rotations whose journal is lost.

use std::time::Duration;

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::MemoryJournal;
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::sim::{Program, ServiceBuilder};

use super::desk::{Desk, NEW, OLD};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn desk(second: Program) -> Desk {
    let service =
        |name: &str| ServiceBuilder::new(name, "local/app:1").secret("db").restart_delay(Duration::from_secs(1));
    Desk::with(vec![(service("s0"), Program::runs()), (service("s1"), second)])
}

/// A rotation that stands still before the given mutation, and whose journal is then lost.
async fn stopped_before(desk: &mut Desk, mutation: usize) -> RotationId {
    let plan = desk.plan("db", DAY).await.unwrap();
    let trail = std::sync::Arc::clone(&desk.trail);
    trail.stop_after(mutation);
    let report = desk.apply(&plan, NEW).await.unwrap();
    assert_eq!(report.outcome, Outcome::NeedsHuman, "{report:?}");
    trail.go_on();
    desk.journal = MemoryJournal::default();
    report.rotation.unwrap()
}

#[tokio::test]
async fn a_version_that_nobody_uses_yet_is_taken_back() {
    let mut desk = desk(Program::runs());
    let id = stopped_before(&mut desk, 1).await;
    assert!(desk.has_secret("db_v2"));
    let report = desk.resume(&id).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert!(!desk.has_secret("db_v2") && desk.has_secret("db"));
    assert!(report.warnings[0].contains("its journal is lost"), "{:?}", report.warnings);
}

#[tokio::test]
async fn half_a_rotation_goes_on_to_the_new_version() {
    let mut desk = desk(Program::runs());
    let id = stopped_before(&mut desk, 2).await;
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db_v2".to_owned()], vec!["db".to_owned()]));
    let report = desk.resume(&id).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db_v2".to_owned()], vec!["db_v2".to_owned()]));
    assert!(desk.has_secret("db"), "its grace begins anew");
    desk.swarm.engine().run_for(DAY + Duration::from_secs(60));
    let retired = desk.executor(&desk.swarm.clock()).retire().await.unwrap();
    assert_eq!(retired.len(), 1);
    assert!(!desk.has_secret("db"));
}

#[tokio::test]
async fn half_a_rotation_whose_value_is_bad_goes_back() {
    let mut desk = desk(Program::needs("db", OLD).exit(3));
    let id = stopped_before(&mut desk, 2).await;
    let report = desk.resume(&id).await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db".to_owned()], vec!["db".to_owned()]));
    assert!(!desk.has_secret("db_v2"));
}

#[tokio::test]
async fn the_old_version_of_a_finished_rotation_is_retired_after_another_grace() {
    let mut desk = desk(Program::runs());
    let report = desk.rotate("db", DAY, NEW).await;
    assert_eq!(report.outcome, Outcome::Applied);
    desk.journal = MemoryJournal::default();
    desk.swarm.engine().run_for(2 * DAY);
    let first = desk.executor(&desk.swarm.clock()).retire().await.unwrap();
    assert_eq!(first.len(), 1);
    assert!(desk.has_secret("db"), "nothing is deleted on a guess");
    desk.swarm.engine().run_for(DAY + Duration::from_secs(60));
    let _ = desk.executor(&desk.swarm.clock()).retire().await.unwrap();
    assert!(!desk.has_secret("db"));
}

/// Whoever has the journal may still watch the consumers, even where the grace is none.
#[tokio::test]
async fn a_fresh_rotation_without_a_journal_here_is_left_to_whoever_has_it() {
    let mut desk = desk(Program::runs());
    let plan = desk.plan("db", Duration::ZERO).await.unwrap();
    desk.trail.stop_after(3);
    let report = desk.apply(&plan, NEW).await.unwrap();
    assert!(report.consumers.iter().all(|c| c.outcome == "applied"), "only the removal is left: {report:?}");
    desk.trail.go_on();
    desk.journal = MemoryJournal::default();
    let retire = async |desk: &Desk| desk.executor(&desk.swarm.clock()).retire().await.unwrap();
    desk.swarm.engine().run_for(DAY - Duration::from_secs(60));
    assert!(retire(&desk).await.is_empty());
    assert!(desk.has_secret("db"));
    desk.swarm.engine().run_for(Duration::from_secs(120));
    assert_eq!(retire(&desk).await.len(), 1);
}

#[tokio::test]
async fn half_a_rotation_is_undone_without_its_journal() {
    let mut desk = desk(Program::runs());
    let id = stopped_before(&mut desk, 2).await;
    let clock = desk.swarm.clock();
    let report = desk.executor(&clock).rollback(&id, "a test").await.unwrap();
    assert_eq!(report.outcome, Outcome::RolledBack, "{report:?}");
    assert_eq!((desk.mounts("s0"), desk.mounts("s1")), (vec!["db".to_owned()], vec!["db".to_owned()]));
    assert!(!desk.has_secret("db_v2"));
}

/// Both journals are lost: the first rotation is seen too, although the version that it made is not the newest any more.
#[tokio::test]
async fn a_rotation_that_another_one_came_after_retires_its_old_version() {
    let mut desk = desk(Program::runs());
    let first = desk.rotate("db", DAY, NEW).await.rotation.unwrap();
    let second = desk.rotate("db", DAY, OLD).await.rotation.unwrap();
    desk.journal = MemoryJournal::default();
    let mut lost = desk.executor(&desk.swarm.clock()).lost().await.unwrap();
    lost.sort();
    let mut both = vec![first.clone(), second];
    both.sort();
    assert_eq!(lost, both);
    let report = desk.resume(&first).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied, "{report:?}");
    assert!(desk.has_secret("db_v2") && desk.has_secret("db_v3"));
    desk.swarm.engine().run_for(DAY + Duration::from_secs(60));
    let _ = desk.executor(&desk.swarm.clock()).retire().await.unwrap();
    assert!(!desk.has_secret("db") && desk.has_secret("db_v3"));
}

#[tokio::test]
async fn a_rotation_that_nothing_tells_of_is_not_found() {
    let desk = desk(Program::runs());
    let id = "r-0123456789abcdef0123".parse().unwrap();
    assert_eq!(desk.resume(&id).await.unwrap_err().kind(), ErrorKind::NotFound);
}
