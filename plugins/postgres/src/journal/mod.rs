//! Journals of rotations in PostgreSQL, for several hosts.

mod failure;
mod keeper;
mod lease;
mod link;
mod moment;
mod store;
mod url;

pub use self::store::{PostgresJournal, SCHEMA};
