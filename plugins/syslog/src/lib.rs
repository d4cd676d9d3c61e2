//! Audit records of swarmsecrets as syslog messages for a SIEM: an [`AuditSink`](swarmsecrets_core::audit::AuditSink) that speaks RFC 5424 over TLS, with
//! the lengths of RFC 5425 before each message.
//!
//! ```no_run
//! use swarmsecrets_syslog::SyslogAudit;
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! let sink = SyslogAudit::at("siem.example.org:6514").build()?;
//! # let _ = sink;
//! # Ok(())
//! # }
//! ```
//!
//! # What is sent
//! Facility 13 (log audit), severity `notice`, or `warning` for an outcome that is not `done`. The structured data `swarmsecrets@32473` holds who, what and
//! when; the message is the whole record as JSON. `id` is [`AuditRecord::name`](swarmsecrets_core::audit::AuditRecord::name): a record that came twice has it twice. Nothing
//! that a name holds ends a value, a message or a line.
//!
//! # What it cannot promise
//! Syslog has no acknowledgements. A record that was sent may be lost with the connection or the receiver, and nobody notices. So this sink never
//! counts for a quorum: [`AuditSink::acknowledges`](swarmsecrets_core::audit::AuditSink::acknowledges) is false.

mod builder;
mod message;
mod sink;

pub use self::builder::Builder;
pub use self::sink::SyslogAudit;
