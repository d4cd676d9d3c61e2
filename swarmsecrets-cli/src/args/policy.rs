//! `policy`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use swarmsecrets_core::policy::Action;

use super::PolicyArgs;

/// What `policy` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a policy file
    Check(CheckArgs),
    /// Say what the policies in force say to the rotation of a secret, and which part decides
    Explain(ExplainArgs),
    /// Say which secrets are to be rotated, and from when on
    Due(DueArgs),
    /// Print the JSON Schema of policy files
    Schema,
}

/// `policy check`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  swarmsecrets policy check policy.toml")]
pub(crate) struct CheckArgs {
    /// The policy
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `policy explain`
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed, and nothing is planned: whether the world would let the rotation be done is not asked.

Example:
  swarmsecrets policy explain db_password --action revoke --policy policy.toml")]
pub(crate) struct ExplainArgs {
    /// The logical secret
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What is to be done to it
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = ActionWord::Rotate)]
    pub(crate) action: ActionWord,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// `policy due`
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed. What neither a policy nor the label rotation-policy speaks of is not listed.

Example:
  swarmsecrets policy due --policy policy.toml --json")]
pub(crate) struct DueArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// What may be done to a secret that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActionWord {
    /// Its next version, consumers moved to it
    Rotate,
    /// The same at once, as its value has leaked
    Revoke,
}

impl From<ActionWord> for Action {
    fn from(word: ActionWord) -> Self {
        match word {
            ActionWord::Rotate => Self::Rotate,
            ActionWord::Revoke => Self::Revoke,
        }
    }
}
