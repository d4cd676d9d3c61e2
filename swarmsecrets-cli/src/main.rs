//! The `swarmsecrets` command: see a Swarm's secrets and rotate them, through Portainer.

mod app;
mod args;
mod audit_text;
mod commands;
mod confirm;
mod console;
mod exit;
mod interrupt;
mod inventory_table;
mod logging;
mod narrow;
mod plan_text;
mod printable;
mod progress;
mod records;
mod report_text;
mod request;
mod settings;
mod sourced;
mod table;
mod usage;
mod value;
mod world;

use std::alloc::System;
use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Parser;
use swarmsecrets_core::{Error, ErrorKind};
use zeroizing_alloc::ZeroAlloc;

use crate::app::App;
use crate::args::Cli;
use crate::console::{Console, Wishes};
use crate::exit::{Exit, Failure};

/// Overwrites all memory that is freed: also the copies of a value that libraries make on its way to the network.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let environment = environment();
    let exit = match Cli::try_parse() {
        Ok(cli) => run(cli, environment),
        Err(error) => usage::answer(&error, &console(usage::wants_json(std::env::args_os()), &environment)),
    };
    ExitCode::from(exit.code())
}

fn run(cli: Cli, environment: BTreeMap<String, String>) -> Exit {
    let wants_json = cli.global.json || cli.command.wants_json();
    let console = console(wants_json, &environment);
    logging::start(cli.global.verbose, environment.get("RUST_LOG").map(String::as_str), console.error_colour);
    let app = App { console, connection: cli.global.connection, environment };
    // Two threads: one carries the command out, the other hears Ctrl-C while the first is busy.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(&app, cli.command)),
        Err(e) => Err(Failure::from(Error::new(ErrorKind::Io, format!("cannot start: {e}")))),
    };
    result.unwrap_or_else(|failure| {
        console.failure(&failure);
        failure.exit
    })
}

fn console(json: bool, environment: &BTreeMap<String, String>) -> Console {
    let variable = |name: &str| environment.get(name).map(String::as_str);
    Console::new(json, Wishes { no_color: variable("NO_COLOR"), term: variable("TERM"), columns: variable("COLUMNS") })
}

/// The environment. What is not text is kept as well as can be, so that a bad setting is refused and not overlooked.
fn environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(key, value)| (text(key), text(value))).collect()
}
