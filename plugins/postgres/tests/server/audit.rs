//! Audit trails on a real server.

use jiff::Timestamp;
use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Checkpoint, Link, Linked, Phase};
use swarmsecrets_core::ids::{EnvironmentId, PlanDigest, RotationId};
use swarmsecrets_core::policy::Direction;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_postgres::{AUDIT_SCHEMA, PostgresAudit};
use swarmsecrets_testkit::conformance;
use swarmsecrets_testkit::credential::wire_that_loses_the_answer_to;

use crate::journal::{Journals, at_once};
use crate::place;
use crate::wire::Wire;

fn open(place: &Journals) -> PostgresAudit {
    PostgresAudit::at(&place.url(place::address(), "")).unwrap()
}

fn record(step: u32) -> AuditRecord {
    AuditRecord {
        at: Timestamp::UNIX_EPOCH,
        actor: Actor { account: "svc-agent".into(), agent: None, reason: Some("due".into()), leave: None },
        environment: EnvironmentId(1),
        rotation: RotationId::from_random([1; 10]),
        plan: PlanDigest::from_sha256([2; 32]),
        phase: Phase::Intent,
        step,
        direction: Direction::Forward,
        action: format!("update service `web{step}`"),
        outcome: None,
        simulated: true,
    }
}

async fn lines(audit: &PostgresAudit) -> Vec<String> {
    let mut lines = Vec::new();
    let keep = |line: &str| {
        lines.push(line.to_owned());
        Ok(())
    };
    audit.read(keep).await.unwrap();
    lines
}

async fn steps(audit: &PostgresAudit) -> Vec<u32> {
    let step = |line: &String| serde_json::from_str::<Linked>(line).unwrap().record.step;
    lines(audit).await.iter().map(step).collect()
}

/// Reads what there is on a thread of its own, as the suite asks in between.
fn read_back(url: SecretValue) -> Vec<AuditRecord> {
    let read = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lines = runtime.block_on(async { lines(&PostgresAudit::at(&url).unwrap()).await });
        lines.iter().map(|line| serde_json::from_str::<Linked>(line).unwrap().record).collect()
    };
    std::thread::spawn(read).join().unwrap()
}

#[tokio::test]
async fn a_table_keeps_the_promises_of_a_sink() {
    let place = Journals::owned("audit_suite").await;
    let url = place.url(place::address(), "");
    conformance::audit_sink::check(|| open(&place), || read_back(url.clone())).await;
    let verdict = open(&place).verify(Vec::new()).await.unwrap();
    assert!(verdict.whole && verdict.records == 7 && verdict.file.contains("audit_suite"), "{verdict:?}");
}

#[tokio::test]
async fn several_hosts_make_one_chain() {
    let place = Journals::owned("audit_hosts").await;
    let sinks: Vec<_> = (0..5).map(|_| open(&place)).collect();
    let write = async |sink: &PostgresAudit, from: u32| {
        for step in from..from + 10 {
            sink.append(&record(step)).await.unwrap();
        }
    };
    at_once(sinks.iter().zip(0..).map(|(sink, n)| write(sink, 10 * n))).await;
    let mut seen = steps(&sinks[0]).await;
    seen.sort_unstable();
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
    assert!(sinks[0].verify(Vec::new()).await.unwrap().whole);
}

