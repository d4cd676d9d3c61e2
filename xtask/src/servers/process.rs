//! A server's process: started, waited for, stopped by its number.

use std::fs::File;
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::place::Place;
use crate::Failure;

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// Runs the server as long as standard input is open, and that closes when `cargo xtask` ends, however that comes about. Then
/// removes the server's folder.
const KEEPER: &str = r#"
dir=$1 signal=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- & server=$!
( read -r _ <&3; kill -s "$signal" $server; sleep 20; kill -s KILL $server ) 2>/dev/null & keeper=$!
wait $server
kill $keeper
rm -rf "$dir"
"#;

/// A running server. Dropping it stops it.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts the command, and waits until `ready` says that it answers. `signal` is what makes it end in an orderly way.
    pub(crate) fn start(
        place: &Place,
        signal: &str,
        command: &Command,
        ready: impl Fn() -> bool,
    ) -> Result<Self, Failure> {
        let cannot = |e: std::io::Error| format!("cannot write {}: {e}", place.log.display());
        let out = File::create(&place.log).map_err(cannot)?;
        let errors = out.try_clone().map_err(cannot)?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&place.dir).arg(signal);
        keeper.arg(command.get_program()).args(command.get_args()).current_dir("/");
        keeper.process_group(0).stdin(Stdio::piped()).stdout(out).stderr(errors);
        let child = keeper.spawn().map_err(|e| format!("cannot start a server: {e}"))?;
        let mut server = Self { child, log: place.log.clone() };
        server.wait_until(ready)?;
        Ok(server)
    }

    fn wait_until(&mut self, ready: impl Fn() -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + START_WITHIN;
        while !ready() {
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                let told = std::fs::read_to_string(&self.log).unwrap_or_default();
                let last: Vec<&str> = told.lines().rev().take(15).collect();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("\n  ");
                return Err(format!("the server of {} does not start; its last words:\n  {last}", self.log.display()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + STOP_WITHIN;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("the server of {} (keeper {}) does not end", self.log.display(), self.child.id());
    }
}

/// Whether something listens there.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
