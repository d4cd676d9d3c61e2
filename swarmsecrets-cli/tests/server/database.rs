//! A database for journals on the server that `cargo xtask` has started.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use swarmsecrets_testkit::values;

/// A database of its own for one test, and the role that owns it, of the same name.
pub(crate) struct Database {
    name: &'static str,
    pub(crate) password: String,
}

impl Database {
    pub(crate) fn make(name: &'static str) -> Self {
        let password = format!("{}-of-{name}", told("_PASSWORD"));
        values::record(password.as_bytes());
        let database = Self { name, password };
        let password = &database.password;
        database.ask("postgres", &format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"));
        database.ask("postgres", &format!("CREATE DATABASE {name} OWNER {name}"));
        database
    }

    /// As the command takes it.
    pub(crate) fn url(&self) -> String {
        self.url_of(self.name, &self.password)
    }

    /// As [`Database::url`], with another database and password.
    pub(crate) fn url_of(&self, database: &str, password: &str) -> String {
        format!("postgres://{}:{password}@{}/{database}", self.name, told(""))
    }

    /// How many rows of the journal's tables there are, and all that they hold.
    pub(crate) fn rows(&self) -> (usize, String) {
        let sql = "SELECT l::text FROM swarmsecrets.lease l UNION ALL SELECT e::text FROM swarmsecrets.entry e";
        let rows = self.ask(self.name, sql);
        (rows.len(), rows.join("\n"))
    }

    /// The rotations that somebody has, by the server's clock.
    pub(crate) fn leases_held(&self) -> Vec<String> {
        self.ask(self.name, "SELECT rotation FROM swarmsecrets.lease WHERE expires_at > clock_timestamp()")
    }

    /// Does what only an administrator of the server can.
    pub(crate) fn change_as_superuser(&self, statements: &str) {
        for statement in statements.split(';') {
            drop(self.ask(self.name, statement));
        }
    }

    /// Runs a statement as superuser, and gives the first column of what it answers.
    fn ask(&self, database: &str, sql: &str) -> Vec<String> {
        let address: std::net::SocketAddr = told("").parse().unwrap();
        let options = PgConnectOptions::new_without_pgpass()
            .host(&address.ip().to_string())
            .port(address.port())
            .username("admin")
            .password(&told("_PASSWORD"))
            .database(database)
            .disable_statement_logging();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
            connection.close().await.unwrap();
            // Not the statement, which may hold a password.
            rows.unwrap_or_else(|e| panic!("a statement of the test in {database} fails: {e}"))
        })
    }
}

/// Reads one of the variables that `cargo xtask` sets.
pub(crate) fn told(what: &str) -> String {
    let name = format!("SWARMSECRETS_TEST_POSTGRES{what}");
    std::env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with `cargo xtask test`, which starts what they need")
    })
}
