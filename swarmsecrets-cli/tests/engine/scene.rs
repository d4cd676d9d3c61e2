//! What a test plays on: secrets and services whose names are its own, gone when it ends.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::RwLock;

use serde_json::{Value, json};

use crate::{docker, place};

/// `swarmsecrets retire` also removes what rotations of others have left when their grace is over, and these can then not go back
/// any more. Written by who runs it, read by who has such a rotation and must not meet it.
pub(crate) static RETIRING: RwLock<()> = RwLock::new(());

/// Runs until it is told to stop, and then stops at once.
const SERVE: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

/// Leaves with 3 unless the value is a good one.
pub(crate) const PICKY: &str =
    r#"case "$(cat /run/secrets/pw)" in good*) ;; *) echo "FATAL: password authentication failed"; exit 3 ;; esac"#;

/// One test's corner of the Swarm.
pub(crate) struct Scene {
    name: String,
    folder: PathBuf,
}

/// A service to create.
pub(crate) struct Service<'a> {
    /// Its name within the scene.
    pub(crate) name: &'a str,
    /// The secret that it mounts, as `docker service create --secret` takes it.
    pub(crate) secret: &'a str,
    /// The file at which the secret stands.
    pub(crate) target: &'a str,
    /// How many tasks it runs.
    pub(crate) replicas: usize,
    /// More flags.
    pub(crate) flags: &'a [&'a str],
    /// What it does before it serves, in shell.
    pub(crate) first: &'a str,
}

impl Scene {
    /// Sets one up. The name keeps it apart from all others.
    pub(crate) fn new(name: &str) -> Self {
        let folder = place::kept(name);
        // What an earlier run with the same folder left would be taken for this one's.
        std::fs::remove_dir_all(&folder).unwrap();
        Self { name: name.to_owned(), folder: place::kept(name) }
    }

    /// A name within this scene.
    pub(crate) fn own(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// Where the command keeps its journals in this scene.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// A new file in this scene's folder, for what is printed.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A value that no other test uses; the leak scan will look for it.
    pub(crate) fn value(&self, hint: &str) -> String {
        let value = format!("{hint}-made-up-for-{}-ünd-quote\"", self.name);
        swarmsecrets_testkit::values::record(value.as_bytes());
        value
    }

    /// Writes a value to a file for `--value-file`. It is not kept: the leak scan would find it.
    pub(crate) fn value_file(&self, value: &str) -> tempfile::TempPath {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(value.as_bytes()).unwrap();
        file.into_temp_path()
    }

    /// Creates a service and waits until it runs.
    pub(crate) fn serve(&self, wanted: &Service<'_>) -> String {
        let name = self.own(wanted.name);
        let replicas = format!("--replicas={}", wanted.replicas);
        let script = format!("{}\n{SERVE}", wanted.first);
        let secret = format!("source={},target={}", wanted.secret, wanted.target);
        let image = place::image();
        let mut args = vec!["service", "create", "--quiet", "--detach", "--no-resolve-image", "--endpoint-mode=dnsrr"];
        args.extend(["--update-monitor=1s", "--restart-delay=500ms", "--name", &name, "--secret", &secret, &replicas]);
        args.extend(wanted.flags);
        args.extend([image.as_str(), "sh", "-c", &script]);
        docker::docker(&args);
        docker::wait_for_containers(&name, wanted.replicas);
        name
    }

    /// Creates a service of one task that mounts a secret at `pw`.
    pub(crate) fn plain_service(&self, name: &str, secret: &str) -> String {
        self.serve(&Service { name, secret, target: "pw", replicas: 1, flags: &[], first: "" })
    }

    /// Fails unless all containers of these services read this value, and each service has some.
    pub(crate) fn assert_all_read(&self, services: &[String], value: &str) {
        for service in services {
            let read = docker::read_inside(service, "/run/secrets/pw");
            // Said without the values.
            assert!(!read.is_empty(), "{service} runs nothing");
            assert!(read.iter().all(|inside| inside == value), "{service} does not read the value that it should");
        }
    }

    /// The files of all journals of this scene.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let Ok(journals) = std::fs::read_dir(self.journal().join("rotations")) else { return Vec::new() };
        let journals = journals.flatten().map(|entry| entry.path());
        journals.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect()
    }

    /// The entries of all journals of this scene.
    pub(crate) fn journal_entries(&self) -> Vec<String> {
        let text: String = self.journals().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        text.lines().map(str::to_owned).collect()
    }
}

/// The references of a service to secrets.
pub(crate) fn references(service: &Value) -> &Vec<Value> {
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array().unwrap()
}

/// The spec with what a rotation may change blanked out.
pub(crate) fn but_for_the_secret(mut service: Value) -> Value {
    for reference in service["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array_mut().unwrap() {
        reference["SecretID"] = json!("");
        reference["SecretName"] = json!("");
    }
    service["Spec"].clone()
}

impl Drop for Scene {
    fn drop(&mut self) {
        let label = format!("name={}-", self.name);
        let services = docker::docker(&["service", "ls", "--filter", &label, "--format", "{{.Name}}"]);
        let services: Vec<&str> =
            services.lines().filter(|name| name.starts_with(&format!("{}-", self.name))).collect();
        if !services.is_empty() {
            let _ = docker::try_docker(&[&["service", "rm"], &services[..]].concat());
        }
        // What a service's last tasks still mount stays until the Engine goes.
        for secret in docker::secrets(&format!("{}-", self.name)) {
            let _ = docker::try_docker(&["secret", "rm", &secret]);
        }
    }
}
