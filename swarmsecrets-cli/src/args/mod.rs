//! What may be written on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use swarmsecrets_core::duration::parse_duration;

mod approval;
mod audit;
mod policy;
mod rotation;
mod serve;
mod sim;

pub(crate) use self::approval::{DecideArgs, KeygenArgs, SignArgs};
pub(crate) use self::audit::{AuditCommand, CheckpointArgs, QueryArgs, TrailArgs, VerifyArgs};
pub(crate) use self::policy::{CheckArgs, DueArgs, ExplainArgs, PolicyCommand};
#[cfg(test)]
pub(crate) use self::rotation::OrderArgs;
pub(crate) use self::rotation::{
    AllowArgs, CredentialArgs, PlanRotateArgs, ProbeArgs, RevokeArgs, RotateArgs, RotationArgs, SecretArgs, SourceArgs,
    Strategy, ValueArgs,
};
pub(crate) use self::serve::RunArgs;
pub(crate) use self::sim::{AdvanceArgs, RedeployArgs, ServeArgs, SimCommand};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "swarmsecrets",
    version,
    about = "Find out which service uses which Docker Swarm secret, and rotate secrets safely, through Portainer.",
    after_help = ROOT_HELP,
    max_term_width = 110,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const ROOT_HELP: &str = "\
Settings (flags win over the environment):
  PORTAINER_URL, PORTAINER_API_KEY or PORTAINER_API_KEY_FILE, PORTAINER_ENDPOINT;
  optional: PORTAINER_CA_FILE, SWARMSECRETS_AGENT_ID;
  a key to know values again by: SWARMSECRETS_FINGERPRINT_KEY_FILE;
  a policy: SWARMSECRETS_POLICY, beside the one that is installed as /etc/swarmsecrets/policy.toml;
  journals in a database: SWARMSECRETS_JOURNAL_DB or SWARMSECRETS_JOURNAL_DB_FILE.
  Or a server that holds the API key: SWARMSECRETS_SERVER and SWARMSECRETS_TOKEN_FILE.
  Without any of them, reading commands show a simulated demo world and say so.

Exit codes:
  0 done  1 failed  2 usage or settings  3 denied by policy  4 waiting for approval
  5 conflict  6 a person is needed

Examples:
  swarmsecrets inventory
  swarmsecrets plan rotate db_password --generate length=32
  swarmsecrets rotate db_password --value-file - --grace 24h < new-password
  swarmsecrets rotate db_password --generate length=32 --sim --sim-state demo.json";

