//! Running commands as root: directly when we are root, else through sudo.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

/// The user that runs this process.
pub(crate) fn user() -> Option<(u32, u32)> {
    // The owner of its own entry in /proc: the effective user, without a call that needs `unsafe`.
    std::fs::metadata("/proc/self").ok().map(|owner| (owner.uid(), owner.gid()))
}

fn is_root() -> bool {
    user().is_some_and(|(uid, _)| uid == 0)
}

/// A command that runs as root.
pub(crate) fn root_command(program: impl AsRef<OsStr>) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("--").arg(program);
    sudo
}
