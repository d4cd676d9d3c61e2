//! The value that the user hands over: from a file or standard input, never from an argument.

use std::io::{self, IsTerminal};
use std::path::Path;

use swarmsecrets_core::SecretValue;

use crate::console::Console;
use crate::exit::Failure;

/// Reads a value byte for byte; `-` is standard input.
pub(crate) fn read_value(path: &Path, console: &Console) -> Result<SecretValue, Failure> {
    if path.as_os_str() == "-" && io::stdin().is_terminal() {
        return Err(Failure::usage(
            "the value would be shown on the terminal while it is typed: pipe it in, or name a file",
        ));
    }
    let supplied = swarmsecrets_host::read_value(path).map_err(Failure::input)?;
    if supplied.ends_in_newline {
        console.note("note: the value ends with a line break, which is kept: it becomes part of the secret");
    }
    Ok(supplied.value)
}
