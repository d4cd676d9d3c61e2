//! What every [`AuditSink`] must do.

use jiff::Timestamp;
use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Phase};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;

use super::{must, must_not};

/// Runs the suite. Each call of `open` opens the same sink anew, as another process would; it is empty at first.
/// `read_back` gives all records that the sink holds at that moment, in order.
///
/// # Panics
/// If the sink breaks a promise of the trait.
pub async fn check<S: AuditSink>(open: impl Fn() -> S, read_back: impl Fn() -> Vec<AuditRecord>) {
    assert!(read_back().is_empty(), "the sink is empty at first");
    let records = records();
    let sink = open();
    for (n, record) in records.iter().enumerate().take(3) {
        must("a record is taken", sink.append(record).await);
        assert_eq!(read_back(), records[..=n], "a record is there, unchanged, when the sink has taken it");
    }
    drop(sink);
    let (one, other) = (open(), open());
    must("a sink that was opened anew goes on", one.append(&records[3]).await);
    must("two that have it open do not undo each other", other.append(&records[4]).await);
    must("and take turns", one.append(&records[5]).await);
    assert_eq!(read_back(), records, "no record is lost, doubled or out of its place");
    must("a record that is sent a second time is no failure", one.append(&records[5]).await);
    let (there, twice) = (read_back(), [&records[..], &records[5..]].concat());
    assert!(there == records || there == twice, "it is there once, or once more at the end: {there:?}");
}

/// Runs what holds for a sink that cannot take records now: a full disk, a server that is gone. `read_back` gives what it holds.
///
/// # Panics
/// If the sink breaks a promise of the trait.
pub async fn check_failing<S: AuditSink>(broken: &S, read_back: impl Fn() -> Vec<AuditRecord>) {
    let before = read_back();
    for record in records().iter().take(2) {
        must_not("a record that cannot be kept is refused", ErrorKind::Audit, broken.append(record).await);
    }
    assert_eq!(read_back(), before, "nothing is there of a record that was refused");
}

fn records() -> Vec<AuditRecord> {
    let odd = "update service `web`: \"a\" -> b\n\u{1b}[31m ünïcode";
    let actor =
        Actor { account: "svc-agent".into(), agent: Some("agent-1".into()), reason: Some("due".into()), leave: None };
    let record = |step: u32, outcome: Option<&str>| AuditRecord {
        at: Timestamp::UNIX_EPOCH,
        actor: actor.clone(),
        environment: EnvironmentId(1),
        rotation: RotationId::from_random([7; 10]),
        plan: PlanDigest::from_sha256([8; 32]),
        phase: if outcome.is_some() { Phase::Outcome } else { Phase::Intent },
        step,
        direction: if step == 3 { Direction::Restore } else { Direction::Forward },
        action: odd.to_owned(),
        outcome: outcome.map(str::to_owned),
        simulated: true,
    };
    [(1, None), (1, Some("done")), (2, None), (2, Some("refused: no")), (3, None), (3, Some("unknown"))]
        .map(|(step, outcome)| record(step, outcome))
        .into()
}
