//! What runs beside what: a daemon beside the tests, and a person's command beside the daemons.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// A running daemon. Dropping it stops it.
pub(crate) struct Daemon {
    child: Child,
    what: String,
    log: PathBuf,
}

impl Daemon {
    /// Starts what messages call `what`. The command must end when its standard input does: that closes when `cargo xtask`
    /// ends, however that comes about. What it prints goes to the log.
    pub(crate) fn start(what: String, log: PathBuf, command: &mut Command) -> Result<Self, Failure> {
        let cannot = |e: std::io::Error| format!("cannot write {}: {e}", log.display());
        let out = File::create(&log).map_err(cannot)?;
        let errors = out.try_clone().map_err(cannot)?;
        // A process group of its own: a Ctrl-C at the terminal is for us.
        command.process_group(0).stdin(Stdio::piped()).stdout(out).stderr(errors);
        let child = command.spawn().map_err(|e| format!("cannot start {what}: {e}"))?;
        Ok(Self { child, what, log })
    }

    /// Waits until `ready` says that it answers.
    pub(crate) fn wait_until(&mut self, ready: impl Fn() -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + START_WITHIN;
        while !ready() {
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                let told = std::fs::read_to_string(&self.log).unwrap_or_default();
                let last: Vec<&str> = told.lines().rev().take(15).collect();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("\n  ");
                return Err(format!("{} does not start; its last words:\n  {last}", self.what));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + STOP_WITHIN;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{} (process {}) does not end", self.what, self.child.id());
    }
}

/// Runs a command, or a shell where it has no words, that is told what runs beside it.
pub(crate) fn run_beside(words: &[String], tell: impl FnOnce(&mut Command)) -> Result<(), Failure> {
    let shell = ["sh".to_owned()];
    let words = if words.is_empty() { &shell[..] } else { words };
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    tell(&mut command);
    let status = command.status().map_err(|e| format!("cannot start `{}`: {e}", words[0]))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", words.join(" "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon(dir: &tempfile::TempDir, script: &str) -> Daemon {
        let log = dir.path().join("log");
        Daemon::start("the made-up daemon".into(), log, Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn one_that_ends_before_it_is_ready_is_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let mut daemon = daemon(&dir, "seq 20; echo no room >&2; exit 1");
        let last: Vec<String> = (7..=20).map(|n| n.to_string()).collect();
        let expected =
            format!("the made-up daemon does not start; its last words:\n  {}\n  no room", last.join("\n  "));
        assert_eq!(daemon.wait_until(|| false).unwrap_err(), expected);
    }

    #[test]
    fn one_that_is_dropped_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let (up, ended) = (dir.path().join("up"), dir.path().join("ended"));
        let mut daemon = daemon(&dir, &format!("touch {}; read -r _; touch {}", up.display(), ended.display()));
        daemon.wait_until(|| up.exists()).unwrap();
        assert!(!ended.exists());
        drop(daemon);
        assert!(ended.exists());
    }

    #[test]
    fn a_command_is_told_and_its_failure_is_said() {
        let run = |script: &str| {
            run_beside(&["sh", "-c", script].map(str::to_owned), |told| {
                told.env("TOLD", "yes");
            })
        };
        assert_eq!(run(r#"test "$TOLD" = yes"#), Ok(()));
        assert_eq!(run("exit 3").unwrap_err(), "`sh -c exit 3` failed (exit status: 3)");
    }
}
