//! The steps of `cargo xtask test`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::Failure;
use crate::args::Selection;
use crate::engine::Engine;
use crate::log::Log;
use crate::servers::{self, Servers};
use crate::{engine, install, leaks, python, repository};

/// What tests append each made-up secret value to, in base64, a line each.
const VALUES: &str = "SWARMSECRETS_TEST_VALUES";
/// Where tests may keep journals and audit files for the leak scan.
const KEPT: &str = "SWARMSECRETS_TEST_KEPT";

/// One run.
struct Run<'a> {
    log: Log,
    selection: &'a Selection,
    values: PathBuf,
    kept: PathBuf,
    results: Vec<(&'static str, u64, Result<(), Failure>)>,
}

/// Runs the selected steps, all of them even when one fails, and tells at the end which did.
pub(crate) fn run(selection: &Selection) -> Result<(), Failure> {
    let scratch = repository::scratch();
    let (values, kept) = (scratch.join("values"), scratch.join("kept"));
    std::fs::create_dir_all(&scratch).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
    for old in [&values, &kept] {
        let _ = if old.is_dir() { std::fs::remove_dir_all(old) } else { std::fs::remove_file(old) };
    }
    std::fs::create_dir_all(&kept).map_err(|e| format!("cannot make {}: {e}", kept.display()))?;
    let log = Log::create(scratch.join("test.log"))?;
    let mut run = Run { log, selection, values, kept, results: Vec::new() };
    run.all();
    run.summary()
}

impl Run<'_> {
    fn all(&mut self) {
        if self.selection.filter.is_none() {
            self.step("toolchain", |run| install::rust_components(&run.log));
            self.step("fmt", |run| run.cargo(&["fmt", "--all", "--check"]));
            self.step("clippy", Self::clippy);
            self.step("doc", |run| {
                let mut doc = run.command(&["doc", "--workspace", "--no-deps", "--locked"]);
                run.log.run(doc.env("RUSTDOCFLAGS", "-D warnings"))
            });
            if !self.selection.quick {
                self.step("deny", Self::deny);
            }
        }
        self.step("tests", Self::tests);
        if self.selection.filter.is_none() {
            self.step("Python", |run| {
                let tell = |command: &mut Command| {
                    command.env(VALUES, &run.values).env(KEPT, &run.kept);
                };
                python::test(&run.log, tell, &[])
            });
        }
        if !self.selection.quick {
            self.step("real Engine", Self::engine);
            self.step("real servers", Self::servers);
        }
        self.step("leak scan", |run| {
            leaks::scan(&run.log, &run.values, &[run.kept.clone(), repository::target().join("tmp")])
        });
    }

    fn step(&mut self, name: &'static str, does: impl FnOnce(&Self) -> Result<(), Failure>) {
        self.log.say(&format!("\n=== {name} ==="));
        let start = Instant::now();
        let result = does(self);
        if let Err(message) = &result {
            self.log.say(&format!("=== {name} FAILED: {message}"));
        }
        self.results.push((name, start.elapsed().as_secs(), result));
    }

    fn summary(&self) -> Result<(), Failure> {
        self.log.say("\n=== summary ===");
        for (name, seconds, result) in &self.results {
            let outcome = if result.is_ok() { "ok" } else { "FAILED" };
            self.log.say(&format!("{name:<12} {seconds:>5} s  {outcome}"));
        }
        if self.selection.quick {
            self.log.say("left out by --quick: deny, real Engine, real servers");
        }
        let failed: Vec<&str> = self.results.iter().filter(|step| step.2.is_err()).map(|step| step.0).collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }

    /// A cargo command that knows where the leak scan looks.
    fn command(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(args).current_dir(repository::root()).env(VALUES, &self.values).env(KEPT, &self.kept);
        cargo
    }

    fn cargo(&self, args: &[&str]) -> Result<(), Failure> {
        self.log.run(&mut self.command(args))
    }

    fn clippy(&self) -> Result<(), Failure> {
        let deny_warnings = ["--locked", "--", "-D", "warnings"];
        self.cargo(&[&["clippy", "--workspace", "--all-targets"], &deny_warnings[..]].concat())?;
        // Not among "all" targets, because plain `cargo test` must leave them out.
        self.cargo(&[&["clippy", "--package", "swarmsecrets-cli", "--test", "engine"], &deny_warnings[..]].concat())?;
        let packages = servers::PACKAGES.iter().flat_map(|package| ["--package", package]);
        self.cargo(&["clippy", "--test", "server"].into_iter().chain(packages).chain(deny_warnings).collect::<Vec<_>>())
    }

    fn deny(&self) -> Result<(), Failure> {
        let mut deny = Command::new(install::cargo_deny(&self.log)?);
        let checks = ["bans", "licenses", "sources"];
        deny.args(["--workspace", "--locked", "check", "--hide-inclusion-graph"]).args(checks);
        self.log.run(deny.current_dir(repository::root()))
    }

    /// All tests but those on the real Engine. `--show-output`, so that the leak scan sees what good tests print too.
    fn tests(&self) -> Result<(), Failure> {
        let mut test = self.command(&["test", "--workspace", "--locked", "--no-fail-fast", "--"]);
        self.log.run(test.args(&self.selection.filter).arg("--show-output"))
    }

    fn engine(&self) -> Result<(), Failure> {
        let tools = install::engine_tools(&self.log)?;
        // Built first, so that no time passes with an Engine that idles.
        self.cargo(&["build", "--locked", "--package", "swarmsecrets-testkit", "--package", "swarmsecrets-cli"])?;
        let engine = Engine::start(&self.log, tools)?;
        let gateway = engine::Gateway::start(&self.log, &engine)?;
        leaks::record(&self.values, gateway.secrets())?;
        let args = ["test", "--locked", "--package", "swarmsecrets-cli", "--test", "engine", "--"];
        let mut test = self.command(&args);
        test.args(&self.selection.filter).arg("--show-output");
        engine.tell(&mut test);
        gateway.tell(&mut test);
        self.log.run(&mut test)?;
        if self.selection.filter.is_some() {
            return Ok(());
        }
        python::on_engine(&self.log, |command| {
            command.env(VALUES, &self.values).env(KEPT, &self.kept);
            engine.tell(command);
            gateway.tell(command);
        })
    }

    fn servers(&self) -> Result<(), Failure> {
        let packages = servers::PACKAGES.iter().flat_map(|package| ["--package", package]);
        let server_tests = ["--locked", "--test", "server"].into_iter().chain(packages).collect::<Vec<_>>();
        // Built first, so that no time passes with servers that idle.
        self.cargo(&[&["test", "--no-run"], &server_tests[..]].concat())?;
        let servers = Servers::start(&self.log)?;
        leaks::record(&self.values, servers.secrets())?;
        let mut test = self.command(&[&["test", "--no-fail-fast"], &server_tests[..], &["--"]].concat());
        test.args(&self.selection.filter).arg("--show-output");
        servers.tell(&mut test);
        self.log.run(&mut test)
    }
}
