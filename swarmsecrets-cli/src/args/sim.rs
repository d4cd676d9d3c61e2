//! What may be written for the simulator.

use std::time::Duration;

use clap::{Args, Subcommand};
use swarmsecrets_core::duration::parse_duration;

use super::parse_pair;

/// What `sim` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Serve the simulated demo world over HTTP, as a Portainer
    Serve(ServeArgs),
    /// Let time pass in a simulated world that is kept in a file, for example until a grace period is over
    Advance(AdvanceArgs),
    /// Redeploy a stack of a simulated world with other variables, as a person would after a rotation
    Redeploy(RedeployArgs),
}

/// `sim serve`
#[derive(Debug, Args)]
#[command(after_help = "\
The address that it listens on is printed on standard output. Ctrl-C ends it.

Example:
  swarmsecrets sim serve --listen 127.0.0.1:9000 --sim-state demo.json")]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
}

/// `sim advance`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  swarmsecrets sim advance 25h --sim-state demo.json")]
pub(crate) struct AdvanceArgs {
    /// How long
    #[arg(value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) by: Duration,
}

/// `sim redeploy`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  swarmsecrets sim redeploy shop --set DB_PASSWORD_SECRET=db_password_v2 --sim-state demo.json")]
pub(crate) struct RedeployArgs {
    /// The stack
    #[arg(value_name = "STACK")]
    pub(crate) stack: String,
    /// A variable of the stack and its new value; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_pair)]
    pub(crate) variables: Vec<(String, String)>,
}