#[tokio::test]
async fn a_record_whose_answer_was_lost_is_there_once() {
    let place = Journals::owned("audit_lost_answer").await;
    open(&place).append(&record(0)).await.unwrap();
    let wire = wire_that_loses_the_answer_to(b"web1", place::address()).await.unwrap();
    let audit = PostgresAudit::at(&place.url(wire, "")).unwrap();
    audit.append(&record(1)).await.unwrap();
    audit.append(&record(2)).await.unwrap();
    assert_eq!(steps(&open(&place)).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_server_that_ends_the_connections_or_is_silent_loses_nothing() {
    let place = Journals::owned("audit_ended").await;
    let audit = open(&place);
    audit.append(&record(0)).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE application_name = 'swarmsecrets audit trail' AND datname = current_database()";
    place.run(end).await;
    audit.append(&record(1)).await.unwrap();
    let wire = Wire::to(place::address()).await;
    let silent = PostgresAudit::at(&place.url(wire.address, "")).unwrap();
    silent.append(&record(2)).await.unwrap();
    wire.silence();
    let error = silent.append(&record(3)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("timed out"), "{error}");
    wire.speak();
    silent.append(&record(4)).await.unwrap();
    let seen = steps(&audit).await;
    assert!(seen == [0, 1, 2, 4] || seen == [0, 1, 2, 3, 4], "what was not acknowledged may be there: {seen:?}");
    assert!(audit.verify(Vec::new()).await.unwrap().whole);
}

/// The lines of the schema's file that give rights.
fn grants(role: &str) -> String {
    let grant = |line: &str| line.trim_start_matches("--").trim().strip_prefix("GRANT").map(str::to_owned);
    let line = |grant: String| format!("GRANT{};", grant.trim_end_matches(';').replace("auditor", role));
    AUDIT_SCHEMA.lines().filter_map(grant).map(line).collect()
}

#[tokio::test]
async fn the_rights_that_the_file_names_are_enough_and_let_nothing_be_changed() {
    let place = Journals::made("audit_rights", "").await;
    let error = open(&place).append(&record(0)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit, "{error}");
    assert!(error.message().contains("cannot make the audit trail's tables"), "{error}");
    for _ in 0..2 {
        place.run(AUDIT_SCHEMA).await;
    }
    let grants = grants("audit_rights");
    assert_eq!(grants.matches("GRANT").count(), 2, "{grants}");
    place.run(&grants).await;
    let audit = open(&place);
    audit.append(&record(0)).await.unwrap();
    audit.append(&record(1)).await.unwrap();
    assert!(audit.verify(Vec::new()).await.unwrap().whole);
    let changes = [
        "UPDATE swarmsecrets.audit SET line = 'x'",
        "DELETE FROM swarmsecrets.audit",
        "DELETE FROM swarmsecrets.audit WHERE n > 99",
        "TRUNCATE swarmsecrets.audit",
    ];
    for sql in changes {
        // The role has not the right to, and whoever has it is stopped by the trigger.
        let refused = place.refused(sql, true).await;
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
        for replica in ["", "SET session_replication_role = replica; "] {
            let refused = place.refused(&format!("{replica}{sql}"), false).await;
            assert!(refused.contains("the audit trail only grows"), "{sql}: {refused}");
        }
    }
    for sql in ["ALTER TABLE swarmsecrets.audit DISABLE TRIGGER ALL", "DROP TABLE swarmsecrets.audit"] {
        assert!(place.refused(sql, true).await.contains("must be owner"), "{sql}");
    }
    assert_eq!(steps(&audit).await, [0, 1]);
}

#[tokio::test]
async fn what_the_owner_has_changed_is_found_and_not_written_after() {
    let checkpoint_key = swarmsecrets_core::keys::SigningKey::from_text(
        b"swarmsecrets-private-key-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    );
    let checkpoint_key = checkpoint_key.unwrap();
    for (n, (sql, says, stops)) in [
        (
            "UPDATE swarmsecrets.audit SET line = replace(line, 'web1', 'web9') WHERE n = 1",
            "audit record 1: its",
            false,
        ),
        ("DELETE FROM swarmsecrets.audit WHERE n = 1", "audit record 1: it stands in row 2", false),
        ("UPDATE swarmsecrets.audit SET line = replace(line, 'web2', 'web9') WHERE n = 2", "audit record 2: its", true),
        ("UPDATE swarmsecrets.audit SET line = 'x' WHERE n = 2", "audit record 2: it is no JSON", true),
        ("UPDATE swarmsecrets.audit SET n = 7 WHERE n = 2", "audit record 2: it stands in row 7", true),
        ("DELETE FROM swarmsecrets.audit WHERE n = 2", "", false),
    ]
    .into_iter()
    .enumerate()
    {
        let name: &'static str = Box::leak(format!("audit_tampered_{n}").into_boxed_str());
        let place = Journals::owned(name).await;
        let audit = open(&place);
        let mut end = Link::default();
        for step in 0..3 {
            audit.append(&record(step)).await.unwrap();
            end = end.after(&end.line(&record(step)).unwrap()).unwrap();
        }
        let checkpoint = Checkpoint::sign(&end, Timestamp::UNIX_EPOCH, &checkpoint_key);
        assert!(audit.verify(vec![checkpoint.clone()]).await.unwrap().whole);
        place.run(&format!("ALTER TABLE swarmsecrets.audit DISABLE TRIGGER ALL; {sql}")).await;
        let verdict = audit.verify(Vec::new()).await.unwrap();
        match says {
            "" => {
                assert!(verdict.whole, "{sql}: the lines alone do not tell");
                let problem = audit.verify(vec![checkpoint]).await.unwrap().problem.unwrap();
                assert!(problem.contains("were cut off"), "{problem}");
            }
            says => assert!(verdict.problem.unwrap().contains(says), "{sql}"),
        }
        let next = open(&place).append(&record(3)).await;
        assert_eq!(next.is_err(), stops, "{sql}: {next:?}");
    }
}

#[tokio::test]
async fn a_server_that_may_not_write_is_named() {
    let place = Journals::owned("audit_standby").await;
    open(&place).append(&record(0)).await.unwrap();
    place.run("ALTER ROLE audit_standby SET default_transaction_read_only = on").await;
    let error = open(&place).append(&record(1)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Audit && error.message().contains("read-only"), "{error}");
    let url = place.url(place::address(), "");
    conformance::audit_sink::check_failing(&open(&place), || read_back(url.clone())).await;
}
