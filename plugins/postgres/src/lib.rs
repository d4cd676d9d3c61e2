//! PostgreSQL for the rotations of swarmsecrets: a [`CredentialSetter`](swarmsecrets_core::credential::CredentialSetter), which changes
//! passwords in two phases, and a [`JournalStore`](swarmsecrets_core::journal::JournalStore) for several hosts ([below](#journals)).
//!
//! ```no_run
//! use swarmsecrets_core::SecretValue;
//! use swarmsecrets_postgres::PostgresSetter;
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! # let password_of_the_administrator = SecretValue::credential(vec![]);
//! let setter = PostgresSetter::at("db.example.org", 5432)
//!     .database("shop")
//!     .administrator("rotator", password_of_the_administrator)
//!     .users_in_turn("app_a", "app_b")
//!     .shape("url-password".parse()?)
//!     .build()?;
//! # let _ = setter;
//! # Ok(())
//! # }
//! ```
//!
//! # In place, or in turn
//! PostgreSQL holds one password for each role. With [`Builder::user`] the role's password is replaced: sessions that are open stay
//! open, but whoever still has the old password cannot open another. With [`Builder::users_in_turn`] two roles take turns, and
//! nobody is locked out. Set them up once, with the rights in a third role:
//!
//! ```sql
//! CREATE ROLE app_owner NOLOGIN;
//! CREATE ROLE app_a LOGIN PASSWORD '…' IN ROLE app_owner;
//! CREATE ROLE app_b NOLOGIN IN ROLE app_owner;
//! ALTER ROLE app_a SET role = 'app_owner';  -- what one creates belongs to both
//! ALTER ROLE app_b SET role = 'app_owner';
//! ```
//!
//! The secret's value then names the role: a URL, or JSON with `username` beside the password. The role that rests is
//! `NOLOGIN` and has no password.
//!
//! # What the administrator needs
//! A role with `CREATEROLE`; since PostgreSQL 16 also `ADMIN OPTION` on the roles whose password it changes. It cannot change a
//! superuser's password unless it is one.
//!
//! # What PostgreSQL gets to see
//! The SCRAM-SHA-256 verifier, which is computed here: the password stands in no statement and in no server log. The connection
//! is encrypted, and the certificate checked, as [`Encryption`](swarmsecrets_core::credential::Encryption) says. Only passwords that
//! all clients send alike are taken: clients disagree about control characters and about characters newer than Unicode 3.2.
//!
//! # What it relies on
//! Logging in with a wrong password must fail: where `pg_hba.conf` says `trust`, nothing can be verified, and `set` refuses
//! as soon as it sees that. The variables `PGSSLROOTCERT`, `PGSSLCERT`, `PGSSLKEY` and `PGOPTIONS` of the process are heeded, as sqlx does.
//!
//! # Journals
//! [`PostgresJournal`] keeps the journals of rotations, in tables that it makes itself where its role may, or that [`SCHEMA`] makes. An entry is there
//! for good when `append` returns, its number is the next one, and only the holder of the rotation's lease writes it: the statement that inserts it looks at the
//! lease's epoch and holds its row meanwhile.
//!
//! A lease is a row: holder, epoch, end by the server's clock. It is renewed by a thread of its own, three times while it lasts, and given back when it is
//! dropped, which takes a moment. It is no advisory lock: that belongs to a session, which a pooler shares out, a fail-over loses and a process that stands still
//! keeps for ever. A holder that was killed is in the way for as long as a lease lasts ([`PostgresJournal::lasts`]).
//!
//! # Audit trails
//! [`PostgresAudit`] keeps an audit trail in a table, for several hosts, in the lines of [`Linked`](swarmsecrets_core::audit::Linked). A line is inserted by one statement,
//! and only as the next one after the line that it is bound to, so that several writers make one chain. A trigger refuses to change, remove or truncate lines, whoever
//! asks; [`AUDIT_SCHEMA`] makes both, and names the rights of a role that can insert and read and nothing else. The table's owner can drop the trigger: what
//! is changed then is found by [`PostgresAudit::verify`], but for a tail that was cut, which needs a checkpoint.

mod administrator;
mod audit;
mod builder;
mod database;
mod failure;
mod in_place;
mod in_turn;
mod journal;
mod scram;
mod server;
mod setter;
mod statement;

pub use self::audit::{AUDIT_SCHEMA, PostgresAudit};
pub use self::builder::Builder;
pub use self::journal::{PostgresJournal, SCHEMA};
pub use self::setter::PostgresSetter;
