//! What may be written for audit trails.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use swarmsecrets_core::audit::{Ending, parse_moment};
use swarmsecrets_core::ids::{RotationId, SecretName};
use swarmsecrets_core::keys::PublicKey;

/// What `audit` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that an audit trail is as it was written, from its first record to its last
    Verify(VerifyArgs),
    /// Show records of an audit trail, once all of it was checked
    Query(QueryArgs),
    /// Sign how far an audit trail goes, so that records that are cut off later are missed
    Checkpoint(CheckpointArgs),
}

/// Which trail.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TrailArgs {
    /// The trail: audit.jsonl in the folder of the journals
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The trail in PostgreSQL: a file with the URL of its database, postgres://user:password@host/database
    #[allow(rustdoc::bare_urls, reason = "it is shown in a terminal, where brackets would only be in the way")]
    #[arg(long, value_name = "FILE")]
    pub(crate) db_file: Option<PathBuf>,
}

/// `audit verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0 if every record stands as it was written, in its place; 1 if one was changed,
removed, moved or inserted, which is named, or if the last one was written in part. The trail is
not changed.

That the last records were cut off, or that somebody wrote the whole file anew, is found with a
checkpoint alone, which `audit checkpoint` makes: keep one where whoever can write the trail cannot.

An intent without an outcome is shown and is no failure: its mutation may have been done, and
nobody wrote down how it went.

Examples:
  swarmsecrets audit verify ~/.local/state/swarmsecrets/audit.jsonl
  swarmsecrets audit verify audit.jsonl --checkpoint /mnt/kept/checkpoint.json --key ed25519:…
  swarmsecrets audit verify --db-file audit-database")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) trail: TrailArgs,
    /// A checkpoint that the trail must still hold; may be given several times
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// The public key that signed the checkpoints, as keygen printed it
    #[arg(long, value_name = "KEY", requires = "checkpoint")]
    pub(crate) key: Option<PublicKey>,
}

/// `audit checkpoint`
#[derive(Debug, Args)]
#[command(after_help = "\
All of the trail is checked first. A checkpoint that is there is replaced, if it is signed with the
same key and the trail still holds what it tells of: otherwise this ends with 1, and nothing is
written.

Keep the checkpoint where whoever can write the trail cannot, and the key as well.

Example:
  swarmsecrets keygen checkpoints.key
  swarmsecrets audit checkpoint audit.jsonl --key checkpoints.key --out /mnt/kept/checkpoint.json")]
pub(crate) struct CheckpointArgs {
    /// The trail: audit.jsonl in the folder of the journals
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The file with the private key that signs, as keygen wrote it
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Where the checkpoint goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// `audit query`
#[derive(Debug, Args)]
#[command(after_help = "\
A record must have all that is asked for. Without any of it, all records are shown. Nothing is
shown of a trail that is not as it was written.

Records hold no names of logical secrets: --secret finds the names of versions in the words of a
record. NAME finds NAME, NAME_v2 and NAME_2026-11-22; NAME_v2 finds that version. Changes of
passwords, of stack files and commands in containers name no secret: look for their --rotation.

Examples:
  swarmsecrets audit query audit.jsonl --secret db_password --since 2026-11-01
  swarmsecrets audit query audit.jsonl --outcome open --json")]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) trail: TrailArgs,
    /// Records that name a version of this secret, or this version
    #[arg(long, value_name = "NAME")]
    pub(crate) secret: Option<SecretName>,
    /// Records of this rotation
    #[arg(long, value_name = "ID")]
    pub(crate) rotation: Option<RotationId>,
    /// What this agent did
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) agent: Option<String>,
    /// What this Portainer account did
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) account: Option<String>,
    /// At this time or later: 2026-11-22T09:30:00Z, or 2026-11-22 for its midnight in UTC
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) until: Option<Timestamp>,
    /// Outcomes that are done, refused or unknown; or intents whose outcome was never written down (open)
    #[arg(long, value_name = "OUTCOME")]
    pub(crate) outcome: Option<Ending>,
    /// At most so many: the last ones
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroUsize>,
}
