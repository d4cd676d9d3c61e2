//! The `swarmsecrets` command, as a user runs it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place;

/// Longer than any command here should take.
const LIMIT: Duration = Duration::from_secs(180);

/// What a command ended with.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: i32,
    /// The JSON document on its standard output.
    pub(crate) json: Value,
    /// All that it printed, for messages.
    pub(crate) printed: String,
}

/// A command that has been started.
pub(crate) struct Started(Child);

/// The command with an API key and `--json`, not yet started.
pub(crate) fn prepare(key: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsecrets"));
    command.args(args).arg("--json");
    command.env("PORTAINER_URL", place::url()).env("PORTAINER_API_KEY", key);
    command.env("PORTAINER_ENDPOINT", place::endpoint()).env("SWARMSECRETS_AGENT_ID", "engine-tests");
    // Everything that could leak is said, for the leak scan.
    command
        .env("RUST_LOG", "trace")
        .env_remove("PORTAINER_API_KEY_FILE")
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy");
    command.stdin(Stdio::null());
    command
}

/// Starts the command with an API key and `--json`.
pub(crate) fn start(key: &str, args: &[&str]) -> Started {
    Started(prepare(key, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

impl Started {
    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let (out, err) = (self.0.stdout.take().unwrap(), self.0.stderr.take().unwrap());
        let read = |from: Box<dyn std::io::Read + Send>| std::thread::spawn(|| std::io::read_to_string(from).unwrap());
        let (out, err) = (read(Box::new(out)), read(Box::new(err)));
        let deadline = Instant::now() + LIMIT;
        while self.runs() {
            if Instant::now() > deadline {
                self.0.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let code = self.0.wait().unwrap().code().unwrap_or(-1);
        let (out, err) = (out.join().unwrap(), err.join().unwrap());
        let json = serde_json::from_str(&out).unwrap_or(Value::Null);
        let printed = format!("exit {code}\n{out}\n{err}");
        println!("{printed}");
        Ended { code, json, printed }
    }
}

/// Runs the command to its end as the administrator.
pub(crate) fn run(args: &[&str]) -> Ended {
    start(&place::admin_key(), args).end()
}

/// The arguments of a rotation with a quick window.
pub(crate) fn rotate_args<'a>(secret: &'a str, value: &'a Path, grace: &'a str, journal: &'a Path) -> Vec<&'a str> {
    let (value, journal) = (value.to_str().unwrap(), journal.to_str().unwrap());
    let first = ["rotate", secret, "--value-file", value, "--grace", grace, "--stability", "1s", "--deadline", "60s"];
    [&first[..], &["--journal", journal, "--yes"]].concat()
}

/// Runs a rotation as the administrator.
pub(crate) fn rotate(secret: &str, value: &Path, grace: &str, journal: &Path) -> Ended {
    run(&rotate_args(secret, value, grace, journal))
}

impl Ended {
    /// Fails, with all that was printed, unless it ended so.
    pub(crate) fn expect(self, code: i32, outcome: &str) -> Self {
        assert_eq!((self.code, self.json["outcome"].as_str()), (code, Some(outcome)), "{}", self.printed);
        self
    }
}
