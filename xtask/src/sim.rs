//! `cargo xtask sim`: builds the simulation with optimizations and plays seeds of it.

use std::process::Command;

use crate::Failure;
use crate::args::Seeds;
use crate::repository;

/// Plays the seeds. The simulation's own words tell which one failed and how.
pub(crate) fn play(seeds: &Seeds) -> Result<(), Failure> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--release", "--locked", "--package", "swarmsecrets-testkit", "--bin", "simulate", "--"]);
    cargo.args(["--seeds", &seeds.count.to_string(), "--from", &seeds.from.to_string()]);
    let status = cargo.current_dir(repository::root()).status().map_err(|e| format!("cannot run cargo: {e}"))?;
    if status.success() { Ok(()) } else { Err("a seed of the simulation failed".into()) }
}
