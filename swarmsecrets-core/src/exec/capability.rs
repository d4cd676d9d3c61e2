//! The trait, and the one that refuses.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::TaskId;

/// The longest command, in bytes of all its words together.
pub const MAX_COMMAND_BYTES: usize = 8 * 1024;

/// Runs commands in the containers of tasks. What a command prints is not asked for: it may hold a value.
#[async_trait]
pub trait Exec: Send + Sync {
    /// Runs a command (a program and its arguments, no shell) in the container of a task, waits for its end, and gives its
    /// exit code. A command that outlives the deadline is not killed, as the Engine cannot: give it a limit of its own.
    ///
    /// # Errors
    /// `NotFound` if no container of the task can be reached from this environment, `Forbidden` and `Denied` without
    /// leave, `Invalid` if the command cannot be run there at all, `Timeout` if it had not ended by the deadline, and those of
    /// [`Transport::write`](crate::transport::Transport::write).
    async fn run(&self, task: &TaskId, command: &[String], deadline: Duration) -> Result<i64>;
}

/// Refuses every command: for whoever has no leave to give.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoExec;

#[async_trait]
impl Exec for NoExec {
    async fn run(&self, _: &TaskId, _: &[String], _: Duration) -> Result<i64> {
        Err(Error::new(ErrorKind::Denied, "no command may be run in containers here"))
    }
}

/// Whether this can be a command.
///
/// # Errors
/// [`ErrorKind::Invalid`] if it is empty, has an empty program or a NUL; `TooLarge` above [`MAX_COMMAND_BYTES`].
pub fn check_command(command: &[String]) -> Result<()> {
    let bytes: usize = command.iter().map(String::len).sum();
    match command.first() {
        None => Err(Error::new(ErrorKind::Invalid, "the command is empty: give a program and its arguments")),
        Some(program) if program.is_empty() => {
            Err(Error::new(ErrorKind::Invalid, "the command's program is empty: give the name of a program"))
        }
        _ if command.iter().any(|word| word.contains('\0')) => {
            Err(Error::new(ErrorKind::Invalid, "the command holds a NUL, which no argument can"))
        }
        _ if bytes > MAX_COMMAND_BYTES => Err(Error::new(
            ErrorKind::TooLarge,
            format!("the command has {bytes} bytes: it may have {MAX_COMMAND_BYTES}"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_a_program_and_a_bound() {
        let kind = |words: &[&str]| {
            check_command(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).map_err(|e| e.kind()).err()
        };
        assert_eq!(kind(&["pg_isready", "-q", ""]), None);
        assert_eq!(kind(&[]), Some(ErrorKind::Invalid));
        assert_eq!(kind(&["", "x"]), Some(ErrorKind::Invalid));
        assert_eq!(kind(&["a\0b"]), Some(ErrorKind::Invalid));
        assert_eq!(kind(&["sh", "-c", &"x".repeat(MAX_COMMAND_BYTES)]), Some(ErrorKind::TooLarge));
    }
}
