//! A server's process: started, waited for, stopped by its number.

use std::net::TcpStream;
use std::process::Command;

use super::place::Place;
use crate::Failure;
use crate::process::Daemon;

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

/// Starts the server, and waits until `ready` says that it answers. `signal` is what makes it end in an orderly way.
pub(crate) fn start(
    place: &Place,
    signal: &str,
    command: &Command,
    ready: impl Fn() -> bool,
) -> Result<Daemon, Failure> {
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(&place.dir).arg(signal);
    keeper.arg(command.get_program()).args(command.get_args()).current_dir("/");
    let what = format!("the server of {}", place.log.display());
    let mut server = Daemon::start(what, place.log.clone(), &mut keeper)?;
    server.wait_until(ready)?;
    Ok(server)
}

/// Whether something listens there.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
