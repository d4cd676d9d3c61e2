//! Where what must outlast the program is kept.

use std::path::PathBuf;

use etcetera::{BaseStrategy, choose_base_strategy};
use swarmsecrets_core::{Error, ErrorKind, Result};

/// The folder for journals and the audit trail: `swarmsecrets` in the user's XDG state directory, which is
/// `$XDG_STATE_HOME`, else `~/.local/state`. On Windows, which knows no state, it is in the application data.
///
/// # Errors
/// [`ErrorKind::Settings`] if the user has no home directory.
pub fn state_dir() -> Result<PathBuf> {
    let strategy = choose_base_strategy().map_err(|e| {
        Error::new(ErrorKind::Settings, "the user has no home directory: name a folder with `--journal`").with_source(e)
    })?;
    Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("swarmsecrets"))
}
