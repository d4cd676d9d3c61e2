//! Several sinks at once: what fails, what blocks, what lags, and when that stops everything.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::audit::{AuditRecord, AuditSink, Phase};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_host::{AuditSinks, Behind, FileAudit, NamedSink, query_audit, verify_audit};
use swarmsecrets_testkit::conformance;
use tempfile::TempDir;

use crate::audit::record;

/// Long enough for a machine that is busy.
const LONG: Duration = Duration::from_secs(30);

/// A sink that does what it is told.
#[derive(Default)]
struct Fake {
    took: Mutex<Vec<AuditRecord>>,
    does: AtomicU8,
}

const FAILS: u8 = 1;
const BLOCKS: u8 = 2;
const PANICS: u8 = 3;

impl Fake {
    fn that(does: u8) -> Arc<Self> {
        let fake = Self::default();
        fake.now(does);
        Arc::new(fake)
    }

    fn now(&self, does: u8) {
        self.does.store(does, Ordering::SeqCst);
    }

    fn steps(&self) -> Vec<u32> {
        self.took.lock().unwrap().iter().map(|record| record.step).collect()
    }
}

#[async_trait]
impl AuditSink for Fake {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        match self.does.load(Ordering::SeqCst) {
            FAILS => return Err(Error::new(ErrorKind::Audit, "no room")),
            BLOCKS => std::future::pending().await,
            PANICS => panic!("made up"),
            _ => self.took.lock().unwrap().push(record.clone()),
        }
        Ok(())
    }
}

/// One that cannot tell whether a record arrived.
struct Mute;

#[async_trait]
impl AuditSink for Mute {
    async fn append(&self, _: &AuditRecord) -> Result<()> {
        Ok(())
    }

    fn acknowledges(&self) -> bool {
        false
    }
}

fn file(dir: &TempDir) -> FileAudit {
    FileAudit::open(dir.path()).unwrap()
}

fn named(name: &str, sink: &Arc<Fake>) -> NamedSink {
    NamedSink::new(name, Arc::clone(sink) as Arc<dyn AuditSink>).within(LONG)
}

fn outcome(step: u32) -> AuditRecord {
    AuditRecord { phase: Phase::Outcome, outcome: Some("done".into()), ..record(step) }
}

fn records(dir: &Path) -> u64 {
    verify_audit(&dir.join("audit.jsonl")).unwrap().records
}

#[tokio::test]
async fn several_sinks_keep_the_promises_of_one() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = || {
        let sinks = AuditSinks::beside(file(&here));
        sinks.durable(NamedSink::new("there", Arc::new(file(&there)))).unwrap()
    };
    let read = |dir: &TempDir| -> Vec<AuditRecord> {
        let found = query_audit(&dir.path().join("audit.jsonl"), &swarmsecrets_core::audit::Query::default());
        found.map(|found| found.records.into_iter().map(|entry| entry.record).collect()).unwrap_or_default()
    };
    conformance::audit_sink::check(open, || {
        assert!(read(&here) == read(&there));
        read(&there)
    })
    .await;
}

