//! Starts `dockerd` on a root of its own, makes it a swarm, and stops it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::image;
use crate::Failure;
use crate::install::EngineTools;
use crate::log::Log;
use crate::privilege::{root_command, user};
use crate::process::Daemon;
use crate::repository;

/// The image that every service of the tests runs.
pub(crate) const IMAGE: &str = "local/busybox:1";
/// What the kernel takes as the path of a socket.
const LONGEST_SOCKET_PATH: usize = 107;

/// Outside the namespaces: waits for what is inside to end, then removes the Engine's files.
const OUTSIDE: &str = r#"
data=$1; shift
unshare --mount --net --pid --fork --kill-child --mount-proc sh -c "$INSIDE" inside "$data" "$@"
rm -rf "$data"
"#;

/// Inside, as the first process: when it ends, the kernel ends all others. It lives as long as its standard input is open, and that
/// closes when `cargo xtask` ends, however that comes about. `/run` is covered, because Docker keeps its sockets there.
const INSIDE: &str = r#"
data=$1 busybox=$2; shift 2
mount -t tmpfs tmpfs /run || exit 1
"$busybox" ip link set lo up || exit 1
trap 'exit 1' TERM
( "$@" </dev/null; kill -TERM $$ ) &
daemon=$!
read -r _
trap '' TERM
kill -TERM "$(cat /run/dockerd.pid)"
( sleep 10; kill -KILL "$(cat /run/dockerd.pid)" ) &
wait $daemon
"#;

/// A running Engine. Dropping it stops it and removes what it stored.
pub(crate) struct Engine {
    /// Stops it when it is dropped.
    _daemon: Daemon,
    dir: PathBuf,
    socket: PathBuf,
    docker: PathBuf,
}

impl Engine {
    /// Starts it, empty, as a swarm of one node that has the test image.
    pub(crate) fn start(log: &Log, tools: EngineTools) -> Result<Self, Failure> {
        let started = Instant::now();
        let dir = repository::scratch().join("engine");
        // What a killed run left belongs to root.
        log.run(root_command("rm").arg("-rf").arg(&dir))?;
        std::fs::create_dir_all(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
        let socket = socket_path(&dir)?;
        let mut daemon = spawn(&dir, &socket, &tools)?;
        daemon.wait_until(|| answers(client(&tools.docker, &socket, &dir).arg("version")))?;
        let engine = Self { _daemon: daemon, dir, socket, docker: tools.docker };
        engine.docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"])?;
        image::import(&engine, &tools.busybox, IMAGE)?;
        let version = engine.docker(&["version", "--format", "{{.Server.Version}}"])?;
        log.say(&format!("Docker Engine {} is up after {:.1} s", version.trim(), started.elapsed().as_secs_f32()));
        Ok(engine)
    }

    /// The socket of its API.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The folder for what belongs to it.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The client's program.
    pub(crate) fn client(&self) -> &Path {
        &self.docker
    }

    /// The client, aimed at this Engine and at no setting of the user's.
    pub(crate) fn command(&self) -> Command {
        client(&self.docker, &self.socket, &self.dir)
    }

    /// Runs the client and gives what it printed.
    pub(crate) fn docker(&self, args: &[&str]) -> Result<String, Failure> {
        let what = format!("docker {}", args.join(" "));
        let ran = self.command().args(args).stdin(Stdio::null()).output();
        let ran = ran.map_err(|e| format!("cannot start `{what}`: {e}"))?;
        if ran.status.success() {
            return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
        }
        Err(format!("`{what}` failed: {}", String::from_utf8_lossy(&ran.stderr).trim()))
    }

    /// Tells a test where the Engine is.
    pub(crate) fn tell(&self, test: &mut Command) {
        test.env("SWARMSECRETS_TEST_SOCKET", &self.socket);
        test.env("SWARMSECRETS_TEST_DOCKER", &self.docker);
        test.env("SWARMSECRETS_TEST_IMAGE", IMAGE);
    }
}

/// The client, aimed at the Engine behind this socket and at no setting of the user's.
fn client(docker: &Path, socket: &Path, dir: &Path) -> Command {
    let mut docker = Command::new(docker);
    docker.arg("--host").arg(format!("unix://{}", socket.display()));
    docker.env("DOCKER_CONFIG", dir.join("client")).env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
    docker
}

fn answers(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|ran| ran.status.success())
}

fn socket_path(dir: &Path) -> Result<PathBuf, Failure> {
    let near = dir.join("docker.sock");
    if near.as_os_str().len() <= LONGEST_SOCKET_PATH {
        return Ok(near);
    }
    // The clone lies too deep for a socket.
    let dir = std::env::temp_dir().join(format!("swarmsecrets-engine-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    Ok(dir.join("docker.sock"))
}

fn spawn(dir: &Path, socket: &Path, tools: &EngineTools) -> Result<Daemon, Failure> {
    let config = dir.join("daemon.json");
    std::fs::write(&config, "{}").map_err(|e| format!("cannot write {}: {e}", config.display()))?;
    let data = dir.join("data");
    let mut engine = root_command("env");
    engine.arg(format!("INSIDE={INSIDE}")).args(["sh", "-c", OUTSIDE, "outside"]);
    engine.arg(&data).arg(&tools.busybox).arg(&tools.dockerd);
    engine.arg("--config-file").arg(&config).arg("--data-root").arg(&data);
    engine.arg("--host").arg(format!("unix://{}", socket.display()));
    engine.args([
        "--pidfile=/run/dockerd.pid",
        "--bridge=none",
        "--iptables=false",
        "--exec-opt=native.cgroupdriver=cgroupfs",
    ]);
    if let Some((_, group)) = user() {
        engine.arg(format!("--group={group}"));
    }
    Daemon::start("the Docker Engine".to_owned(), dir.join("dockerd.log"), &mut engine)
}
