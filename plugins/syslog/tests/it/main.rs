//! The sink before a receiver that the test plays, over TLS as a real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod receiver;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Phase};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::{ErrorKind, Result, SecretValue};
use swarmsecrets_syslog::SyslogAudit;
use swarmsecrets_testkit::conformance;

use crate::receiver::{Asks, Authority, Receiver};

fn record(step: u32, action: &str) -> AuditRecord {
    AuditRecord {
        at: jiff::Timestamp::UNIX_EPOCH,
        actor: Actor { account: "svc".into(), agent: None, reason: None, leave: None },
        environment: EnvironmentId(1),
        rotation: RotationId::from_random([1; 10]),
        plan: PlanDigest::from_sha256([2; 32]),
        phase: Phase::Intent,
        step,
        direction: Direction::Forward,
        action: action.into(),
        outcome: None,
        simulated: true,
    }
}

fn sink(receiver: &Receiver, authority: &Authority) -> SyslogAudit {
    SyslogAudit::at(&receiver.address()).ca_certificate(authority.pem().as_bytes()).build().unwrap()
}

/// Counts what was sent: a receiver has it a moment later, and nobody says when.
struct Counted(SyslogAudit, Arc<AtomicUsize>);

#[async_trait]
impl AuditSink for Counted {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        self.0.append(record).await?;
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn acknowledges(&self) -> bool {
        self.0.acknowledges()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_arrives_as_a_sink_should_have_it() {
    let authority = Authority::make();
    let receiver = Receiver::start(Some(&authority), Asks::Nothing).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let open = || Counted(sink(&receiver, &authority), Arc::clone(&sent));
    assert!(!open().acknowledges());
    // What two connections bring is in the order in which they were read.
    let read = || {
        let mut records = receiver.records(sent.load(Ordering::SeqCst));
        records.sort_by_key(|record: &AuditRecord| (record.step, record.outcome.is_some()));
        records
    };
    conformance::audit_sink::check(open, read).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lengths_tell_messages_apart_whatever_they_hold() {
    let authority = Authority::make();
    let receiver = Receiver::start(Some(&authority), Asks::Nothing).await;
    let sink = sink(&receiver, &authority);
    let nasty = "web\n12 <13>1 - - forged\r\n\"]";
    for step in 0..3 {
        sink.append(&record(step, nasty)).await.unwrap();
    }
    let messages = receiver.messages(3);
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().all(|text| text.starts_with("<109>1 1970-") && !text.contains('\n')), "{messages:?}");
    assert_eq!(receiver.records(3)[2], record(2, nasty));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_ended_the_connection_is_connected_to_again() {
    let authority = Authority::make();
    let receiver = Receiver::start(Some(&authority), Asks::Nothing).await;
    let sink = sink(&receiver, &authority);
    sink.append(&record(0, "a")).await.unwrap();
    assert_eq!(receiver.records(1).len(), 1);
    receiver.hang_up().await;
    sink.append(&record(1, "b")).await.unwrap();
    assert_eq!(receiver.records(2).iter().map(|one| one.step).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_receiver_with_a_good_certificate_is_told() {
    let (authority, other) = (Authority::make(), Authority::make());
    let receiver = Receiver::start(Some(&other), Asks::Nothing).await;
    let error = sink(&receiver, &authority).append(&record(0, "a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Audit);
    assert!(error.message().contains("a certificate that is not trusted"), "{error}");
    let plain = Receiver::start(None, Asks::Nothing).await;
    let error = sink(&plain, &authority).append(&record(0, "a")).await.unwrap_err();
    assert!(error.message().contains("cannot make an encrypted connection"), "{error}");
    assert!(receiver.messages(0).is_empty() && plain.messages(0).is_empty());
    let unencrypted = SyslogAudit::at(&plain.address_by_number()).unencrypted().build().unwrap();
    unencrypted.append(&record(0, "a")).await.unwrap();
    assert_eq!(plain.records(1), [record(0, "a")]);
    let nobody = SyslogAudit::at("127.0.0.1:1").unencrypted().build().unwrap();
    let error = nobody.append(&record(0, "a")).await.unwrap_err();
    assert!(error.message().contains("a refused connection"), "{error}");
    conformance::audit_sink::check_failing(&nobody, || plain.records(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_lets_one_in() {
    let authority = Authority::make();
    let receiver = Receiver::start(Some(&authority), Asks::ForACertificate).await;
    let (certificate, key) = authority.issue("swarmsecrets");
    let key = || SecretValue::credential(key.clone().into_bytes());
    let at = || SyslogAudit::at(&receiver.address()).ca_certificate(authority.pem().as_bytes());
    let known = at().client_certificate(certificate.as_bytes(), key()).build().unwrap();
    known.append(&record(0, "a")).await.unwrap();
    assert_eq!(receiver.records(1), [record(0, "a")]);
    let (stranger, _) = Authority::make().issue("swarmsecrets");
    let error = at().client_certificate(stranger.as_bytes(), key()).build().err().unwrap();
    assert!(error.message().contains("do not belong together"), "{error}");
    let error = at().client_certificate(b"none", key()).build().err().unwrap();
    assert!(error.message().contains("the client certificate"), "{error}");
}
