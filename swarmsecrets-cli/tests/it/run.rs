//! `run`: a process that holds the API key, and commands that ask it.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::command::{Place, Run};

const AUTOMATED: &str = "schema = 1\nphase = 'automated'\n";
const TOKEN: &str = "made-up-token-of-a-caller-0123456789";

/// A server before the demo world. It ends with this.
struct Server {
    place: Place,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn start(policy: &str) -> Self {
        let place = Place::new();
        let root = place.root().to_string_lossy().into_owned();
        let policy = policy.replace("{root}", &root);
        for (name, text) in [
            ("policy.toml", policy.as_str()),
            ("token", TOKEN),
            (
                "callers.toml",
                "[callers.agent-7]\ntoken-file = 'token'\n[callers.looker]\ntoken-file = 'other'\nread-only = true\n",
            ),
            ("other", "made-up-token-of-a-looker-0123456789"),
        ] {
            std::fs::write(place.path(name), text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsecrets"));
        let words =
            "run --sim --sim-state world.json --callers callers.toml --socket socket --policy policy.toml --json";
        command.args(words.split(' ')).current_dir(place.root()).env_clear().env("HOME", place.root());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let server = Self { place, child };
        while std::os::unix::net::UnixStream::connect(server.place.path("socket")).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        server
    }

    fn ask_as(&self, token_file: &str, line: &str) -> Run {
        let address = format!("unix:{}", self.place.path("socket").display());
        self.place.with(line, &[("SWARMSECRETS_SERVER", &address), ("SWARMSECRETS_TOKEN_FILE", token_file)], b"")
    }

    fn ask(&self, line: &str) -> Run {
        self.ask_as("token", line)
    }

    /// Asks the server politely to end, and gives all that it has said.
    fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(&id).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        let mut said = String::new();
        for stream in [
            self.child.stdout.take().map(|s| Box::new(s) as Box<dyn std::io::Read>),
            self.child.stderr.take().map(|s| Box::new(s) as Box<dyn std::io::Read>),
        ] {
            stream.unwrap().read_to_string(&mut said).unwrap();
        }
        assert!(!self.place.path("socket").exists());
        said
    }

    fn trail(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.place.path("world.json.journal/audit.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn what_is_asked_is_done_and_told_as_if_the_key_were_here() {
    let server = Server::start(AUTOMATED);
    let seen = server.ask("inventory --json").code(0).json();
    assert!(seen["secrets"].as_array().unwrap().iter().any(|s| s["name"] == "report_password"));
    assert!(server.ask("inventory").code(0).stdout.contains("report_password"));
    let plan = server.ask("plan rotate report_password --generate 32 --out plan.json --json").code(0).json();
    assert_eq!(plan["agent"], "agent-7");
    let applied = server.ask("apply plan.json --yes --json").code(0).json();
    assert_eq!(applied["outcome"], "applied");
    let rotated = server.ask("rotate report_password --generate 32 --reason old --yes --json").code(0).json();
    assert_eq!(rotated["secrets"][0]["current"]["name"], "report_password_v3");
    let back = server.ask(&format!("rollback {} --yes --json", rotated["rotation"].as_str().unwrap()));
    assert_eq!(back.code(0).json()["outcome"], "rolled_back");
    assert_eq!(server.ask("create new_key --generate 32 --yes --json").code(0).json()["outcome"], "applied");
    assert!(server.ask("retire --yes --json").code(0).json()["rotations"].is_array());
    assert!(server.trail().iter().all(|entry| entry["record"]["actor"]["agent"] == "agent-7"), "{:?}", server.trail());
    let said = server.stop();
    assert!(!said.contains("made-up") && said.contains("\"callers\""), "{said}");
}

#[test]
fn what_is_not_allowed_or_not_offered_is_refused() {
    let server = Server::start(AUTOMATED);
    let _ = server.ask_as("other", "rotate report_password --generate 32 --yes").code(3).says("change nothing");
    std::fs::write(server.place.path("unknown"), "made-up-token-of-nobody-0123456789000").unwrap();
    let _ = server.ask_as("unknown", "inventory").code(1).says("does not know this token");
    for (line, part) in [
        ("rotate report_password --value-file value --yes", "cannot be handed over"),
        ("rotate report_password --value-from vault:x --yes", "is not at hand"),
        ("rotate report_password --generate 32 --yes --policy policy.toml", "its own journal and policy"),
        ("close r-0123456789abcdef0123 --reason x --yes", "does not offer"),
        ("inventory --secret report_password", "leave the other options out"),
        ("inventory --url https://p:9443", "so is a Portainer"),
        ("inventory --agent-id agent-8", "its token says who acts"),
    ] {
        let run = server.ask(line);
        assert!(run.code == 2, "{line}: {run:?}");
        let _ = run.says(part);
    }
    let lone = server.place.with("inventory", &[("SWARMSECRETS_SERVER", "unix:/x")], b"");
    let _ = lone.code(2).says("SWARMSECRETS_TOKEN_FILE");
    let foreign = server.place.sim("plan rotate report_password --generate 32 --out foreign.json --json");
    let _ = foreign.code(0);
    let _ = server.ask("apply foreign.json --yes").code(5).says("has not made that plan");
    assert_eq!(server.trail().len(), 2, "the attempts of the looker and with a plan of another's are told");
}

#[test]
fn people_approve_where_the_server_is() {
    let place = Place::new();
    let key = place.run("keygen alice.key --json").code(0).json()["key"].as_str().unwrap().to_owned();
    let policy = format!(
        "schema = 1\nphase = 'assisted'\n[approval]\nfolder = '{{root}}/requests'\nstate = '{{root}}/state'\n[[approval.approvers]]\nidentity = 'alice'\nkey = '{key}'\n"
    );
    let server = Server::start(&policy);
    let waiting = server.ask("rotate report_password --generate 32 --reason old --yes").code(4);
    let digest = waiting.stderr.rsplit("swarmsecrets apply ").next().unwrap().trim_end_matches(['`', '\n']).to_owned();
    let _ = server.ask(&format!("apply {digest} --yes")).code(4);
    let request = format!("requests/{digest}.request.json");
    let approve = format!("approve {request} --key {} --as alice --yes", place.path("alice.key").display());
    let _ = server.place.run(&approve).code(0);
    let applied = server.ask(&format!("apply {digest} --yes --json")).code(0).json();
    assert_eq!(applied["outcome"], "applied");
    let _ = server.ask(&format!("apply {digest} --yes")).code(5);
}

#[test]
fn what_may_not_be_begun_is_not_undone_either() {
    let place = Place::new();
    let done = place.sim("rotate report_password --value-file value --yes --json").code(0).json();
    std::fs::write(place.path("policy.toml"), "schema = 1\nphase = 'read-only'\n").unwrap();
    let id = done["rotation"].as_str().unwrap();
    let told = || std::fs::read_to_string(place.path("world.json.journal/audit.jsonl")).unwrap().lines().count();
    let before = told();
    for line in [format!("rollback {id} --yes"), format!("close {id} --reason seen --yes")] {
        let _ = place.sim(&format!("{line} --policy policy.toml --agent-id agent-7")).code(3).says("phase `read-only`");
    }
    assert_eq!(told(), before + 2, "both are told");
    let _ = place.sim(&format!("rollback {id} --policy policy.toml --yes")).code(0);
}

#[test]
fn a_server_says_what_it_lacks() {
    let place = Place::new();
    std::fs::write(place.path("callers.toml"), "[callers.a]\ntoken-file = 'token'\n").unwrap();
    for (token, more, part) in [
        ("short", "--socket s", "shorter than 32"),
        (TOKEN, "--listen 0.0.0.0:0", "other machines"),
        (TOKEN, "", "--socket"),
        (TOKEN, "--socket s --agent-id a", "--callers"),
        (TOKEN, "--socket value", "something else is there"),
    ] {
        std::fs::write(place.path("token"), token).unwrap();
        let run = place.run(&format!("run --sim --callers callers.toml {more}"));
        assert!(run.code == 2, "{more}: {run:?}");
        let _ = run.says(part);
    }
    let _ = place.run("run --callers callers.toml --socket s").code(2).says("PORTAINER_URL");
}
