//! Audit trails in PostgreSQL, for several hosts.

mod sink;

pub use self::sink::{AUDIT_SCHEMA, PostgresAudit};
