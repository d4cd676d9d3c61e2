//! Audit records of swarmsecrets as log records of OpenTelemetry, for a SIEM: an [`AuditSink`](swarmsecrets_core::audit::AuditSink) that speaks OTLP/HTTP,
//! as the OpenTelemetry Collector and many services take it.
//!
//! ```no_run
//! use swarmsecrets_opentelemetry::OpenTelemetryAudit;
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! # let token = swarmsecrets_core::SecretValue::credential(vec![]);
//! let sink = OpenTelemetryAudit::at("https://collector.example.org:4318").token(&token).build()?;
//! # let _ = sink;
//! # Ok(())
//! # }
//! ```
//!
//! # What is sent
//! Each record is one log record, in a request of its own to `/v1/logs`, as JSON. Its body is the JSON of the
//! [`AuditRecord`](swarmsecrets_core::audit::AuditRecord), byte for byte as it stands in the trail's file, and its attributes (`swarmsecrets.rotation`,
//! `swarmsecrets.outcome` and so on) say the same for those who search. `log.record.uid` is
//! [`AuditRecord::name`](swarmsecrets_core::audit::AuditRecord::name), the digest of the body: a record that came twice has it twice, and one that was
//! changed on the way does not have the body that its digest is of.
//!
//! # When a record is taken
//! When the answer says so: a status of 2xx, and no record that was rejected. What the receiver rejects is an error, and sent again by
//! whoever sends it then: here nothing is sent a second time.
//!
//! # What it cannot promise
//! A collector says that it has accepted a record, not that it is stored: it may wait in its memory, and be lost with it or on the way to the next one.
//! So this sink never counts for a quorum: [`AuditSink::acknowledges`](swarmsecrets_core::audit::AuditSink::acknowledges) is false.
//!
//! # What it needs
//! A token, a user or a client certificate, as the receiver wants it. Over a network the connection is encrypted and the certificate checked;
//! without encryption only this machine is talked to. Redirects are not followed, proxies not used.

mod answer;
mod builder;
mod message;
mod sink;

pub use self::builder::Builder;
pub use self::sink::OpenTelemetryAudit;
