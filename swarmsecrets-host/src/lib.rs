//! What swarmsecrets needs from the machine that it runs on, and what core therefore takes as an argument: files for the
//! journal and the audit trail, the clock, randomness, and values from files and standard input.
//!
//! In the folder that [`state_dir`] names, or the one that the user gives:
//!
//! | path | what it is |
//! | --- | --- |
//! | `rotations/<id>.jsonl` | the journal of a rotation: one JSON entry a line ([`FileJournal`]) |
//! | `rotations/<id>.lock` | held while a process carries that rotation |
//! | `audit.jsonl` | the audit trail: one JSON record a line, each bound to the one before ([`FileAudit`], [`verify_audit`], [`query_audit`]) |
//! | `audit.checkpoint.json` | how far the trail went, signed, if a key is at hand ([`Checkpoints`], [`sign_audit`], [`read_checkpoint`]) |
//! | `audit.<name>.sent`, `.lock` | up to where the sink of that name has the trail, if it may lag ([`AuditSinks`]) |
//! | `nonces/<nonce>` | there once the approval with that nonce was used ([`FileNonces`]) |
//! | `nonces/latest` | the latest time that was ever seen |
//! | `limits/counts.json` | what limits have counted, and what is in hand ([`FileCounters`]) |
//! | `values/<secret>.json` | which values a secret has had, by keyed fingerprints ([`FilePast`]) |
//!
//! Files are made with mode 0600 and folders with 0700. No value is ever written to one. A line counts once it is on the
//! disk with its line break: a crash can leave part of a line at the end, which was never acknowledged and is cut off.
//!
//! Change requests and the decisions on them go through a folder of their own ([`FileApprover`]), which others may share. A [`Desk`] is that folder, the other approvers of a
//! policy, and the used approvals.

mod approver;
mod audit;
mod audit_check;
mod audit_open;
mod audit_sinks;
mod blocking;
mod checkpoint;
mod clock;
mod counters;
mod desk;
mod folder;
mod journal;
mod lease;
mod line_file;
mod nonces;
mod past;
mod policy;
mod random;
mod signing;
mod state_dir;
mod value;
mod whole_file;
mod words;

pub use self::approver::FileApprover;
pub use self::audit::FileAudit;
pub use self::audit_check::{query_audit, verify_audit, verify_audit_against};
pub use self::audit_open::open_intents;
pub use self::audit_sinks::{AuditSinks, Behind, NamedSink};
pub use self::checkpoint::{Checkpoints, read_checkpoint, sign_audit};
pub use self::clock::SystemClock;
pub use self::counters::FileCounters;
pub use self::desk::{Asking, Desk};
pub use self::folder::FolderSource;
pub use self::journal::FileJournal;
pub use self::nonces::FileNonces;
pub use self::past::FilePast;
pub use self::policy::{
    FileSwitch, INSTALLED_POLICY, parse_policy, policies_in_force, policy_in_force, policy_text, read_policy,
};
pub use self::random::OsRandom;
pub use self::signing::{make_key, sign_decision};
pub use self::state_dir::state_dir;
pub use self::value::{SuppliedValue, read_credential, read_value, read_value_from};
pub use self::words::read_words;
