//! `sim serve`, and the command talking to it over HTTP as to a real Portainer.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::command::{Place, Run};

/// A simulated Portainer at work; it ends with this.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    keys: Value,
}

impl Served {
    pub(crate) fn start(place: &Place) -> Self {
        Self::with(place, &[])
    }

    /// The same with other arguments.
    pub(crate) fn with(place: &Place, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_swarmsecrets"))
            .args(["sim", "serve"])
            .args(arguments)
            .current_dir(place.root())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        let first = lines.next().unwrap();
        let url = first.split_whitespace().find_map(|word| word.strip_prefix("PORTAINER_URL=")).unwrap().to_owned();
        let keys = lines
            .take(2)
            .map(|line| {
                let key = line.split_once("PORTAINER_API_KEY=").unwrap().1.split(' ').next().unwrap().to_owned();
                (line.rsplit(' ').next().unwrap().to_owned(), Value::from(key))
            })
            .collect::<serde_json::Map<_, _>>();
        Self { child, url, keys: keys.into() }
    }

    /// Its host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The administrator's key.
    pub(crate) fn key(&self) -> &str {
        self.keys["admin"].as_str().unwrap()
    }

    pub(crate) fn run(&self, place: &Place, user: &str, line: &str) -> Run {
        let key = self.keys[user].as_str().unwrap();
        self.run_at(place, (&self.url, "1", key), line)
    }

    /// Runs a command that is told where the server is, which environment is meant, and a key.
    pub(crate) fn run_at(&self, place: &Place, (url, environment, key): (&str, &str, &str), line: &str) -> Run {
        let settings = [("PORTAINER_URL", url), ("PORTAINER_API_KEY", key), ("PORTAINER_ENDPOINT", environment)];
        let run = place.with(line, &settings, b"");
        assert!(!run.stdout.contains(key) && !run.stderr.contains(key), "the key is shown: {run:?}");
        run
    }
}

