//! Audit records of swarmsecrets in OpenSearch and Elasticsearch: an [`AuditSink`](swarmsecrets_core::audit::AuditSink).
//!
//! ```no_run
//! use swarmsecrets_elasticsearch::ElasticsearchAudit;
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! # let password = swarmsecrets_core::SecretValue::credential(vec![]);
//! let sink = ElasticsearchAudit::at("https://search.example.org:9200").password("writer", &password).build()?;
//! # let _ = sink;
//! # Ok(())
//! # }
//! ```
//!
//! # What stands there
//! Each record is a document with the members of [`AuditRecord`](swarmsecrets_core::audit::AuditRecord), and its time once more as `@timestamp`. It is
//! sent to `_bulk` with `create`, and its `_id` is [`AuditRecord::name`](swarmsecrets_core::audit::AuditRecord::name), the digest of its content. So a record that is
//! sent a second time, as its answer was lost, is there once, and one that was changed there does not have its name any
//! more. Records are not chained there: which are missing tells a comparison with the trail's file.
//!
//! The index, or the data stream, is made by the server if it may make one. A data stream takes the same documents.
//!
//! # When a record is taken
//! When the server says so: it has it in its translog by then, on the disk, unless `index.translog.durability` was set to `async`.
//! An answer of 200 whose item failed is a failure.
//!
//! # What it needs
//! A user, or an API key, that may `create` documents in the index and nothing else, so that nobody who has it can change or remove
//! one. Over a network the connection is encrypted and the certificate checked; without encryption only this machine is talked to.
//! Redirects are not followed, proxies not used.

mod answer;
mod builder;
mod sink;

pub use self::builder::Builder;
pub use self::sink::ElasticsearchAudit;
