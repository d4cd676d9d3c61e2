//! The Python package: built into a virtual environment of its own, and tested there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::log::Log;
use crate::repository;

/// What builds the package. What tests it stands in `pyproject.toml`.
const MATURIN: &str = "maturin>=1.9,<2";

/// The virtual environment of the tests.
const VENV: &str = "python";
/// Tests on the real Engine, which the environment tells of.
const ON_ENGINE: &str = "swarmsecrets-py/engine";

/// Tells tests where the command is.
const COMMAND: &str = "SWARMSECRETS_TEST_COMMAND";

/// Builds and tests by itself. The arguments are for pytest.
pub(crate) fn alone(arguments: &[String]) -> Result<(), Failure> {
    let scratch = repository::scratch();
    std::fs::create_dir_all(&scratch).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
    let log = Log::create(scratch.join("python.log"))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    log.run(cargo.args(["build", "--workspace", "--bin", "swarmsecrets", "--locked"]).current_dir(repository::root()))?;
    test(&log, |_| (), arguments)
}

/// Builds the package without optimizations, checks its types and runs its tests, some of them with the command, which is built before.
/// `tell` adds what the leak scan needs.
pub(crate) fn test(log: &Log, tell: impl Fn(&mut Command), arguments: &[String]) -> Result<(), Failure> {
    let venv = environment(log, VENV)?;
    let build = ["-m", "maturin", "develop", "--locked", "--extras", "test", "--quiet"];
    log.run(python(&venv, &tell).args(build))?;
    log.run(python(&venv, &tell).args(["-m", "mypy", "swarmsecrets-py/python"]))?;
    log.run(python(&venv, &tell).args(["-m", "mypy.stubtest", "swarmsecrets"]))?;
    // What it fetches stays within the repository.
    let pyright = repository::target().join("pyright");
    log.run(python(&venv, &tell).args(["-m", "pyright"]).env("PYRIGHT_PYTHON_CACHE_DIR", pyright))?;
    pytest(log, &mut python(&venv, &tell), arguments)
}

/// Runs the tests on the real Engine with the package as it was built by [`test()`].
pub(crate) fn on_engine(log: &Log, tell: impl Fn(&mut Command)) -> Result<(), Failure> {
    pytest(log, &mut python(&environment(log, VENV)?, &tell), &[ON_ENGINE.to_owned()])
}

fn python(venv: &Path, tell: &impl Fn(&mut Command)) -> Command {
    let mut python = Command::new(venv.join("bin/python"));
    python.current_dir(repository::root()).env("VIRTUAL_ENV", venv);
    python.env(COMMAND, repository::target().join("debug/swarmsecrets"));
    tell(&mut python);
    python
}

fn pytest(log: &Log, python: &mut Command, arguments: &[String]) -> Result<(), Failure> {
    // With what good tests print too, for the leak scan.
    log.run(python.args(["-m", "pytest", "-q", "-rA"]).args(arguments))
}

/// Measures the package, built with optimizations, beside Rust and the `docker` package. Gives the table.
pub(crate) fn measure(log: &Log, programs: &[PathBuf]) -> Result<String, Failure> {
    let venv = environment(log, "python-bench")?;
    let nothing = |_: &mut Command| ();
    log.run(python(&venv, &nothing).args(["-m", "pip", "install", "--quiet", "docker>=7"]))?;
    log.run(python(&venv, &nothing).args(["-m", "maturin", "develop", "--release", "--locked", "--quiet"]))?;
    let mut script = python(&venv, &nothing);
    let ran = script.arg("benches/python/measure.py").args(programs).output();
    let ran = ran.map_err(|e| format!("cannot start the measurement: {e}"))?;
    match ran.status.success() {
        true => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
        false => Err(format!("the measurement failed: {}", String::from_utf8_lossy(&ran.stderr))),
    }
}

/// Builds the wheel with the system's toolchain, and tries it with each of these interpreters, in a new virtual environment,
/// outside of the repository and with no Rust on the path.
pub(crate) fn wheel(interpreters: &[String]) -> Result<(), Failure> {
    let scratch = repository::scratch();
    std::fs::create_dir_all(&scratch).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
    let log = Log::create(scratch.join("wheel.log"))?;
    let (wheels, venv) = (repository::target().join("wheels"), repository::target().join("wheel-venv"));
    let _ = std::fs::remove_dir_all(&wheels);
    let builder = environment(&log, VENV)?;
    let build = ["-m", "maturin", "build", "--release", "--locked", "--quiet", "--out"];
    log.run(python(&builder, &|_: &mut Command| ()).args(build).arg(&wheels))?;
    let mut built = Vec::new();
    repository::walk(&wheels, &mut built).map_err(|e| format!("cannot list {}: {e}", wheels.display()))?;
    let [wheel] = built.as_slice() else {
        return Err(format!("{} holds {} files: one is expected", wheels.display(), built.len()));
    };
    for interpreter in interpreters {
        log.run(Command::new(interpreter).args(["-m", "venv", "--clear"]).arg(&venv))?;
        let alone = |arguments: &[&OsStr]| {
            let mut python = Command::new(venv.join("bin/python"));
            log.run(python.args(arguments).current_dir(&scratch).env("PATH", "/usr/bin:/bin"))
        };
        let install = ["-m", "pip", "install", "--quiet", "--no-index"].map(OsStr::new);
        alone(&[&install[..], &[wheel.as_os_str()]].concat())?;
        alone(&[repository::root().join("examples/python/rotate.py").as_os_str()])?;
    }
    log.say(&format!("{} works with {}", wheel.display(), interpreters.join(", ")));
    Ok(())
}

/// A virtual environment, made where there is none.
fn environment(log: &Log, name: &str) -> Result<PathBuf, Failure> {
    let venv = repository::target().join(name);
    if !is_whole(&venv) {
        let made = log.run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        made.map_err(|e| format!("{e}; the Python tests need CPython 3.10 or newer with venv (package python3-venv)"))?;
    }
    log.run(Command::new(venv.join("bin/python")).args(["-m", "pip", "install", "--quiet", MATURIN]))?;
    Ok(venv)
}

fn is_whole(venv: &Path) -> bool {
    venv.join("bin/python").exists() && venv.join("bin/pip").exists()
}
