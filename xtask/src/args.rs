//! The command line of `cargo xtask`.

/// The manual.
pub(crate) const USAGE: &str = "\
usage: cargo xtask test [--quick] [FILTER]
       cargo xtask sim [--seeds N] [--from K]
       cargo xtask engine [COMMAND…]
       cargo xtask servers [COMMAND…]
       cargo xtask python [ARGUMENT…]
       cargo xtask wheel [PYTHON…]
       cargo xtask bench [engine|python]

test    runs every check of the repository, in order: fmt, clippy, doc, deny, tests, Python, tests on a real Docker Engine,
        tests on real servers, leak scan. Installs what is missing first (docker.io, busybox-static, postgresql, mariadb-server,
        redis-server, OpenSearch, an OpenTelemetry Collector, cargo-deny).
        FILTER runs only the tests whose names contain it, with the leak scan.
        --quick leaves out deny, the real Engine and the real servers, and says so.
sim     plays N seeds (1000 unless said otherwise) of the deterministic simulation from seed K (0) on, on all cores, with
        optimizations, and prints what was simulated. A seed that fails is cut down, and printed with what happened in it.
engine  runs a command (without one, a shell) beside a real Docker Engine and the test gateway, whose places and keys stand
        in the variables SWARMSECRETS_TEST_*, and stops them when it ends.
servers runs a command (without one, a shell) beside a PostgreSQL, a MariaDB, a Redis, an OpenSearch and an OpenTelemetry
        Collector of its own, whose places and passwords stand in the variables SWARMSECRETS_TEST_*, and stops them when it ends.
python  builds the Python package into target/python, checks its types and runs its tests; arguments are for pytest.
wheel   builds the wheel of the Python package into target/wheels, and tries it with each PYTHON (python3 unless said otherwise) in
        a virtual environment of its own, without Rust on its path.
bench   measures and writes the tables in docs/performance.md: the benchmarks in benches/, or with `engine` a rotation on a
        real Engine beside the Docker client's own update of the same service, or with `python` the Python package beside
        Rust and the `docker` package.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Show the manual.
    Help,
    /// Run the tests.
    Test(Selection),
    /// Play seeds of the simulation.
    Sim(Seeds),
    /// Run a command beside a real Engine.
    Engine(Vec<String>),
    /// Run a command beside real servers.
    Servers(Vec<String>),
    /// Build and test the Python package.
    Python(Vec<String>),
    /// Build the wheel, and try it with these interpreters.
    Wheel(Vec<String>),
    /// Measure the code.
    Bench,
    /// Measure rotations on a real Engine.
    BenchEngine,
    /// Measure the Python package.
    BenchPython,
}

/// Which tests to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Leave out what takes long to set up.
    pub(crate) quick: bool,
    /// Run only the tests whose names contain this.
    pub(crate) filter: Option<String>,
}

/// Which seeds to play.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    /// How many.
    pub(crate) count: u64,
    /// The first.
    pub(crate) from: u64,
}

/// Reads the arguments after the program's name.
pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Task, String> {
    match args.next().as_deref() {
        None | Some("help" | "--help" | "-h") => Ok(Task::Help),
        Some("test") => selection(args).map(Task::Test),
        Some("sim") => seeds(args).map(Task::Sim),
        Some("bench") => bench(args),
        Some("engine") => Ok(Task::Engine(args.collect())),
        Some("servers") => Ok(Task::Servers(args.collect())),
        Some("wheel") => {
            let named: Vec<String> = args.collect();
            Ok(Task::Wheel(if named.is_empty() { vec!["python3".to_owned()] } else { named }))
        }
        Some("python") => Ok(Task::Python(args.collect())),
        Some(other) => Err(format!("there is no task `{other}`")),
    }
}

fn bench(mut args: impl Iterator<Item = String>) -> Result<Task, String> {
    match (args.next().as_deref(), args.next()) {
        (None, _) => Ok(Task::Bench),
        (Some("engine"), None) => Ok(Task::BenchEngine),
        (Some("python"), None) => Ok(Task::BenchPython),
        _ => Err("`bench` takes nothing, `engine` or `python`".into()),
    }
}

fn seeds(mut args: impl Iterator<Item = String>) -> Result<Seeds, String> {
    let mut seeds = Seeds { count: 1_000, from: 0 };
    while let Some(flag) = args.next() {
        let place = match flag.as_str() {
            "--seeds" => &mut seeds.count,
            "--from" => &mut seeds.from,
            _ => return Err(format!("`sim` has no argument `{flag}`")),
        };
        let number = args.next().ok_or_else(|| format!("{flag} needs a number"))?;
        *place = number.parse().map_err(|_| format!("{flag} needs a number, not `{number}`"))?;
    }
    Ok(seeds)
}

fn selection(args: impl Iterator<Item = String>) -> Result<Selection, String> {
    let mut selection = Selection::default();
    for arg in args {
        match arg.as_str() {
            "--quick" => selection.quick = true,
            flag if flag.starts_with('-') => return Err(format!("`test` has no flag `{flag}`")),
            _ if selection.filter.is_some() => return Err(format!("one filter is enough: `{arg}` is a second")),
            _ => selection.filter = Some(arg),
        }
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_filter_and_a_flag_may_stand_in_any_order() {
        let wanted = Task::Test(Selection { quick: true, filter: Some("retire".into()) });
        assert_eq!(parsed("test retire --quick").as_ref(), Ok(&wanted));
        assert_eq!(parsed("test --quick retire").as_ref(), Ok(&wanted));
    }

    #[test]
    fn seeds_are_counted_from_the_first() {
        assert_eq!(parsed("sim").unwrap(), Task::Sim(Seeds { count: 1_000, from: 0 }));
        assert_eq!(parsed("sim --from 7 --seeds 3").unwrap(), Task::Sim(Seeds { count: 3, from: 7 }));
        assert!(parsed("sim --seeds").is_err() && parsed("sim --seeds many").is_err() && parsed("sim 3").is_err());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(parsed("tset").is_err());
        assert!(parsed("test --quik").is_err());
        assert!(parsed("test one two").is_err());
        assert!(parsed("bench all").is_err());
    }
}
