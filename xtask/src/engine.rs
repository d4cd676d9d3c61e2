//! A real Docker Engine in swarm mode for the tests, and the test gateway before it.
//!
//! The Engine runs in namespaces of its own (processes, network, mounts), so it meets no other Engine of the machine, needs no port
//! or bridge, and takes everything it started with it when it ends: also when `cargo xtask` is killed.

mod daemon;
mod gateway;
mod image;

pub(crate) use self::daemon::{Engine, IMAGE};
pub(crate) use self::gateway::Gateway;

use std::process::Command;

use crate::log::Log;
use crate::process::run_beside;
use crate::{Failure, install, repository};

/// Runs a command with a real Engine and the gateway beside it.
pub(crate) fn beside(command: &[String]) -> Result<(), Failure> {
    let scratch = repository::scratch();
    std::fs::create_dir_all(scratch.join("kept")).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
    let log = Log::create(scratch.join("engine.log"))?;
    let engine = Engine::start(&log, install::engine_tools(&log)?)?;
    let build = ["build", "--quiet", "--package", "swarmsecrets-testkit", "--bin", "portainer-gateway"];
    log.run(Command::new("cargo").args(build))?;
    let gateway = Gateway::start(&log, &engine)?;
    run_beside(command, |command| {
        command.env("SWARMSECRETS_TEST_KEPT", scratch.join("kept"));
        engine.tell(command);
        gateway.tell(command);
    })
}
