//! What may be written for a rotation: which secrets, which values, how.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use swarmsecrets_core::duration::parse_duration;

use super::{ChangeArgs, PolicyArgs, parse_pair};

/// What a rotation is asked to do.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rotation")]
pub(crate) struct RotationArgs {
    /// How long the old version is kept after the rotation, such as 24h; 0s deletes it before the command ends
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    pub(crate) grace: Duration,
    /// How long every task must run with the new version before a service counts as good
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub(crate) stability: Duration,
    /// How long one service may take before it counts as failed
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    pub(crate) deadline: Duration,
    /// How the consumers change over
    #[arg(long, value_enum, value_name = "STRATEGY", default_value_t = Strategy::Swap)]
    pub(crate) strategy: Strategy,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
    /// Why: kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// In which order the services are updated.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Order")]
pub(crate) struct OrderArgs {
    /// Update this service first, alone [default: one labelled io.swarmsecrets.canary=true; with --concurrency the smallest]
    #[arg(long, value_name = "SERVICE", conflicts_with = "no_canary")]
    pub(crate) canary: Option<String>,
    /// Update no service before the others
    #[arg(long)]
    pub(crate) no_canary: bool,
    /// Update SERVICE after OTHER is healthy, beside what the labels io.swarmsecrets.after say; may be given several times
    #[arg(long, value_name = "SERVICE=OTHER", value_parser = parse_pair)]
    pub(crate) after: Vec<(String, String)>,
    /// How many services are updated at a time
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) concurrency: Option<u32>,
    /// How many times a service may fail, be put back and tried again before everything is put back
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) failures: u32,
}

/// What is allowed that is refused otherwise.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Allowances")]
pub(crate) struct AllowArgs {
    /// Also update services in job mode, which runs the job again
    #[arg(long)]
    pub(crate) allow_jobs: bool,
    /// Write a stack's stored file even if the redeploy resets what people changed by hand on its services
    #[arg(long)]
    pub(crate) allow_redeploy: bool,
    /// Go on if the new version cannot be given the old one's owner
    #[arg(long)]
    pub(crate) allow_owner: bool,
}

/// Which passwords are changed in step.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct CredentialArgs {
    /// A TOML file that says in which systems the passwords behind the secrets are changed (docs/credentials.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
}

/// Which services are asked whether they work.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Health")]
pub(crate) struct ProbeArgs {
    /// A TOML file that says which probes are asked whether which services work (docs/health.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) probes: Option<PathBuf>,
}

/// Which secrets, by name or as a group.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SecretArgs {
    /// The secrets, each by its logical name or the name of one of its versions
    #[arg(value_name = "NAME", required_unless_present_any = ["stack", "select"])]
    pub(crate) names: Vec<String>,
    /// All secrets of this stack
    #[arg(long, value_name = "STACK", conflicts_with = "names")]
    pub(crate) stack: Option<String>,
    /// All secrets whose current version carries this label; with several, all of the labels
    #[arg(long, value_name = "LABEL=VALUE", value_parser = parse_pair, conflicts_with = "names")]
    pub(crate) select: Vec<(String, String)>,
}

/// How the consumers of a secret change over to a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    /// Each service changes from the old version to the new one
    Swap,
    /// The password in the system behind the secret is changed in step (needs --credentials)
    Overlap,
}

/// Where a value comes from. Never an argument: arguments can be read by every process on the machine.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Value")]
pub(crate) struct ValueArgs {
    /// Read the new value from this file, byte for byte; `-` is standard input. For several secrets: NAME=FILE, once for each
    #[arg(long, value_name = "FILE")]
    pub(crate) value_file: Vec<String>,
    /// Generate the new values, as `32` or `length=32,alphabet=hex`
    #[arg(long, value_name = "SPEC")]
    pub(crate) generate: Option<String>,
    /// Fetch the new value from a source of --sources, as SOURCE:REFERENCE. For several secrets: NAME=SOURCE:REFERENCE, once for each
    #[arg(long, value_name = "PLACE")]
    pub(crate) value_from: Vec<String>,
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
}

/// Which sources are at hand.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SourceArgs {
    /// A TOML file that says which sources of values there are (docs/sources.md)
    #[arg(long, value_name = "FILE", help_heading = "Value")]
    pub(crate) sources: Option<PathBuf>,
}

/// `plan rotate`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  swarmsecrets plan rotate db_password --generate length=32
  swarmsecrets plan rotate db_password --out plan.json && swarmsecrets apply plan.json --value-file new-password")]
pub(crate) struct PlanRotateArgs {
    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
    /// Write the plan to this file, for `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) value: ValueArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    #[command(flatten)]
    pub(crate) probes: ProbeArgs,
    #[command(flatten)]
    pub(crate) rotation: RotationArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// `rotate`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  swarmsecrets rotate db_password --generate length=32
  swarmsecrets rotate db_password --value-file new-password --grace 0s --yes
  swarmsecrets rotate db_password api_key --generate 32 --concurrency 4 --failures 1
  swarmsecrets rotate --stack payment --generate 32 --value-file stripe_key=stripe.txt
  pass show db | swarmsecrets rotate db_password --value-file - --yes --json")]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
    #[command(flatten)]
    pub(crate) value: ValueArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    #[command(flatten)]
    pub(crate) probes: ProbeArgs,
    #[command(flatten)]
    pub(crate) rotation: RotationArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// `revoke`
#[derive(Debug, Args)]
#[command(after_help = "\
For a value that has leaked. The new value goes to a canary first; once that runs, every other service is moved at the
same time, nothing goes back to the old value, and the old version is deleted at once, without a grace period. What could
not be moved or confirmed is listed, and the command then ends with exit code 6.

Example:
  swarmsecrets revoke db_password --generate 32 --reason 'found in a public repository' --yes")]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
    #[command(flatten)]
    pub(crate) value: ValueArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    #[command(flatten)]
    pub(crate) probes: ProbeArgs,
    /// Try the new value on no service first: every service is moved at once
    #[arg(long)]
    pub(crate) skip_canary: bool,
    /// How long every task must run with the new version before a service counts as good
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    pub(crate) stability: Duration,
    /// How long one service may take before it counts as failed
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = parse_duration)]
    pub(crate) deadline: Duration,
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
    /// Why: kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}
