//! The key holder's word.

use std::io::{self, BufRead, Write};

use crate::console::Console;
use crate::exit::Failure;

/// Returns when the change was confirmed: by `--yes`, or by an answer on the terminal.
pub(crate) fn confirm(question: &str, yes: bool, console: &Console) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    require_terminal(yes, console)?;
    let _ = write!(io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match read {
        Ok(_) if agrees(&answer) => Ok(()),
        _ => Err(Failure::usage("not confirmed: nothing was changed")),
    }
}

/// Refuses early where nobody can be asked, before anything is read or fetched.
pub(crate) fn require_terminal(yes: bool, console: &Console) -> Result<(), Failure> {
    if yes || console.can_ask {
        return Ok(());
    }
    Err(Failure::usage("this changes something and there is no terminal to ask on: look with `plan`, then give --yes"))
}

fn agrees(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(agrees("y\n") && agrees(" YES \n"));
        assert!(!agrees("") && !agrees("\n") && !agrees("no\n") && !agrees("yesterday\n"));
    }
}
