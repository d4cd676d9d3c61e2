//! Installs what the tests need on a fresh Debian or Ubuntu.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;
use crate::log::Log;
use crate::privilege::root_command;
use crate::repository;

/// The version that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// The version of OpenSearch that the tests run on.
const OPENSEARCH: &str = "2.19.6";

/// The versions of the OpenTelemetry Collector that the tests run on: of its parts, and of those of them that are called stable.
const COLLECTOR: (&str, &str) = ("0.158.0", "1.64.0");

/// The programs of a real Docker Engine.
pub(crate) struct EngineTools {
    /// The daemon.
    pub(crate) dockerd: PathBuf,
    /// The client of the distribution's package, of the same age as the daemon.
    pub(crate) docker: PathBuf,
    /// A statically linked busybox: the one program of the test image.
    pub(crate) busybox: PathBuf,
}

/// Finds the Engine's programs, installing the packages that are missing.
pub(crate) fn engine_tools(log: &Log) -> Result<EngineTools, Failure> {
    let wanted: [(&str, &[&str]); 4] = [
        ("docker.io", &["/usr/sbin/dockerd", "/usr/bin/dockerd"]),
        // Newer releases ship the client apart; where it comes with docker.io, it is there by now.
        ("docker-cli", &["/usr/bin/docker"]),
        ("busybox-static", &["/usr/bin/busybox", "/bin/busybox"]),
        ("util-linux", &["/usr/bin/unshare"]),
    ];
    let mut updated = false;
    for (package, places) in wanted {
        if first(places).is_none() {
            apt_install(log, package, &mut updated)?;
        }
    }
    let place = |n: usize| {
        let (package, places): (&str, &[&str]) = wanted[n];
        first(places).ok_or_else(|| format!("package {package} is installed, but none of {places:?} is there"))
    };
    Ok(EngineTools { dockerd: place(0)?, docker: place(1)?, busybox: place(2)? })
}

/// The programs of the real servers.
pub(crate) struct ServerTools {
    /// The folder of PostgreSQL's programs, of the newest version that is there.
    pub(crate) postgres: PathBuf,
    /// Makes a folder that `mariadbd` can start on.
    pub(crate) mariadb_install: PathBuf,
    /// MariaDB.
    pub(crate) mariadbd: PathBuf,
    /// Redis.
    pub(crate) redis: PathBuf,
    /// OpenSearch, packed.
    pub(crate) opensearch: PathBuf,
    /// The folder of the Java that OpenSearch runs on.
    pub(crate) java_home: PathBuf,
    /// An OpenTelemetry Collector.
    pub(crate) collector: PathBuf,
}

/// Finds the servers' programs, installing the packages that are missing. The distribution's own services are not started.
pub(crate) fn server_tools(log: &Log) -> Result<ServerTools, Failure> {
    let mut updated = false;
    let mut program = |package: &str, find: &dyn Fn() -> Option<PathBuf>| {
        if find().is_none() {
            asleep(log, |log| apt_install(log, package, &mut updated))?;
        }
        find().ok_or_else(|| format!("package {package} is installed, but its programs are not where they should be"))
    };
    program("openssl", &|| first(&["/usr/bin/openssl"]))?;
    Ok(ServerTools {
        postgres: program("postgresql", &postgres_programs)?,
        mariadbd: program("mariadb-server", &|| first(&["/usr/sbin/mariadbd"]))?,
        mariadb_install: program("mariadb-server", &|| first(&["/usr/bin/mariadb-install-db"]))?,
        redis: program("redis-server", &|| first(&["/usr/bin/redis-server"]))?,
        java_home: program("openjdk-17-jre-headless", &java_home)?,
        opensearch: {
            program("unzip", &|| first(&["/usr/bin/unzip"]))?;
            program("maven", &|| first(&["/usr/bin/mvn"]))?;
            opensearch(log)?
        },
        collector: {
            let places = ["/usr/local/go/bin/go", "/usr/bin/go"];
            collector(log, &program("golang-go", &|| in_path("go").or_else(|| first(&places)))?)?
        },
    })
}

fn java_home() -> Option<PathBuf> {
    let there = std::fs::read_dir("/usr/lib/jvm").ok()?.flatten().map(|entry| entry.path());
    let of_17 =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("java-17-openjdk"));
    there.filter(of_17).find(|path| path.join("bin/java").exists())
}

/// Finds the distribution of OpenSearch, fetching it into `target/tools` once.
fn opensearch(log: &Log) -> Result<PathBuf, Failure> {
    let tools = repository::target().join("tools");
    let packed = tools.join(format!("opensearch-{OPENSEARCH}.zip"));
    if !packed.exists() {
        log.say("fetching OpenSearch with Maven: this takes a while, once");
        let artifact = format!("-Dartifact=org.opensearch.distribution.integ-test-zip:opensearch:{OPENSEARCH}:zip");
        let mut maven = Command::new("mvn");
        maven.args(["--batch-mode", "--quiet", "dependency:copy"]).arg(artifact);
        log.run(maven.arg(format!("-DoutputDirectory={}", tools.display())))?;
    }
    match packed.exists() {
        true => Ok(packed),
        false => Err(format!("Maven has fetched OpenSearch, but {} is not there", packed.display())),
    }
}

