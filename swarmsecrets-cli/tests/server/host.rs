//! A host that runs the command, with nothing of another host's but the database. Whatever it runs is searched for what must not be shown.

use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use swarmsecrets_testkit::values;
use tempfile::TempDir;

use crate::database::Database;
use crate::served::Served;

/// The value that every test rotates to.
const VALUE: &str = "kept-nowhere-made-up-value";

/// Longer than anything here should take.
const LIMIT: Duration = Duration::from_secs(120);

/// A home folder with the credentials, and a folder for the audit trail and all that the command prints.
pub(crate) struct Host<'a> {
    served: &'a Served,
    home: TempDir,
    kept: PathBuf,
    hidden: Vec<String>,
    runs: Cell<u32>,
    /// Goes when the test does; nothing under `cargo xtask test`, whose leak scan reads what was kept.
    _unkept: Option<TempDir>,
}

impl<'a> Host<'a> {
    /// `name` is its own among all hosts of all tests.
    pub(crate) fn new(name: &str, served: &'a Served, database: &Database) -> Self {
        let (kept, unkept) = match std::env::var_os("SWARMSECRETS_TEST_KEPT") {
            Some(kept) => (PathBuf::from(kept).join("server").join(name), None),
            None => {
                let folder = tempfile::tempdir().unwrap();
                (folder.path().to_owned(), Some(folder))
            }
        };
        std::fs::create_dir_all(&kept).unwrap();
        values::record(VALUE.as_bytes());
        let hidden = vec![VALUE.to_owned(), database.password.clone(), served.key.clone()];
        let home = tempfile::tempdir().unwrap();
        let host = Self { served, home, kept, hidden, runs: Cell::new(0), _unkept: unkept };
        host.write("value", VALUE);
        host.write("url", &format!("{}\n", database.url()));
        host
    }

    /// Writes a file that arguments may name.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path().join(name), text).unwrap();
    }

    /// Where such a file is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Nothing may show this either.
    pub(crate) fn hide(&mut self, text: &str) {
        values::record(text.as_bytes());
        self.hidden.push(text.to_owned());
    }

    /// The folder that `--journal` names.
    pub(crate) fn folder(&self) -> PathBuf {
        self.kept.join("journal")
    }

    /// Runs the command to its end, with its journals in the database.
    pub(crate) fn run(&self, line: &str) -> Ended {
        self.start(line).end()
    }

    /// Starts the command, with its journals in the database.
    pub(crate) fn start(&self, line: &str) -> Started<'_> {
        self.start_with(&format!("{line} --journal-db-file url"), &[])
    }

    /// Starts the command as it is written, with variables.
    pub(crate) fn start_with(&self, line: &str, variables: &[(&str, &str)]) -> Started<'_> {
        self.runs.set(self.runs.get() + 1);
        let printed = |stream: &str| self.kept.join(format!("{}.{stream}", self.runs.get()));
        let (out, err) = (printed("stdout"), printed("stderr"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsecrets"));
        command.args(line.split_whitespace()).arg("--json").current_dir(self.home.path()).env_clear();
        // Everything that could leak is said.
        command.env("HOME", self.home.path()).env("RUST_LOG", "trace").env("PORTAINER_URL", &self.served.url);
        command.env("PORTAINER_API_KEY", &self.served.key).env("PORTAINER_ENDPOINT", &self.served.endpoint);
        if !line.starts_with("inventory") && !line.starts_with("audit") {
            command.arg("--journal").arg(self.folder());
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Started { child: command.spawn().unwrap(), host: self, out, err }
    }

    /// The name of a secret's current version, and how many versions there are.
    pub(crate) fn versions(&self, secret: &str) -> (String, usize) {
        let json = self.start_with(&format!("inventory --secret {secret}"), &[]).end().code(0).json;
        let secret = &json["secrets"][0];
        (secret["current"].as_str().unwrap().to_owned(), secret["versions"].as_array().unwrap().len())
    }

    /// Fails if the text shows what it must not. What is shown is not printed.
    pub(crate) fn assert_nothing_shown(&self, text: &str, place: &str) {
        assert!(!self.hidden.iter().any(|hidden| text.contains(hidden)), "a password or a value is in {place}");
    }

    /// No file that is kept, and not the simulated world's, shows what it must not.
    fn assert_nothing_kept(&self) {
        let mut folders = vec![self.kept.clone(), self.served.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if let Ok(bytes) = std::fs::read(entry.path()) {
                    // One that is gone by now was the simulation's on its way to its place.
                    self.assert_nothing_shown(&String::from_utf8_lossy(&bytes), &entry.path().display().to_string());
                }
            }
        }
    }
}

/// A command at work. It is killed if its test ends before it does.
pub(crate) struct Started<'a> {
    child: Child,
    host: &'a Host<'a>,
    out: PathBuf,
    err: PathBuf,
}

impl Started<'_> {
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its arguments, as everybody on the machine sees them.
    pub(crate) fn arguments(&self) -> String {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", self.process())).unwrap();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }

    /// Returns once it has said something on standard error.
    pub(crate) fn wait_until_it_says(&mut self, part: &str) {
        let err = self.err.clone();
        until(&format!("{part:?} is said"), || {
            let said = read(&err).contains(part);
            assert!(said || self.child.try_wait().unwrap().is_none(), "it ended: {}", read(&err));
            said.then_some(())
        });
    }

    /// The rotation that it has said it begins.
    pub(crate) fn rotation(&self) -> String {
        let said = read(&self.err);
        let (_, id) = said.split_once("rotation r-").unwrap_or_else(|| panic!("no rotation is named: {said}"));
        format!("r-{}", id.chars().take_while(char::is_ascii_hexdigit).collect::<String>())
    }

    /// Sends a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.process().to_string()).status().unwrap();
        assert!(kill.success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let status = until("the command ends", || self.child.try_wait().unwrap());
        let (out, err) = (read(&self.out), read(&self.err));
        self.host.assert_nothing_shown(&out, "standard output");
        self.host.assert_nothing_shown(&err, "standard error");
        self.host.assert_nothing_kept();
        let json = serde_json::from_str(&out).unwrap_or(Value::Null);
        // The log of the libraries is in the file.
        let said: Vec<&str> = err.lines().filter(|line| !line.contains("swarmsecrets_portainer")).collect();
        Ended { code: status.code().unwrap_or(-1), json, stderr: said.join("\n") }
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

impl Ended {
    /// Checks the exit code, and shows everything if it is another.
    pub(crate) fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "{self:#?}");
        self
    }

    /// Checks a report's outcome.
    pub(crate) fn outcome(self, expected: &str) -> Self {
        assert_eq!(self.json["outcome"], expected, "{self:#?}");
        self
    }

    /// The rotation that a report is about.
    pub(crate) fn rotation(&self) -> String {
        self.json["rotation"].as_str().unwrap().to_owned()
    }
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}
