//! Changes passwords in MariaDB and MySQL in two phases: a
//! [`CredentialSetter`](swarmsecrets_core::credential::CredentialSetter). In both a user can have two passwords, so that nobody is
//! locked out while services move.
//!
//! ```no_run
//! use swarmsecrets_core::SecretValue;
//! use swarmsecrets_mysql::MysqlSetter;
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! # let password_of_the_administrator = SecretValue::credential(vec![]);
//! let setter = MysqlSetter::mariadb_at("db.example.org", 3306)
//!     .administrator("rotator", password_of_the_administrator)
//!     .user("app", "%")
//!     .shape("json:/password".parse()?)
//!     .build()?;
//! # let _ = setter;
//! # Ok(())
//! # }
//! ```
//!
//! # MariaDB (10.4 and newer)
//! `set` gives the user two ways to log in, `IDENTIFIED VIA mysql_native_password USING '…' OR mysql_native_password USING '…'`, and
//! `revoke` takes the old one away. What is sent are hashes, which are computed here: the password stands in no statement and in no log.
//! A user that logs in in another way (`ed25519`, `unix_socket`) is refused. The administrator needs `CREATE USER` and
//! `SELECT` on `mysql.global_priv`.
//!
//! # MySQL (8.0.14 and newer)
//! **Not tested on a server**: no MySQL was to be had where this was written; its statements follow the manual. `set` says
//! `IDENTIFIED BY … RETAIN CURRENT PASSWORD`, `revoke` says `DISCARD OLD PASSWORD`. The new password itself is sent, as MySQL takes no hash
//! together with `RETAIN`; MySQL keeps it out of its logs. The administrator needs `CREATE USER` (or
//! `APPLICATION_PASSWORD_ADMIN`) and `SELECT` on `mysql.user`. A user of `caching_sha2_password` can be verified over an encrypted
//! connection or a Unix socket alone: say [`Encryption::Always`](swarmsecrets_core::credential::Encryption::Always) for a server on this machine.
//!
//! # The connection
//! It is encrypted, and the certificate checked, as [`Encryption`](swarmsecrets_core::credential::Encryption) says.

mod administrator;
mod builder;
mod failure;
mod hash;
mod mariadb;
mod mysql;
mod server;
mod setter;
mod statement;

pub use self::builder::Builder;
pub use self::setter::MysqlSetter;
