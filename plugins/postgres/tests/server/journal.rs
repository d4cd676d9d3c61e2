//! Journals on a real server.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{Entry, Event, FORMAT, JournalStore};
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_postgres::{PostgresJournal, SCHEMA};
use swarmsecrets_testkit::credential::wire_that_loses_the_answer_to;
use swarmsecrets_testkit::{conformance, values};

use crate::place;
use crate::wire::Wire;

/// Short, but long enough for a machine that is busy.
const LASTS: Duration = Duration::from_secs(3);

/// A database of its own for one test, and a role to keep journals there.
pub(crate) struct Journals {
    name: &'static str,
}

impl Journals {
    /// The role owns the database.
    pub(crate) async fn owned(name: &'static str) -> Self {
        let journals = Self::made(name, "").await;
        place::run(&format!("ALTER DATABASE {name} OWNER TO {name}")).await;
        journals
    }

    /// The role owns nothing.
    pub(crate) async fn made(name: &'static str, options: &str) -> Self {
        let password = Self { name }.password();
        place::run(&format!("CREATE ROLE {name} LOGIN PASSWORD '{password}' {options}")).await;
        place::run(&format!("CREATE DATABASE {name}")).await;
        Self { name }
    }

    fn password(&self) -> String {
        format!("{}-of-{}", place::told("_PASSWORD"), self.name)
    }

    pub(crate) fn url(&self, address: SocketAddr, rest: &str) -> SecretValue {
        let password = self.password();
        values::record(password.as_bytes());
        let name = self.name;
        SecretValue::credential(format!("postgres://{name}:{password}@{address}/{name}{rest}").into_bytes())
    }

    fn at(&self, address: SocketAddr) -> PostgresJournal {
        PostgresJournal::at(&self.url(address, "")).unwrap().lasts(LASTS)
    }

    fn open(&self) -> PostgresJournal {
        self.at(place::address())
    }

    pub(crate) async fn run(&self, sql: &str) {
        place::run_in(self.name, sql).await;
    }

    /// What the server says to a statement that it refuses, as this role or as superuser.
    pub(crate) async fn refused(&self, sql: &str, as_the_role: bool) -> String {
        let password = self.password();
        let role = as_the_role.then_some((self.name, password.as_str()));
        place::refused_in(self.name, role, sql).await
    }

    async fn ask(&self, sql: &str) -> i64 {
        place::ask_in(self.name, sql).await
    }

    /// Returns once the server counts the lease as ended.
    async fn ended(&self, rotation: &RotationId) {
        let sql = format!(
            "SELECT count(*) FROM swarmsecrets.lease WHERE rotation = '{rotation}' AND expires_at > clock_timestamp()"
        );
        while self.ask(&sql).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn rotation(n: u8) -> RotationId {
    RotationId::from_random([n; 10])
}

fn entry(n: u64) -> Entry {
    Entry { v: FORMAT, n, at: Timestamp::UNIX_EPOCH, event: Event::UndoBegun { reason: format!("entry {n}") } }
}

// The wire must go on while a lease that is given back holds the test up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_keeps_the_promises_of_a_journal() {
    let journals = Journals::owned("journal_suite").await;
    let wire = Wire::to(place::address()).await;
    let open = || journals.at(wire.address);
    conformance::journal_store::check(open, async |rotation| {
        wire.silence();
        journals.ended(rotation).await;
        wire.speak();
    })
    .await;
}

#[tokio::test]
async fn one_of_many_takes_a_rotation_and_the_others_are_told_who() {
    let journals = Journals::owned("journal_race").await;
    let stores: Vec<_> = (0..6).map(|n| journals.open().holder(&format!("process {n} on blue"))).collect();
    let wanted = rotation(1);
    let tries = at_once(stores.iter().map(|store| store.lock(&wanted))).await;
    let (won, lost): (Vec<_>, Vec<_>) = tries.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 5));
    for error in lost.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let text = error.message();
        assert!(text.contains("process ") && text.contains("on blue") && text.contains("its lease ends in "), "{text}");
    }
}

