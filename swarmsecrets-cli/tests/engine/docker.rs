//! The Docker client, aimed at the tests' Engine: what a person at a manager node would see and do.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place;

fn client(args: &[&str]) -> Command {
    let mut docker = Command::new(place::docker());
    docker.arg("--host").arg(format!("unix://{}", place::socket())).args(args);
    docker
}

/// Runs the client; gives what it printed, or what it said when it failed.
pub(crate) fn try_docker(args: &[&str]) -> Result<String, String> {
    let ran = client(args).stdin(Stdio::null()).output().unwrap();
    match ran.status.success() {
        true => Ok(String::from_utf8(ran.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
    }
}

/// Runs the client with more environment variables; fails with what it said.
pub(crate) fn docker_with(args: &[&str], variables: &[(String, String)]) {
    let ran = client(args).envs(variables.iter().cloned()).stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Runs the client and gives what it printed.
pub(crate) fn docker(args: &[&str]) -> String {
    try_docker(args).unwrap_or_else(|said| panic!("docker {args:?}: {said}"))
}

/// Creates a secret; gives its id.
pub(crate) fn create_secret(name: &str, value: &str) -> String {
    let mut create = client(&["secret", "create", name, "-"]);
    let mut create = create.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    create.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    let ran = create.wait_with_output().unwrap();
    assert!(ran.status.success(), "docker secret create {name}");
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

/// The names of the secrets that begin so.
pub(crate) fn secrets(prefix: &str) -> Vec<String> {
    let listed = docker(&["secret", "ls", "--format", "{{.Name}}"]);
    let mut names: Vec<String> = listed.lines().filter(|name| name.starts_with(prefix)).map(str::to_owned).collect();
    names.sort();
    names
}

/// A service as the Engine has it.
pub(crate) fn service(name: &str) -> Value {
    let list: Value = serde_json::from_str(&docker(&["service", "inspect", name])).unwrap();
    list[0].clone()
}

/// The containers of a service that run now.
pub(crate) fn containers(service: &str) -> Vec<String> {
    let label = format!("label=com.docker.swarm.service.name={service}");
    let listed = docker(&["ps", "--filter", &label, "--filter", "status=running", "--format", "{{.ID}}"]);
    listed.lines().map(str::to_owned).collect()
}

/// What stands in a file inside each running container of a service.
pub(crate) fn read_inside(service: &str, path: &str) -> Vec<String> {
    containers(service).iter().map(|container| docker(&["exec", container, "cat", path])).collect()
}

/// Waits until a service runs as many containers, or fails with what its tasks say.
pub(crate) fn wait_for_containers(service: &str, count: usize) {
    wait_until(&format!("{service} runs {count} containers"), || {
        let running = containers(service).len() == count;
        running || {
            let told = docker(&["service", "ps", "--no-trunc", service]);
            assert!(!told.contains("Rejected"), "{told}");
            false
        }
    });
}

/// Waits for what must come true; fails when it takes longer than it ever should.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "after a minute it does not hold that {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