#[tokio::test]
async fn one_that_fails_blocks_or_panics_is_outvoted_or_stops_everything() {
    let in_time = Duration::from_millis(50);
    for (does, words) in [
        (FAILS, "audit sink siem: no room"),
        (BLOCKS, "audit sink siem: it did not take the record within 50 ms"),
        (PANICS, "audit sink siem: it broke off"),
    ] {
        let (dir, bad) = (tempfile::tempdir().unwrap(), Fake::that(does));
        let sinks = || {
            let siem = NamedSink::new("siem", Arc::clone(&bad) as Arc<dyn AuditSink>).within(in_time);
            AuditSinks::beside(file(&dir)).durable(siem).unwrap()
        };
        conformance::audit_sink::check_failing(&sinks(), || bad.took.lock().unwrap().clone()).await;
        let error = sinks().append(&record(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Audit);
        assert!(error.message().starts_with("1 of 2 audit sinks took the record, and 2 must: "), "{error}");
        assert!(error.message().contains(words), "{error}");
        let outvoting = sinks().quorum(1).unwrap();
        outvoting.append(&record(1)).await.unwrap();
        let told = outvoting.flush().await.unwrap_err();
        assert!(told.message().contains("1 records are not where") && told.message().contains(words), "{told}");
        outvoting.flush().await.unwrap();
        // The first one was an intent, of which nothing was done.
        assert_eq!(records(dir.path()), 4);
        let must = NamedSink::new("own", Arc::clone(&bad) as Arc<dyn AuditSink>).within(in_time);
        let error = AuditSinks::beside(file(&dir)).required(must).unwrap().append(&record(1)).await.unwrap_err();
        assert!(
            error.message().starts_with("a sink that must take each audit record did not: audit sink own"),
            "{error}"
        );
        bad.now(0);
        sinks().append(&record(2)).await.unwrap();
        assert_eq!(bad.steps(), [2]);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_outvoted_unless_it_is_the_backlog() {
    let dir = tempfile::tempdir().unwrap();
    let full = || {
        let path = dir.path().join("audit.jsonl");
        let _ = std::fs::remove_file(&path);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        AuditSinks::beside(file(&dir))
    };
    let (good, slow) = (Fake::that(0), Fake::that(0));
    let error = full().append(&record(0)).await.unwrap_err();
    assert!(error.message().contains("No space left"), "{error}");
    let error = full().durable(named("good", &good)).unwrap().append(&record(1)).await.unwrap_err();
    assert!(error.message().contains("1 of 2") && error.message().contains("No space left"), "{error}");
    full().durable(named("good", &good)).unwrap().quorum(1).unwrap().append(&record(2)).await.unwrap();
    assert_eq!(good.steps(), [1, 2]);
    let sinks = full().durable(named("good", &good)).unwrap().quorum(1).unwrap();
    let error = sinks.lagging(named("slow", &slow), 9).unwrap().append(&record(3)).await.unwrap_err();
    assert!(error.message().contains("is the backlog of the sinks that may lag"), "{error}");
    assert!(slow.steps().is_empty());
}

#[tokio::test]
async fn one_that_may_lag_stops_everything_once_it_lags_by_more_than_it_may() {
    let (dir, siem) = (tempfile::tempdir().unwrap(), Fake::that(FAILS));
    let sinks = AuditSinks::beside(file(&dir)).lagging(named("siem", &siem), 3).unwrap();
    for step in 0..3 {
        sinks.append(&record(step)).await.unwrap();
    }
    let error = sinks.append(&record(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Audit);
    assert!(error.message().starts_with("audit sink siem lacks 3 records and may lack 3: "), "{error}");
    assert!(error.message().contains("no room"), "{error}");
    assert_eq!(records(dir.path()), 3, "the intent was not written anywhere");
    sinks.append(&outcome(2)).await.unwrap();
    let behind = sinks.settle(LONG).await;
    let reason = Some("audit sink siem: no room".to_owned());
    let told = sinks.flush().await.unwrap_err();
    assert!(
        told.message().contains("siem may lack records for a while") && told.message().contains("lacks 4"),
        "{told}"
    );
    assert_eq!(behind, [Behind { name: "siem".into(), records: 4, reason }]);
    siem.now(0);
    sinks.append(&record(4)).await.unwrap();
    assert_eq!(sinks.settle(LONG).await, []);
    assert_eq!(siem.steps(), [0, 1, 2, 2, 4], "in their order, each once");
}

#[tokio::test]
async fn what_one_process_could_not_send_the_next_one_does() {
    let (dir, siem) = (tempfile::tempdir().unwrap(), Fake::that(BLOCKS));
    let open = || AuditSinks::beside(file(&dir)).lagging(named("siem", &siem), 200).unwrap();
    let first = open();
    for step in 0..150 {
        first.append(&record(step)).await.unwrap();
    }
    assert_eq!(first.settle(Duration::from_millis(20)).await[0].records, 150);
    drop(first);
    siem.now(0);
    assert_eq!(open().settle(LONG).await, []);
    assert_eq!(siem.steps(), (0..150).collect::<Vec<_>>());
    let again = open();
    again.append(&record(150)).await.unwrap();
    assert_eq!(again.settle(LONG).await, []);
    assert_eq!(siem.steps(), (0..=150).collect::<Vec<_>>(), "nothing was sent a second time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_processes_one_at_a_time_feeds_a_sink() {
    let (dir, siem) = (tempfile::tempdir().unwrap(), Fake::that(0));
    let open = || AuditSinks::beside(file(&dir)).lagging(named("siem", &siem), 1000).unwrap();
    let (one, other) = (open(), open());
    for step in 0..10 {
        one.append(&record(2 * step)).await.unwrap();
        other.append(&record(2 * step + 1)).await.unwrap();
    }
    assert_eq!((one.settle(LONG).await, other.settle(LONG).await), (vec![], vec![]));
    assert_eq!(siem.steps(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_trail_that_was_exchanged_is_not_sent_on() {
    let (dir, siem) = (tempfile::tempdir().unwrap(), Fake::that(0));
    let open = || AuditSinks::beside(file(&dir)).lagging(named("siem", &siem), 2);
    let sinks = open().unwrap();
    sinks.append(&record(0)).await.unwrap();
    assert_eq!(sinks.settle(LONG).await, []);
    drop(sinks);
    std::fs::remove_file(dir.path().join("audit.jsonl")).unwrap();
    let sinks = open().unwrap();
    for step in [7, 8] {
        sinks.append(&outcome(step)).await.unwrap();
    }
    let behind = sinks.settle(LONG).await;
    assert!(behind[0].reason.as_ref().unwrap().contains("does not follow what was sent before it"), "{behind:?}");
    assert_eq!(siem.steps(), [0]);
    std::fs::write(dir.path().join("audit.siem.sent"), "no cursor").unwrap();
    let error = open().err().unwrap();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("everything is sent anew"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Fake::that(0));
    let sinks = || AuditSinks::beside(file(&dir)).durable(named("one", &sink)).unwrap();
    for bad in [
        sinks().durable(named("one", &sink)),
        sinks().lagging(named("one", &sink), 5),
        sinks().durable(named("file", &sink)),
        sinks().durable(named("", &sink)),
        sinks().durable(named("../x", &sink)),
        sinks().lagging(named("other", &sink), 0),
        sinks().durable(NamedSink::new("mute", Arc::new(Mute))),
        sinks().quorum(0),
        sinks().quorum(3),
    ] {
        assert_eq!(bad.err().unwrap().kind(), ErrorKind::Settings);
    }
    sinks().lagging(NamedSink::new("mute", Arc::new(Mute)), 5).unwrap().quorum(2).unwrap();
}