/// What every subcommand takes.
#[derive(Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Print exactly one JSON document on standard output, also for errors
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more on standard error; twice for each request (RUST_LOG is honoured too)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// How Portainer, or the simulator in its place, is reached.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    #[allow(rustdoc::bare_urls, reason = "it is shown in a terminal, where brackets would only be in the way")]
    /// Where Portainer answers, as https://portainer.example:9443 [env: PORTAINER_URL]
    #[arg(long, value_name = "URL", global = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) url: Option<String>,
    /// A file that holds the API key [env: PORTAINER_API_KEY_FILE, or the key itself in PORTAINER_API_KEY]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) api_key_file: Option<PathBuf>,
    /// The number of the environment in Portainer [env: PORTAINER_ENDPOINT]
    #[arg(long, value_name = "NUMBER", global = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) endpoint: Option<String>,
    /// The agent that acts, sent as X-AI-Agent-ID and kept in the audit trail [env: SWARMSECRETS_AGENT_ID]
    #[arg(long, value_name = "ID", global = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) agent_id: Option<String>,
    /// Trust the certificates in this PEM file as well [env: PORTAINER_CA_FILE]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) ca_file: Option<PathBuf>,
    #[allow(rustdoc::bare_urls, reason = "it is shown in a terminal, where brackets would only be in the way")]
    /// Ask a server that holds the API key, as unix:/run/swarmsecrets/socket or http://127.0.0.1:7979 [env: SWARMSECRETS_SERVER]
    #[arg(long, value_name = "ADDRESS", global = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) server: Option<String>,
    /// A file that holds the token for that server [env: SWARMSECRETS_TOKEN_FILE]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// Run on the simulated demo world instead of Portainer
    #[arg(long, global = true)]
    pub(crate) sim: bool,
    /// Keep the simulated world in this file between runs (needs --sim)
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) sim_state: Option<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the secrets, their versions and who uses them
    Inventory(InventoryArgs),
    /// Make a plan and show what it would do, without doing it
    Plan {
        #[command(subcommand)]
        what: PlanCommand,
    },
    /// Carry out a plan that `plan rotate --out` wrote, or a change request that was approved
    Apply(ApplyArgs),
    /// Plan and carry out the rotation of one or several secrets
    Rotate(RotateArgs),
    /// Replace a secret whose value has leaked, everywhere and at once
    Revoke(RevokeArgs),
    /// Go on with a rotation that was interrupted
    Resume(ResumeArgs),
    /// Put a rotation back: every consumer on the version it had before
    Rollback(RollbackArgs),
    /// End a rotation where it stands, once a person has seen to what it left
    Close(CloseArgs),
    /// Delete replaced versions whose grace period is over and that nothing uses
    Retire(RetireArgs),
    /// Create the first version of a secret
    Create(CreateArgs),
    /// Make a key to approve with
    Keygen(KeygenArgs),
    /// Approve a change request
    Approve(DecideArgs),
    /// Deny a change request
    Deny(DecideArgs),
    /// Check a policy, and tell what it says
    Policy {
        #[command(subcommand)]
        what: PolicyCommand,
    },
    /// Check an audit trail, or look something up in it
    Audit {
        #[command(subcommand)]
        what: AuditCommand,
    },
    /// Hold the API key in a process of its own, for agents that have none
    Run(RunArgs),
    /// The simulator
    Sim {
        #[command(subcommand)]
        what: SimCommand,
    },
}

impl Command {
    /// Whether the subcommand asks for JSON in its own way.
    pub(crate) fn wants_json(&self) -> bool {
        matches!(self, Self::Inventory(InventoryArgs { format: Format::Json, .. }))
    }
}

/// What `plan` can plan.
#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Plan the rotation of one or several secrets
    Rotate(PlanRotateArgs),
}

/// `inventory`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  swarmsecrets inventory
  swarmsecrets inventory --secret db_password --json
  swarmsecrets inventory --older-than 90d
  swarmsecrets inventory --format svg > usage.svg")]
pub(crate) struct InventoryArgs {
    /// Show this secret only; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) secret: Vec<String>,
    /// Show only the secrets whose current version is older than this, such as 90d
    #[arg(long, value_name = "AGE", value_parser = parse_duration)]
    pub(crate) older_than: Option<Duration>,
    /// Show the services and the secrets that each uses, instead of the secrets
    #[arg(long)]
    pub(crate) services: bool,
    /// How to show it; `json` is the same as --json
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// How `inventory` shows the usage graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table that fits the terminal
    Table,
    /// One JSON document
    Json,
    /// A drawing for Graphviz
    Dot,
    /// A picture
    Svg,
    /// A drawing for Markdown
    Mermaid,
}

/// What every command takes that changes something.
#[derive(Debug, Args)]
#[command(next_help_heading = "Safety")]
pub(crate) struct ChangeArgs {
    /// Do it without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) records: RecordArgs,
}