impl Served {
    /// A process that works on it on behalf of the administrator, and is not waited for.
    pub(crate) fn spawn(&self, place: &Place, line: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsecrets"));
        command.args(line.split(' ')).current_dir(place.root()).env_clear().env("PORTAINER_URL", &self.url);
        command.env("PORTAINER_API_KEY", self.key()).env("PORTAINER_ENDPOINT", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_rotation_over_http_is_the_same_as_any_other() {
    let (place, journal) = (Place::new(), "--journal journal");
    let served = Served::start(&place);
    let json = served.run(&place, "admin", "inventory --json").code(0).json();
    // The server says in each answer that it is a simulation.
    assert_eq!((&json["simulated"], &json["visibility"]), (&true.into(), &"full".into()));
    let line = format!("rotate report_password --value-file value --stability 1s --yes --json {journal}");
    let run = served.run(&place, "admin", &line).code(0);
    assert_eq!(run.json()["outcome"], "applied");
    let id = run.json()["rotation"].as_str().unwrap().to_owned();
    let retired = served.run(&place, "admin", &format!("retire --yes --json {journal}")).code(0).json();
    assert_eq!(retired["rotations"][0]["rotation"], id.as_str(), "it is looked at, and kept for its grace");
    let back = served.run(&place, "admin", &format!("rollback {id} --yes --json {journal}")).code(0).json();
    assert_eq!(back["outcome"], "rolled_back");
}

#[test]
fn a_scoped_account_sees_a_part_and_says_so() {
    let place = Place::new();
    let served = Served::start(&place);
    let run = served.run(&place, "svc-agent", "inventory").code(0);
    assert!(run.stdout.contains("PARTIAL VIEW") && !run.stdout.contains("site.key"), "{run:?}");
    let json = served.run(&place, "svc-agent", "inventory --json").code(0).json();
    assert_eq!(json["visibility"], "partial");
    assert!(!json.to_string().contains("\"unused\""));
}

#[test]
fn a_wrong_key_is_said() {
    let place = Place::new();
    let mut served = Served::start(&place);
    served.keys["admin"] = "ptr_wrong-made-up".into();
    let run = served.run(&place, "admin", "inventory --json").code(1).says("API key");
    assert_eq!(run.json()["error"]["kind"], "unauthorized");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_in_good_order_and_resume_goes_on() {
    let place = Place::new();
    let served = Served::start(&place);
    let line = "rotate db_password --value-file value --stability 2s --yes --json --journal journal";
    let mut child = served.spawn(&place, line);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(said.any(|line| line.contains("updating")), "the first service was never begun");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(said.any(|line| line.contains("the service in hand is finished or put back")));
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcomes: Vec<&str> =
        report["consumers"].as_array().unwrap().iter().map(|c| c["outcome"].as_str().unwrap()).collect();
    // The one in hand was brought to an end, one way or the other, and the second one was not begun.
    assert!(!outcomes.contains(&"in_progress") && outcomes.contains(&"not_started"), "{report:#}");
    let id = report["rotation"].as_str().unwrap();
    let resumed = served.run(&place, "admin", &format!("resume {id} --yes --json --journal journal")).json();
    assert!(
        ["applied", "awaiting_patch", "rolled_back"].contains(&resumed["outcome"].as_str().unwrap()),
        "{resumed:#}"
    );
}

/// A place with a policy that has the trail signed, and written to another folder as well.
fn audited(place: &Place) -> String {
    let path = |name: &str| place.path(name).display().to_string();
    let public = place.run("keygen key --json").code(0).json()["key"].as_str().unwrap().to_owned();
    let policy = format!(
        "schema = 1\nphase = 'automated'\n[audit]\ncheckpoint_key = '{}'\ncheckpoint_file = '{}'\n\
         [[audit.sinks]]\nname = 'archive'\nkind = 'file'\nfolder = '{}'\n\
         [[audit.sinks]]\nname = 'mirror'\nkind = 'file'\nfolder = '{}'\nmay_lag = 100\n",
        path("key"),
        path("checkpoint"),
        path("archive"),
        path("mirror"),
    );
    std::fs::write(place.path("policy.toml"), policy).unwrap();
    public
}

#[test]
fn the_sinks_of_a_policy_have_what_the_file_has_and_its_end_is_signed() {
    let place = Place::new();
    let (served, public) = (Served::start(&place), audited(&place));
    let line = "create new_secret --value-file value --journal journal --policy policy.toml --yes";
    let _ = served.run(&place, "admin", line).code(0);
    let text = |folder: &str| std::fs::read_to_string(place.path(&format!("{folder}/audit.jsonl"))).unwrap();
    assert!(text("journal").lines().count() >= 2);
    assert_eq!((text("archive"), text("mirror")), (text("journal"), text("journal")));
    let verify = format!("audit verify journal/audit.jsonl --checkpoint checkpoint --key {public}");
    let _ = place.run(&verify).code(0);
    // The last record is cut off: that is found, and nothing more is changed.
    let kept: Vec<String> = text("journal").lines().rev().skip(1).map(str::to_owned).collect();
    let kept: String = kept.iter().rev().map(|line| format!("{line}\n")).collect();
    std::fs::write(place.path("journal/audit.jsonl"), kept).unwrap();
    let _ = place.run(&verify).code(1).says("were cut off");
    let again = line.replace("new_secret", "other_secret");
    let _ = served.run(&place, "admin", &again).code(1).says("it was cut off or exchanged");
    assert_eq!(text("archive"), text("mirror"), "nothing was begun");
}

#[test]
fn a_sink_that_takes_no_record_stops_what_would_be_changed() {
    let place = Place::new();
    let served = Served::start(&place);
    let _ = audited(&place);
    let line = "create new_secret --value-file value --journal journal --policy policy.toml --yes";
    // Elsewhere: all files of the place are read to their end.
    let full = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", full.path().join("audit.jsonl")).unwrap();
    let policy = std::fs::read_to_string(place.path("policy.toml")).unwrap();
    let policy = policy.replace(place.path("archive").to_str().unwrap(), full.path().to_str().unwrap());
    std::fs::write(place.path("policy.toml"), &policy).unwrap();
    let run = served.run(&place, "admin", line).code(6);
    assert!(run.stdout.contains("1 of 2 audit sinks took the record, and 2 must: audit sink archive: "), "{run:?}");
    assert!(run.stdout.contains("No space left"), "{run:?}");
    let seen = served.run(&place, "admin", "inventory --json").code(0);
    assert!(!seen.stdout.contains("new_secret"), "{seen:?}");
    // A quorum lets the rest decide.
    std::fs::write(place.path("policy.toml"), policy.replace("[audit]\n", "[audit]\nquorum = 1\n")).unwrap();
    let run = served.run(&place, "admin", &line.replace("new_secret", "other_secret")).code(0);
    assert!(
        run.stderr.contains("warning: audit sinks lack records: ") && run.stderr.contains("archive"),
        "it is told: {run:?}"
    );
}

#[test]
fn a_simulated_world_writes_to_no_sink_of_a_policy() {
    let place = Place::new();
    let _ = audited(&place);
    let run = place.sim("create new_secret --value-file value --policy policy.toml --yes").code(0);
    assert!(run.stderr.contains("the audit sinks that the policy names are not written to"), "{run:?}");
    assert!(!place.path("archive").exists() && !place.path("checkpoint").exists());
}
