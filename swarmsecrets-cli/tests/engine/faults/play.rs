//! One schedule: a secret with its services, and the command run until the rotation is over.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use swarmsecrets_testkit::faults::{Mishap, Point, Proxy, Script, What};

use crate::scene::{PICKY, Scene, Service};
use crate::{command, docker, place};

/// Longer than any run should take, a lost answer and a rollback included.
const LIMIT: Duration = Duration::from_secs(240);
/// How many runs without faults may be needed until it is over.
const QUIET_RUNS: usize = 3;

/// A schedule and what became of it.
pub(super) struct Play {
    pub(super) script: Script,
    pub(super) scene: Scene,
    pub(super) secret: String,
    pub(super) services: Vec<String>,
    pub(super) old: String,
    pub(super) new: String,
    /// The services as the Engine had them before.
    pub(super) before: Vec<Value>,
    proxy: Proxy,
    met: Vec<(What, String)>,
    story: String,
}

/// How a run of the command ended.
enum Ended {
    Killed,
    /// The exit code, and what stood on standard output.
    Said(i32, Value),
}

impl Play {
    /// Sets the scene. Nothing goes wrong here.
    pub(super) fn set(seed: u64, script: Script, runtime: &tokio::runtime::Handle) -> Self {
        let scene = Scene::new(&format!("faults-{seed}"));
        let (old, hint) = (scene.value("good-old"), if script.bad_value { "wrong" } else { "good-new" });
        let new = scene.value(hint);
        let secret = scene.own("db");
        docker::create_secret(&secret, &old);
        let services: Vec<String> = script
            .services
            .iter()
            .zip(["a", "b", "c"])
            .map(|(served, name)| {
                let action = format!("--update-failure-action={}", served.failure_action);
                scene.serve(&Service {
                    name,
                    secret: &secret,
                    target: "pw",
                    replicas: served.replicas,
                    flags: &[&action, "--rollback-monitor=1s"],
                    first: if served.picky { PICKY } else { "" },
                })
            })
            .collect();
        let before = services.iter().map(|name| docker::service(name)).collect();
        let url = place::url();
        let to: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let proxy = runtime.block_on(Proxy::start(to)).unwrap();
        let story = format!("seed {seed}: {script:#?}\n");
        Self { script, scene, secret, services, old, new, before, proxy, met: Vec::new(), story }
    }

    /// Rotates, and goes on until it is over. Gives the last report, unless the process that made it died.
    pub(super) fn run(&mut self) -> Option<Value> {
        let mut quiet = 0;
        for n in 0.. {
            if self.script.is_quiet_from(n) {
                self.wait_for_the_late();
                quiet += 1;
            }
            assert!(quiet <= QUIET_RUNS, "it is not over after {QUIET_RUNS} runs in which nothing went wrong");
            let begun = !self.scene.journal_entries().is_empty();
            match self.run_once(n, begun) {
                Ended::Killed => {}
                Ended::Said(_, said) if begun && nothing_is_left(&said) => {
                    self.wait_for_the_late();
                    return None;
                }
                Ended::Said(code, said) if is_over(&said) => {
                    assert_eq!(code, exit_of(&said), "the exit code says something else than the report");
                    self.wait_for_the_late();
                    return Some(said);
                }
                Ended::Said(..) => {}
            }
        }
        None
    }

    /// All that happened, for a person.
    pub(super) fn story(&self) -> &str {
        &self.story
    }

    /// What went wrong.
    pub(super) fn met(&self) -> &[(What, String)] {
        &self.met
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.story, "  {line}").unwrap();
    }

    fn wait_for_the_late(&self) {
        docker::wait_until("all that was sent has arrived", || !self.proxy.is_busy());
    }

    fn run_once(&mut self, n: usize, begun: bool) -> Ended {
        let mishaps = self.script.in_run(n);
        self.proxy.arm(mishaps.clone());
        let death = mishaps.iter().find(|mishap| mishap.at == Point::Journal);
        let ended = self.process(n, begun, death);
        let met = self.proxy.met();
        for (what, at) in &met {
            self.tell(&format!("run {n}: {what:?} at: {at}"));
        }
        self.met.extend(met);
        let events = self.scene.journal_entries().len();
        self.tell(&match &ended {
            Ended::Killed => format!("run {n}: died; the journal has {events} entries"),
            Ended::Said(code, said) => format!("run {n}: exit {code}, {said}; the journal has {events} entries"),
        });
        ended
    }

    fn process(&mut self, n: usize, begun: bool, death: Option<&Mishap>) -> Ended {
        let file = self.scene.value_file(&self.new);
        let journal = self.scene.journal();
        let grace = if self.script.grace { "24h" } else { "0s" };
        let value = file.to_str().unwrap();
        let args = if begun {
            vec!["resume", "--yes", "--journal", journal.to_str().unwrap(), "--value-file", value]
        } else {
            command::rotate_args(&self.secret, &file, grace, &journal)
        };
        let [out, err] = ["out", "err"].map(|end| self.scene.file(&format!("{n}.{end}")));
        let mut command = command::prepare(&place::admin_key(), &args);
        command.env("PORTAINER_URL", self.proxy.url());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(err).unwrap());
        let already = self.scene.journal_entries().len();
        let last = death.map(|death| already + 1 + usize::try_from(death.nth).unwrap());
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            let fatal = last.is_some_and(|last| self.scene.journal_entries().len() >= last);
            let late = Instant::now() > deadline;
            if fatal || late || self.proxy.crashed() {
                child.kill().unwrap();
                child.wait().unwrap();
                assert!(!late, "the command does not end");
                if let Some(death) = death.filter(|_| fatal) {
                    self.tell(&format!(
                        "run {n}: {:?} after {} more entries of the journal",
                        death.what,
                        death.nth + 1
                    ));
                    self.met.push((death.what.clone(), "the journal".into()));
                    self.tear(&death.what);
                }
                break None;
            }
            std::thread::sleep(Duration::from_millis(if death.is_some() { 1 } else { 20 }));
        };
        let Some(status) = status else { return Ended::Killed };
        let said = std::fs::read_to_string(out).unwrap();
        Ended::Said(status.code().unwrap_or(-1), serde_json::from_str(&said).unwrap_or(Value::Null))
    }

    /// What is left of an entry that was being written when the power went.
    fn tear(&self, what: &What) {
        if let (What::Crash { torn: true }, [journal]) = (what, &self.scene.journals()[..]) {
            let whole = self.scene.journal_entries().pop().unwrap();
            let mut file = File::options().append(true).open(journal).unwrap();
            file.write_all(&whole.as_bytes()[..whole.len() / 2]).unwrap();
        }
    }
}

fn is_over(said: &Value) -> bool {
    let over = ["applied", "rolled_back", "not_started", "conflict"];
    let begun = said["rotation"].is_string();
    begun && said["outcome"].as_str().is_some_and(|outcome| over.contains(&outcome))
}

fn exit_of(said: &Value) -> i32 {
    match said["outcome"].as_str() {
        Some("applied") => 0,
        Some("conflict") => 5,
        _ => 1,
    }
}

/// Whether `resume` says that the rotation had ended before.
fn nothing_is_left(said: &Value) -> bool {
    said.to_string().contains("there is no rotation to go on with")
}
