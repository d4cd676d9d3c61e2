//! Health probes and credential setters, made from settings: the files that `--probes` and `--credentials` name, or entries
//! of such files that a program has written; and the approvers that a policy names.
//!
//! `entries`: what both kinds of files have alike · `probes` · `credentials` · `approvers`

mod entries;

mod approvers;
mod credentials;
mod probes;

pub use self::approvers::approvers;
pub use self::credentials::{Credentials, credential};
pub use self::entries::Settings;
pub use self::probes::{Ask, ProbeSet, probe};
