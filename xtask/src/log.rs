//! Runs commands with their output on the terminal and in the log at once: the leak scan reads the log.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::Failure;

/// The log of one run.
pub(crate) struct Log {
    path: PathBuf,
    file: Mutex<File>,
}

impl Log {
    /// Begins a new log.
    pub(crate) fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = File::create(&path).map_err(|e| format!("cannot write the log {}: {e}", path.display()))?;
        Ok(Self { path, file: Mutex::new(file) })
    }

    /// Where it stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says a line.
    pub(crate) fn say(&self, line: &str) {
        self.both(line.as_bytes(), false);
        self.both(b"\n", false);
    }

    /// Runs a command to its end; fails if it does.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(), Failure> {
        let shown = show(command);
        self.say(&format!("$ {shown}"));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot start `{shown}`: {e}"))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        std::thread::scope(|scope| {
            scope.spawn(|| self.copy(err, true));
            self.copy(out, false);
        });
        let status = child.wait().map_err(|e| format!("lost `{shown}`: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
    }

    fn copy(&self, from: Option<impl Read>, to_stderr: bool) {
        let Some(from) = from else { return };
        let mut lines = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
            self.both(&line, to_stderr);
            line.clear();
        }
    }

    fn both(&self, bytes: &[u8], to_stderr: bool) {
        // A terminal that is gone or a full disk must not end the run: the status of each step says what counts.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(bytes);
        let _ = if to_stderr { std::io::stderr().write_all(bytes) } else { std::io::stdout().write_all(bytes) };
    }
}

/// The command as a person would type it.
fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_stand_in_the_log_and_a_failure_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::create(dir.path().join("log")).unwrap();
        let failed = log.run(Command::new("sh").args(["-c", "echo to-out; echo to-err >&2; exit 3"]));
        assert!(failed.unwrap_err().contains("exit status: 3"));
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert!(text.contains("\nto-out\n") && text.contains("\nto-err\n"), "{text}");
    }
}
