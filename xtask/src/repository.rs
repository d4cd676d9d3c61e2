//! Where things stand in the repository.

use std::io;
use std::path::{Path, PathBuf};

/// The top of the clone.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The folder of everything that is built or written.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// What a run of `cargo xtask test` leaves behind: its log, kept journals, the Engine's log.
pub(crate) fn scratch() -> PathBuf {
    target().join("xtask")
}

/// Adds all files under `dir` that are not hidden or built. A folder that is not there has none.
pub(crate) fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if kind.is_file() {
            files.push(entry.path());
        } else if kind.is_dir() && name != "target" && name != ".git" {
            walk(&entry.path(), files)?;
        }
    }
    Ok(())
}
