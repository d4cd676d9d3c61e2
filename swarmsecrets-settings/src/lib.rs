//! Health probes and credential setters, made from settings: the files that `--probes` and `--credentials` name, or entries
//! of such files that a program has written.
//!
//! `entries`: what both kinds of files have alike · `probes` · `credentials`

mod entries;

mod credentials;
mod probes;

pub use self::credentials::{Credentials, credential};
pub use self::entries::Settings;
pub use self::probes::{Ask, ProbeSet, probe};
