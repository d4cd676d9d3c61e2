//! Runs the real command, in an environment that holds nothing of the machine's, and looks for values in all that it says.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The value that every test rotates to. It must never come out again.
pub(crate) const VALUE: &str = "correct-horse-battery-made-up";

/// A folder of its own for one test: home, value file, simulated world.
pub(crate) struct Place {
    dir: TempDir,
}

/// What one run of the command left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(place.path("value"), VALUE).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Runs the command with nothing on standard input.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.with(line, &[], b"")
    }

    /// Runs the command on the simulated world that this place keeps.
    pub(crate) fn sim(&self, line: &str) -> Run {
        self.run(&format!("{line} --sim --sim-state world.json"))
    }

    /// Runs the command with variables and standard input.
    pub(crate) fn with(&self, line: &str, variables: &[(&str, &str)], input: &[u8]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsecrets"));
        command.args(line.split_whitespace()).current_dir(self.dir.path());
        command.env_clear().env("HOME", self.dir.path()).env("COLUMNS", "100");
        command.envs(variables.iter().map(|(k, v)| (OsStr::new(k), OsStr::new(v))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input closes it early, which is no failure.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        self.assert_no_value(&run);
        run
    }

    /// No output and no file but the value's own holds the value, in clear or in base64.
    fn assert_no_value(&self, run: &Run) {
        let hidden = ["correct-horse", "Y29ycmVjdC1ob3JzZ"];
        for text in hidden {
            assert!(!run.stdout.contains(text) && !run.stderr.contains(text), "the value is in the output: {run:?}");
        }
        let mut folders = vec![self.dir.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap()) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_type().unwrap().is_file() && entry.file_name() != "value" {
                    let bytes = std::fs::read(entry.path()).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!hidden.iter().any(|h| text.contains(h)), "the value is in {}", entry.path().display());
                }
            }
        }
    }
}

impl Run {
    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not one JSON document ({e}): {self:?}"))
    }

    /// Checks the exit code, and shows everything if it is another.
    pub(crate) fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "{self:#?}");
        self
    }

    /// Checks that standard error says something.
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "{part:?} is not said: {self:#?}");
        self
    }
}
