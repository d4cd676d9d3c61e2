//! What every subcommand works with.

use std::collections::BTreeMap;

use crate::args::ConnectionArgs;
use crate::console::Console;

/// The surroundings of one run of the command.
pub(crate) struct App {
    /// Where output goes.
    pub(crate) console: Console,
    /// The connection flags.
    pub(crate) connection: ConnectionArgs,
    /// The environment variables.
    pub(crate) environment: BTreeMap<String, String>,
}
