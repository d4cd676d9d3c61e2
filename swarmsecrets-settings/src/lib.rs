//! Health probes, credential setters and sources of values, made from settings: the files that `--probes`, `--credentials` and
//! `--sources` name, or entries of such files that a program has written.
//!
//! And the audit trail with its sinks, and the approvers, as the policies in force say; and who may call a server.
//!
//! `entries`: what all kinds of files have alike · `probes` · `credentials` · `sources` · `audit` · `approvers` · `callers`

mod entries;

mod approvers;
mod audit;
mod callers;
mod credentials;
mod probes;
mod sources;

pub use self::approvers::{approvers, webhooks};
pub use self::audit::audit_trail;
pub use self::callers::{Caller, read_callers};
pub use self::credentials::{Credentials, credential};
pub use self::entries::Settings;
pub use self::probes::{Ask, ProbeSet, probe};
pub use self::sources::{read_sources, source};