/// Finds the collector, building one into `target/tools` once, of the few parts that the tests need: it receives OTLP, asks for a token, and
/// writes what it gets to a file.
fn collector(log: &Log, go: &Path) -> Result<PathBuf, Failure> {
    let (parts, stable) = COLLECTOR;
    let tools = repository::target().join("tools");
    let program = tools.join(format!("otelcol-{parts}"));
    if program.exists() {
        return Ok(program);
    }
    log.say("building an OpenTelemetry Collector with Go: this takes some minutes, once");
    let build = tools.join("otelcol-build");
    let failed = |e: std::io::Error| format!("cannot write to {}: {e}", build.display());
    std::fs::create_dir_all(&build).map_err(failed)?;
    let contrib = "github.com/open-telemetry/opentelemetry-collector-contrib";
    let settings = format!(
        "dist:\n  name: otelcol\n  output_path: {build}\n  go: {go}\n\
         conf_resolver:\n  default_uri_scheme: file\n\
         receivers:\n  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v{parts}\n\
         exporters:\n  - gomod: {contrib}/exporter/fileexporter v{parts}\n\
         extensions:\n  - gomod: {contrib}/extension/bearertokenauthextension v{parts}\n\
         providers:\n  - gomod: go.opentelemetry.io/collector/confmap/provider/fileprovider v{stable}\n",
        build = build.join("out").display(),
        go = go.display(),
    );
    let kept = build.join("builder.yaml");
    std::fs::write(&kept, settings).map_err(failed)?;
    let mut builder = Command::new(go);
    builder.arg("run").arg(format!("go.opentelemetry.io/collector/cmd/builder@v{parts}")).arg("--config").arg(&kept);
    // All that Go fetches and builds is thrown away with the folder. An older Go fetches the one that the collector wants.
    builder.env("GOMODCACHE", build.join("modules")).env("GOCACHE", build.join("cache")).env("GOTOOLCHAIN", "auto");
    log.run(builder.env("GOFLAGS", "-modcacherw -buildvcs=false").current_dir(&build))
        .map_err(|e| format!("{e}; building the collector needs Go 1.21 or newer"))?;
    std::fs::rename(build.join("out/otelcol"), &program).map_err(failed)?;
    let _ = std::fs::remove_dir_all(&build);
    Ok(program)
}

fn in_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}

fn postgres_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let version = |dir: &PathBuf| dir.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let whole = versions.map(|entry| entry.path()).filter(|dir| dir.join("bin/postgres").exists());
    whole.max_by_key(version).map(|dir| dir.join("bin"))
}

/// Debian's switch: packages ask this program whether they may start their services.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Does something while no package starts a service, unless the machine has a policy of its own.
fn asleep(log: &Log, does: impl FnOnce(&Log) -> Result<(), Failure>) -> Result<(), Failure> {
    if Path::new(POLICY).exists() {
        return does(log);
    }
    let write = format!("printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}");
    log.run(root_command("sh").args(["-c", &write]))?;
    let done = does(log);
    log.run(root_command("rm").arg(POLICY))?;
    done
}

fn first(places: &[&str]) -> Option<PathBuf> {
    places.iter().map(PathBuf::from).find(|place| place.exists())
}

fn apt_install(log: &Log, package: &str, updated: &mut bool) -> Result<(), Failure> {
    let missing = |e: Failure| {
        format!(
            "{e}; the tests on a real Engine and on real servers need the package {package}: install it, or use `--quick` to leave them out"
        )
    };
    if !*updated {
        log.run(root_command("apt-get").args(["update", "--quiet"])).map_err(missing)?;
        *updated = true;
    }
    let install = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends", package];
    log.run(root_command("env").args(install)).map_err(missing)
}

/// Adds clippy and rustfmt where a minimal toolchain lacks them.
pub(crate) fn rust_components(log: &Log) -> Result<(), Failure> {
    for (subcommand, component) in [("clippy", "clippy"), ("fmt", "rustfmt")] {
        if !answers(Command::new("cargo").args([subcommand, "--version"])) {
            log.run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

/// Finds cargo-deny, building it into `target/tools` once where the machine has none.
pub(crate) fn cargo_deny(log: &Log) -> Result<PathBuf, Failure> {
    let tools = repository::target().join("tools");
    let own = tools.join("bin/cargo-deny");
    for candidate in [Path::new("cargo-deny"), &own] {
        if answers(Command::new(candidate).arg("--version")) {
            return Ok(candidate.to_owned());
        }
    }
    // Unoptimised: it is built more often than it is run.
    let mut install = Command::new("cargo");
    install.args(["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug", "--quiet", "--root"]);
    install.arg(&tools).env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_TARGET_DIR", tools.join("build"));
    log.run(&mut install)?;
    // Only the program is needed from now on.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    Ok(own)
}

fn answers(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
