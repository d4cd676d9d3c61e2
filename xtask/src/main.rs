//! The chores of this repository, run as `cargo xtask …`.
//!
//! The public interface is the command line; [`args::USAGE`] is its manual.

mod args;
mod bench;
mod engine;
mod install;
mod leaks;
mod log;
mod privilege;
mod process;
mod python;
mod repository;
mod servers;
mod sim;
mod steps;

use std::process::ExitCode;

use crate::args::Task;

/// What a chore gives when it fails: a message for the person at the terminal.
type Failure = String;

fn main() -> ExitCode {
    let task = match args::parse(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(message) => {
            eprintln!("{message}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match task {
        Task::Help => {
            println!("{}", args::USAGE);
            Ok(())
        }
        Task::Test(selection) => steps::run(&selection),
        Task::Sim(seeds) => sim::play(&seeds),
        Task::Bench => bench::code(),
        Task::BenchEngine => bench::engine(),
        Task::BenchPython => bench::python(),
        Task::Engine(command) => engine::beside(&command),
        Task::Servers(command) => servers::beside(&command),
        Task::Wheel(interpreters) => python::wheel(&interpreters),
        Task::Python(arguments) => python::alone(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}
