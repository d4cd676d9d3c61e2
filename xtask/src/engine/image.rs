//! The test image: a busybox and nothing else, made here because nothing may be pulled.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Engine;
use crate::Failure;

/// The names under which the image's programs call busybox.
const APPLETS: &[&str] =
    &["sh", "cat", "echo", "false", "grep", "ls", "sleep", "stat", "test", "touch", "true", "[", "id"];

/// Makes the image and hands it to the Engine.
pub(super) fn import(engine: &Engine, busybox: &Path, name: &str) -> Result<(), Failure> {
    let root = engine.dir().join("image");
    lay_out(&root, busybox).map_err(|e| format!("cannot lay out the test image in {}: {e}", root.display()))?;
    let started = |e: std::io::Error| format!("cannot make the test image: {e}");
    let mut tar = Command::new("tar");
    tar.arg("--directory").arg(&root).args(["--owner=0", "--group=0", "--create", "."]).stdout(Stdio::piped());
    let mut tar = tar.spawn().map_err(started)?;
    let archive = tar.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let import = engine.command().args(["import", "-", name]).stdin(archive).output().map_err(started)?;
    if tar.wait().map_err(started)?.success() && import.status.success() {
        return Ok(());
    }
    Err(format!("the Engine does not take the test image: {}", String::from_utf8_lossy(&import.stderr).trim()))
}

fn lay_out(root: &Path, busybox: &Path) -> std::io::Result<()> {
    for dir in ["bin", "etc", "tmp", "run"] {
        std::fs::create_dir_all(root.join(dir))?;
    }
    std::fs::copy(busybox, root.join("bin/busybox"))?;
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
    std::fs::write(root.join("etc/group"), "root:x:0:\n")
}
