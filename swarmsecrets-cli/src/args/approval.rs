//! `keygen`, `approve` and `deny`

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// `keygen`
#[derive(Debug, Args)]
#[command(after_help = "\
The private half is written into the file, for its owner alone; the public half is printed, for the policy's
approval.approvers. An agent must not be able to read the file.

Example:
  swarmsecrets keygen ~/.config/swarmsecrets/approver.key")]
pub(crate) struct KeygenArgs {
    /// Where the private half goes; a file that is there is never overwritten
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Approving at the terminal of whoever carries a change out
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// Let a person at this terminal approve first, with their private key in this file; the policy must have an approver
    /// of the kind `terminal`
    #[arg(long, value_name = "FILE", requires = "identity")]
    pub(crate) key: Option<PathBuf>,
    /// Who that person is, as the policy has it
    #[arg(long = "as", value_name = "IDENTITY", requires = "key", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) identity: Option<String>,
}

/// `approve` and `deny`
#[derive(Debug, Args)]
#[command(after_help = "\
The change request is shown, and the decision is signed and put beside it. Nothing is sent to Portainer.

Example:
  swarmsecrets approve /var/lib/swarmsecrets/requests/0123….request.json --key approver.key --as alice@example.com")]
pub(crate) struct DecideArgs {
    /// The change request
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The file with your private key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Who you are, as the policy has it
    #[arg(long = "as", value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) identity: String,
    /// Why, for whoever asked
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// Decide without being asked once more
    #[arg(long, short)]
    pub(crate) yes: bool,
}
