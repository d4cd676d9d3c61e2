//! Where a server lives: a folder, a port, a user, and its administrator's password.

use std::fs::File;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::log::Log;
use crate::privilege::{root_command, user};
use crate::repository;

/// The user that servers run as where we are root, which they would refuse or should not be.
const NOBODY: (&str, &str) = ("nobody", "nogroup");

/// What a server gets before it starts.
pub(crate) struct Place {
    /// Its folder, which belongs to the user that it runs as.
    pub(crate) dir: PathBuf,
    /// A port that nobody listens on.
    pub(crate) port: u16,
    /// The password of the administrator, who is called `admin`.
    pub(crate) password: String,
    /// What the server prints.
    pub(crate) log: PathBuf,
}

impl Place {
    /// Makes the folder and finds a port.
    pub(crate) fn make(log: &Log, name: &str) -> Result<Self, Failure> {
        // Not in `target`: the user that the server runs as may not come through the folders above it.
        let dir = std::env::temp_dir().join(format!("swarmsecrets-{name}-{}", std::process::id()));
        std::fs::create_dir(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
        let place = Self {
            port: free_port()?,
            password: password()?,
            log: repository::scratch().join(format!("{name}.log")),
            dir,
        };
        place.hand_over(log, &place.dir)?;
        Ok(place)
    }

    /// Writes a file that the server reads.
    pub(crate) fn write(&self, log: &Log, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.dir.join(name);
        std::fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        log.run(Command::new("chmod").arg("600").arg(&path))?;
        self.hand_over(log, &path)?;
        Ok(path)
    }

    /// Gives a path to the user that the server runs as.
    pub(crate) fn hand_over(&self, log: &Log, path: &Path) -> Result<(), Failure> {
        if !is_root() {
            return Ok(());
        }
        log.run(root_command("chown").arg(format!("{}:{}", NOBODY.0, NOBODY.1)).arg(path))
    }

    /// Gives a folder and all that is in it to that user.
    pub(crate) fn hand_over_all(&self, log: &Log, path: &Path) -> Result<(), Failure> {
        if !is_root() {
            return Ok(());
        }
        log.run(root_command("chown").arg("-R").arg(format!("{}:{}", NOBODY.0, NOBODY.1)).arg(path))
    }

    /// A command that runs as that user, in the folder.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = match is_root() {
            true => Command::new("setpriv"),
            false => Command::new("env"),
        };
        if is_root() {
            command.arg(format!("--reuid={}", NOBODY.0)).arg(format!("--regid={}", NOBODY.1)).arg("--clear-groups");
        }
        command.arg(program).current_dir(&self.dir);
        command
    }
}

fn is_root() -> bool {
    user().is_some_and(|(uid, _)| uid == 0)
}

/// A port of 127.0.0.1 that nobody listens on.
pub(crate) fn free_port() -> Result<u16, Failure> {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).map_err(|e| format!("there is no free port on 127.0.0.1: {e}"))
}

fn password() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
    read.map_err(|e| format!("cannot read /dev/urandom: {e}"))?;
    Ok(bytes.iter().fold("made-up-admin-".to_owned(), |text, byte| format!("{text}{byte:02x}")))
}
