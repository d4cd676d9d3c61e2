//! What may be written for the server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{CredentialArgs, ProbeArgs, RecordArgs, SourceArgs};

/// `run`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).multiple(true).args(["socket", "listen"])))]
#[command(after_help = "\
The file of --callers names the agents that may call, each with the file of its token:
  [callers.deploy-bot]
  token-file = \"/etc/swarmsecrets/deploy-bot.token\"     # openssl rand -hex 32
  read-only = true                                       # it may change nothing, whatever the policy says

What an agent may change is said by the policy: without one, nothing. Run it as a user of its own, so that agents cannot read its files.
Ctrl-C, or a polite kill, finishes or puts back the services in hand and ends it.

Example:
  swarmsecrets run --callers /etc/swarmsecrets/callers.toml --socket /run/swarmsecrets/socket
  SWARMSECRETS_SERVER=unix:/run/swarmsecrets/socket SWARMSECRETS_TOKEN_FILE=token swarmsecrets rotate db_password --generate 32 --yes")]
pub(crate) struct RunArgs {
    /// A TOML file that says who may call
    #[arg(long, value_name = "FILE")]
    pub(crate) callers: PathBuf,
    /// Listen on this socket, which is made
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Listen on this port of this machine, such as 127.0.0.1:7979; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
    #[command(flatten)]
    pub(crate) probes: ProbeArgs,
    #[command(flatten)]
    pub(crate) records: RecordArgs,
}