/// Where it is kept what was done, and what holds.
#[derive(Debug, Args)]
#[command(next_help_heading = "Safety")]
pub(crate) struct RecordArgs {
    /// Where rotations are journalled [default: swarmsecrets in the user's XDG state directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,
    /// Keep journals in PostgreSQL, for several hosts: a file with the URL, postgres://user:password@host/database
    /// [env: SWARMSECRETS_JOURNAL_DB_FILE, or the URL itself in SWARMSECRETS_JOURNAL_DB]
    #[allow(rustdoc::bare_urls, reason = "it is shown in a terminal, where brackets would only be in the way")]
    #[arg(long, value_name = "FILE")]
    pub(crate) journal_db_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// The policy file.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// A policy that holds beside the installed one, and can only tighten it [env: SWARMSECRETS_POLICY]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// `apply`
#[derive(Debug, Args)]
#[command(after_help = "\
The plan is refused if the world has moved since it was made. Values are not kept in plans: a plan that was made for a
given value takes it here again.

Example:
  swarmsecrets apply plan.json --value-file new-password --yes")]
pub(crate) struct ApplyArgs {
    /// The plan, or the change request
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// Read the new value from this file, byte for byte; `-` is standard input. For several secrets: NAME=FILE, once for each
    #[arg(long, value_name = "FILE")]
    pub(crate) value_file: Vec<String>,
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    /// Why: kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) sign: SignArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    #[command(flatten)]
    pub(crate) probes: ProbeArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// `resume`
#[derive(Debug, Args)]
#[command(after_help = "\
Without an ID, the one rotation that is not finished is taken. Values are not kept in journals: if the new version had
not been created yet, a given value is asked for again.

Example:
  swarmsecrets resume r-0123456789abcdef0123 --yes")]
pub(crate) struct ResumeArgs {
    /// The rotation
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Read the new value from this file, byte for byte; `-` is standard input. For several secrets: NAME=FILE, once for each
    #[arg(long, value_name = "FILE")]
    pub(crate) value_file: Vec<String>,
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    #[command(flatten)]
    pub(crate) probes: ProbeArgs,
    /// Take a service for good although its probes cannot tell: you have looked at it
    #[arg(long)]
    pub(crate) accept_inconclusive: bool,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// `rollback`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  swarmsecrets rollback r-0123456789abcdef0123 --reason 'the new password is refused by the replica' --yes")]
pub(crate) struct RollbackArgs {
    /// The rotation
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Why: kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// `close`
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is sent to Portainer, and no version or password is touched: this says that what the rotation left was seen to by
hand, so that it is no longer in the way of others. `resume` and `rollback` do the rest where they can.

Example:
  swarmsecrets close r-0123456789abcdef0123 --reason 'the database service is gone; its password was ended there' --yes")]
pub(crate) struct CloseArgs {
    /// The rotation
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What was seen to: kept in the journal and the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// `retire`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  swarmsecrets retire --yes")]
pub(crate) struct RetireArgs {
    /// Why: kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

/// `create`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  swarmsecrets create api_key --generate length=40 --label tier=high --yes")]
pub(crate) struct CreateArgs {
    /// The name of the secret
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// A label for it; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub(crate) labels: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) value: ValueArgs,
    /// Why: kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn connection_flags_stand_before_or_after_the_subcommand() {
        for line in [["swarmsecrets", "--sim", "inventory", "--json"], ["swarmsecrets", "inventory", "--json", "--sim"]]
        {
            let cli = Cli::try_parse_from(line).unwrap();
            assert!(cli.global.json && cli.global.connection.sim, "{line:?}");
        }
    }

    #[test]
    fn secrets_are_named_or_chosen_as_a_group() {
        for line in [&["rotate"][..], &["rotate", "db", "--stack", "shop"], &["rotate", "db", "--select", "tier=low"]] {
            assert!(Cli::try_parse_from([&["swarmsecrets"], line].concat()).is_err(), "{line:?}");
        }
        assert!(Cli::try_parse_from(["swarmsecrets", "rotate", "--stack", "shop", "--select", "tier=low"]).is_ok());
    }

    #[test]
    fn pairs_have_a_name() {
        assert_eq!(parse_pair("tier=a=b"), Ok(("tier".to_owned(), "a=b".to_owned())));
        assert!(parse_pair("=x").is_err() && parse_pair("tier").is_err());
    }
}