/// All of them at the same time.
pub(crate) async fn at_once<T>(tries: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut open: Vec<_> = tries.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = open.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in open.iter_mut().zip(&mut done).filter(|(_, slot)| slot.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn an_entry_whose_answer_was_lost_is_there_once() {
    let journals = Journals::owned("journal_lost_answer").await;
    // With the entry itself, so not where the statement is prepared.
    let wire = wire_that_loses_the_answer_to(b"entry 1", place::address()).await.unwrap();
    let store = journals.at(wire);
    let lease = store.lock(&rotation(1)).await.unwrap();
    store.append(&rotation(1), &entry(0)).await.unwrap();
    store.append(&rotation(1), &entry(1)).await.unwrap();
    assert_eq!(store.load(&rotation(1)).await.unwrap().entries, [entry(0), entry(1)]);
    assert!(lease.held());
}

#[tokio::test]
async fn a_server_that_ends_the_connections_ends_no_lease() {
    let journals = Journals::owned("journal_ended").await;
    let store = journals.open();
    let lease = store.lock(&rotation(1)).await.unwrap();
    store.append(&rotation(1), &entry(0)).await.unwrap();
    let renewed = "SELECT (extract(epoch FROM max(expires_at)) * 1000)::int8 FROM swarmsecrets.lease";
    let until = journals.ask(renewed).await;
    journals
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'swarmsecrets journal' AND datname = current_database()")
        .await;
    store.append(&rotation(1), &entry(1)).await.unwrap();
    while journals.ask(renewed).await == until {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(lease.held());
    assert_eq!(journals.open().lock(&rotation(1)).await.err().unwrap().kind(), ErrorKind::Conflict);
}

/// The network was gone for longer than the lease lasts, and nobody wanted it meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_ended_and_that_nobody_took_is_held_again() {
    let journals = Journals::owned("journal_silence").await;
    let wire = Wire::to(place::address()).await;
    let store = journals.at(wire.address);
    let lease = store.lock(&rotation(1)).await.unwrap();
    wire.silence();
    while lease.held() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    wire.speak();
    while !lease.held() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    store.append(&rotation(1), &entry(0)).await.unwrap();
}

#[tokio::test]
async fn tables_are_made_once_by_whoever_comes_first() {
    let journals = Journals::owned("journal_tables").await;
    let stores: Vec<_> = (0..6).map(|_| journals.open()).collect();
    for listed in at_once(stores.iter().map(|store| store.list())).await {
        assert_eq!(listed.unwrap(), []);
    }
    let store = journals.open();
    let lease = store.lock(&rotation(1)).await.unwrap();
    store.append(&rotation(1), &entry(0)).await.unwrap();
    for _ in 0..2 {
        journals.run(SCHEMA).await;
    }
    assert_eq!(store.load(&rotation(1)).await.unwrap().entries, [entry(0)]);
    drop(lease);
}

#[tokio::test]
async fn the_rights_that_the_file_names_are_enough_and_fewer_are_said() {
    let journals = Journals::made("journal_rights", "").await;
    let error = journals.open().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(error.message().contains("cannot make the journal's tables"), "{error}");
    journals.run(SCHEMA).await;
    // As the file says.
    let grants: String = SCHEMA
        .lines()
        .filter_map(|line| line.trim_start_matches("--").trim().strip_prefix("GRANT"))
        .map(|grant| format!("GRANT{};", grant.trim_end_matches(';').replace("rotator", journals.name)))
        .collect();
    assert_eq!(grants.matches("GRANT").count(), 3, "{grants}");
    journals.run(&grants).await;
    let store = journals.open();
    let lease = store.lock(&rotation(1)).await.unwrap();
    store.append(&rotation(1), &entry(0)).await.unwrap();
    drop(lease);
    assert_eq!(store.list().await.unwrap(), [rotation(1)]);
    journals.run("REVOKE SELECT ON swarmsecrets.entry FROM journal_rights").await;
    let error = journals.open().list().await.unwrap_err();
    assert!(error.message().contains("has not the right"), "{error}");
}

#[tokio::test]
async fn a_server_that_may_not_write_is_named() {
    let journals = Journals::owned("journal_standby").await;
    drop(journals.open().lock(&rotation(1)).await.unwrap());
    journals.run("ALTER ROLE journal_standby SET default_transaction_read_only = on").await;
    let error = journals.open().lock(&rotation(1)).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(error.message().contains("read-only"), "{error}");
}

#[tokio::test]
async fn what_was_changed_in_the_tables_is_found() {
    let journals = Journals::owned("journal_damage").await;
    let store = journals.open();
    let lease = store.lock(&rotation(1)).await.unwrap();
    for n in 0..3 {
        store.append(&rotation(1), &entry(n)).await.unwrap();
    }
    for (sql, part) in [
        ("UPDATE swarmsecrets.entry SET entry = '{\"v\": 2}' WHERE n = 2", "format 2 is not known"),
        ("UPDATE swarmsecrets.entry SET entry = '[]' WHERE n = 2", "entry 2: damaged"),
        ("DELETE FROM swarmsecrets.entry WHERE n = 1", "entry 2 stands there"),
    ] {
        journals.run(sql).await;
        let error = store.load(&rotation(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal);
        assert!(error.message().contains(part), "{sql}: {error}");
    }
    drop(lease);
    let error = store.append(&rotation(1), &entry(3)).await.unwrap_err();
    assert!(error.message().contains("was not taken here"), "{error}");
}

#[tokio::test]
async fn the_certificate_is_checked() {
    let journals = Journals::owned("journal_encrypted").await;
    let authority = format!("?sslmode=verify-full&sslrootcert={}", place::told("_AUTHORITY"));
    let open = |rest: &str| PostgresJournal::at(&journals.url(place::address(), rest)).unwrap();
    assert_eq!(open(&authority).list().await.unwrap(), []);
    let error = open("?sslmode=verify-full").list().await.unwrap_err();
    assert!(error.message().contains("certificate"), "{error}");
}
