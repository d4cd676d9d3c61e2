//! Measures the Python package.

use std::process::Command;

use super::page;
use crate::log::Log;
use crate::{Failure, python, repository};

/// Builds all with optimizations, measures, and writes the table.
pub(crate) fn python() -> Result<(), Failure> {
    let scratch = repository::scratch();
    std::fs::create_dir_all(&scratch).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
    let log = Log::create(scratch.join("bench-python.log"))?;
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "--package", "swarmsecrets-benches", "--bins"]);
    log.run(build.current_dir(repository::root()))?;
    let programs = ["serve-world", "read-world"].map(|name| repository::target().join("release").join(name));
    page::write("python", &python::measure(&log, &programs)?)
}
