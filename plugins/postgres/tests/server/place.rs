//! Where the server is: `cargo xtask` tells it by the environment.

use std::net::SocketAddr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use swarmsecrets_core::SecretValue;
use swarmsecrets_postgres::{Builder, PostgresSetter};
use swarmsecrets_testkit::values;
use tokio::sync::OnceCell;

/// Reads one of the variables that `cargo xtask` sets.
pub(crate) fn told(what: &str) -> String {
    let name = format!("SWARMSECRETS_TEST_POSTGRES{what}");
    std::env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with `cargo xtask test`, which starts what they need")
    })
}

pub(crate) fn address() -> SocketAddr {
    told("").parse().unwrap()
}

/// Runs a statement as superuser.
pub(crate) async fn run(sql: &str) {
    run_in("postgres", sql).await;
}

/// Runs statements as superuser in a database.
pub(crate) async fn run_in(database: &str, sql: &str) {
    let mut connection = superuser(database).await;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    connection.close().await.unwrap();
}

/// What a query with one number for an answer answers.
pub(crate) async fn ask_in(database: &str, sql: &str) -> i64 {
    let mut connection = superuser(database).await;
    let number = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await;
    connection.close().await.unwrap();
    number.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

/// What the server says to a statement that it refuses, as a role with its password, or as superuser.
pub(crate) async fn refused_in(database: &str, role: Option<(&str, &str)>, sql: &str) -> String {
    let administrator = told("_PASSWORD");
    let (role, password) = role.unwrap_or(("admin", &administrator));
    let mut connection = logged_in(database, role, password).await;
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
    connection.close().await.unwrap();
    done.err().unwrap_or_else(|| panic!("{sql}: it was not refused")).to_string()
}

async fn superuser(database: &str) -> PgConnection {
    logged_in(database, "admin", &told("_PASSWORD")).await
}

async fn logged_in(database: &str, role: &str, password: &str) -> PgConnection {
    let options = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(address().port())
        .username(role)
        .password(password)
        .database(database)
        .disable_statement_logging();
    PgConnection::connect_with(&options).await.unwrap()
}

/// The password of `rotator`, who is no superuser, but may make roles.
pub(crate) async fn rotator() -> SecretValue {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let password = format!("{}-of-rotator", told("_PASSWORD"));
    let statement = format!(
        "DO $$ BEGIN CREATE ROLE rotator LOGIN CREATEROLE PASSWORD '{password}'; \
         EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    );
    MADE.get_or_init(|| run(&statement)).await;
    values::record(password.as_bytes());
    SecretValue::new(password.into_bytes()).unwrap()
}

/// A setter for the server behind this address, with the administrator's password.
pub(crate) async fn setter_at(address: SocketAddr) -> Builder {
    PostgresSetter::at(&address.ip().to_string(), address.port()).administrator("rotator", rotator().await)
}

/// A name, quoted by the server's own rules, not by ours.
pub(crate) fn identifier(name: &str) -> String {
    format!("U&\"{}\" UESCAPE '^'", escaped(name))
}

/// A text, written so that nothing in it needs quoting.
pub(crate) fn literal(text: &str) -> String {
    format!("U&'{}' UESCAPE '^'", escaped(text))
}

fn escaped(text: &str) -> String {
    text.chars().map(|c| format!("^+{:06x}", u32::from(c))).collect()
}
