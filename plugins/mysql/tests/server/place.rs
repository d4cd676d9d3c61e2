//! Where the server is: `cargo xtask` tells it by the environment.

use std::net::SocketAddr;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use swarmsecrets_core::SecretValue;
use swarmsecrets_mysql::{Builder, MysqlSetter};
use swarmsecrets_testkit::values;
use tokio::sync::OnceCell;

/// Reads one of the variables that `cargo xtask` sets.
pub(crate) fn told(what: &str) -> String {
    let name = format!("SWARMSECRETS_TEST_MARIADB{what}");
    std::env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with `cargo xtask test`, which starts what they need")
    })
}

pub(crate) fn address() -> SocketAddr {
    told("").parse().unwrap()
}

/// Runs a statement as a user who may do everything.
pub(crate) async fn run(sql: &str) {
    let options = MySqlConnectOptions::new().host("127.0.0.1").port(address().port()).username("admin");
    let options = options.password(&told("_PASSWORD")).ssl_mode(MySqlSslMode::Disabled).disable_statement_logging();
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    connection.close().await.unwrap();
}

/// The password of `rotator`, who may do no more than the documentation asks for.
pub(crate) async fn rotator() -> SecretValue {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let password = format!("{}-of-rotator", told("_PASSWORD"));
    let statement = format!(
        "CREATE USER IF NOT EXISTS rotator IDENTIFIED BY '{password}'; GRANT CREATE USER ON *.* TO rotator; \
         GRANT SELECT ON mysql.global_priv TO rotator"
    );
    MADE.get_or_init(|| run(&statement)).await;
    values::record(password.as_bytes());
    SecretValue::new(password.into_bytes()).unwrap()
}

/// A setter for the server behind this address, with the administrator's password.
pub(crate) async fn setter_at(address: SocketAddr) -> Builder {
    MysqlSetter::mariadb_at(&address.ip().to_string(), address.port()).administrator("rotator", rotator().await)
}

/// Makes a user. The server quotes the texts, not we; it does so wrongly in some modes.
pub(crate) async fn user(name: &str, password: &str) {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    run(&format!(
        "SET SESSION sql_mode = ''; EXECUTE IMMEDIATE CONCAT('CREATE USER ', QUOTE(CONVERT(x'{}' USING utf8mb4)), \
         '@''%'' IDENTIFIED BY ', QUOTE(CONVERT(x'{}' USING utf8mb4)))",
        hex(name),
        hex(password)
    ))
    .await;
}
