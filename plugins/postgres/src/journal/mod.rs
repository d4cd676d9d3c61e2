//! Journals of rotations in PostgreSQL, for several hosts.

mod failure;
mod keeper;
mod lease;
mod moment;
mod store;

pub use self::store::{PostgresJournal, SCHEMA};
