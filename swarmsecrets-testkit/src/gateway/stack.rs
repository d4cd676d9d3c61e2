//! `docker stack deploy` and `docker stack rm`, as Portainer runs them.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::engine::StackDeployment;

/// The two lines of a notice that newer commands print, which is no part of why one failed.
const NOTICE: [&str; 2] = ["Since --detach=", "In a future release, --detach="];

/// The `docker` command, told which Engine.
#[derive(Clone, Debug)]
pub(super) struct StackCommand {
    socket: PathBuf,
    docker: PathBuf,
}

impl StackCommand {
    pub(super) fn new(socket: &Path, docker: &Path) -> Self {
        // It is run in another folder: a path from here would mean something else there. A bare name is looked for in PATH.
        let here = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let docker = if docker.components().count() > 1 { here(docker) } else { docker.to_owned() };
        Self { socket: here(socket), docker }
    }

    pub(super) async fn deploy(&self, stack: StackDeployment) -> Result<(), String> {
        let empty = tempfile::tempdir().map_err(|e| format!("cannot make a folder for the stack: {e}"))?;
        let mut command = self.command(empty.path());
        command.args(["stack", "deploy", "--with-registry-auth"]);
        if stack.prune {
            command.arg("--prune");
        }
        command.args(["--compose-file", "-", "--", &stack.name]);
        command.envs(stack.variables);
        said(run(command, stack.file.into_bytes()).await)
    }

    /// Does not wait until the stack's networks are gone: a deployment soon after may fail on them, as recorded.
    pub(super) async fn remove(&self, stack: &str) -> Result<(), String> {
        let empty = tempfile::tempdir().map_err(|e| format!("cannot make a folder for the command: {e}"))?;
        let mut command = self.command(empty.path());
        command.args(["stack", "rm", "--", stack]);
        said(run(command, Vec::new()).await)
    }

    /// In an empty folder, so that no file beside the compose file is found, and without the user's settings.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.docker);
        command.current_dir(folder).arg("--config").arg(folder);
        command.arg("--host").arg(format!("unix://{}", self.socket.display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// The compose file goes in by standard input: it may hold credentials, and needs no file of its own.
async fn run(mut command: Command, input: Vec<u8>) -> io::Result<Output> {
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that fails early does not read it; its words on standard error say why.
        let _ = stdin.write_all(&input).await;
    }
    child.wait_with_output().await
}

fn said(result: io::Result<Output>) -> Result<(), String> {
    let output = result.map_err(|e| format!("cannot run the docker command: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().filter(|l| !NOTICE.iter().any(|n| l.starts_with(n))).collect();
    Err(format!("{}\n", lines.join("\n")))
}
