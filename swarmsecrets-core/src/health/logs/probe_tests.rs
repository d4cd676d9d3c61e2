//! The probe on logs as the Engine sends them.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::LogProbe;
use crate::clock::{Clock, Now};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::NoExec;
use crate::health::{Baseline, Health, HealthProbe, Target, TargetTask};
use crate::ids::EnvironmentId;
use crate::policy::Permit;
use crate::transport::{Chunks, Read, Response, Transport, Write, refusal};

const START: &str = "2026-11-21T12:00:00Z";
const VALUE: &str = "made-up-value-in-a-log";

/// A log that is always the same, or a refusal.
struct Log(Result<Vec<u8>, u16>);

#[async_trait]
impl Transport for Log {
    async fn read(&self, _: &Read) -> Result<Response> {
        Err(Error::new(ErrorKind::Protocol, "only logs are read"))
    }

    async fn stream(&self, request: &Read) -> Result<Box<dyn Chunks>> {
        assert!(request.view().path.ends_with("/services/pay1/logs"), "{request:?}");
        match &self.0 {
            Ok(log) => Ok(Box::new(Pieces(log.clone(), 0))),
            Err(status) => Err(refusal(request.view().what, *status, b"{\"message\":\"Access denied to resource\"}")),
        }
    }

    async fn write(&self, _: Write, _: Permit) -> Result<Response> {
        panic!("a log probe changes nothing")
    }

    fn simulated(&self) -> bool {
        true
    }
}

struct Pieces(Vec<u8>, usize);

#[async_trait]
impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let piece = self.0[self.1..].iter().take(1_000).copied().collect::<Vec<u8>>();
        self.1 += piece.len();
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// A clock that stands still, so many seconds after the start; each look at it may cost time.
struct Still(u64, std::sync::atomic::AtomicU64, u64);

impl Still {
    fn at(seconds: u64) -> Self {
        Self(seconds, 0.into(), 0)
    }
}

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Now {
        let spent = self.1.fetch_add(self.2, std::sync::atomic::Ordering::Relaxed);
        let mono = Duration::from_secs(self.0 + spent);
        Now { wall: START.parse::<Timestamp>().unwrap() + SignedDuration::try_from(mono).unwrap(), mono }
    }
    async fn sleep(&self, _: Duration) {}
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// The service with a task of this name that was created so many seconds after the start.
fn target(task: &str, created: u64) -> Target {
    Target {
        service: "pay1".parse().unwrap(),
        name: "pay".into(),
        stack: None,
        versions: vec!["db_v2".parse().unwrap()],
        tasks: vec![TargetTask { id: task.parse().unwrap(), node: None, created: Still::at(created).now().wall }],
    }
}

/// Frames of lines that a task wrote, one each second from `from` on.
fn log(task: &str, from: u64, lines: &[String]) -> Vec<u8> {
    let mut log = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let at = Still::at(from + n as u64).now().wall;
        let text = format!("{at:.9} com.docker.swarm.node.id=n,com.docker.swarm.task.id={task} {line}\n");
        log.extend([1, 0, 0, 0]);
        log.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        log.extend(text.as_bytes());
    }
    log
}

/// Ten minutes of `before` by the old task, then half a minute of `after` by the new one.
fn checked(before: &[String], after: Vec<u8>) -> Health {
    let taken = {
        let (transport, clock) = (Log(Ok(log("old1", 0, before))), Still::at(600));
        let probe = LogProbe::new(&transport, EnvironmentId(1), &clock).unwrap();
        ready(probe.baseline(&target("old1", 0), &NoExec)).unwrap()
    };
    assert!(!serde_json::to_string(&taken).unwrap().contains("made-up"), "a baseline holds no text of the log");
    check(&taken, Log(Ok(after)))
}

fn check(baseline: &Baseline, transport: Log) -> Health {
    let clock = Still::at(640);
    let probe = LogProbe::new(&transport, EnvironmentId(1), &clock).unwrap();
    let health = ready(probe.check(&target("new1", 610), baseline, &NoExec));
    assert!(!format!("{health:?}").contains(VALUE), "no value is shown: {health:?}");
    health
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> Vec<String> {
    (0..count).map(line).collect()
}

fn calm(count: usize) -> Vec<String> {
    lines(count, |n| format!("GET /orders/{n} 200 in {} ms", n * 7 % 90))
}

fn reason(health: Health) -> String {
    match health {
        Health::Unhealthy { reason } => format!("unhealthy: {reason}"),
        Health::Inconclusive { reason } => format!("inconclusive: {reason}"),
        Health::Healthy => "healthy".into(),
    }
}

#[test]
fn a_calm_log_is_healthy() {
    assert_eq!(checked(&calm(600), log("new1", 610, &calm(30))), Health::Healthy);
    assert_eq!(checked(&[], Vec::new()), Health::Healthy);
}

#[test]
fn one_refused_credential_is_enough() {
    let line = format!("FATAL: password authentication failed for user \"app\" (tried {VALUE})");
    assert_eq!(
        reason(checked(&calm(600), log("new1", 610, &[line]))),
        "unhealthy: the log of `pay` says that a credential is refused: 1 line, as PostgreSQL says \
         (`password authentication failed for user`)"
    );
}

#[test]
fn what_was_there_before_is_usual() {
    // A public server: somebody guesses every few seconds, before and after.
    let guess = |n: usize| match n % 3 {
        0 => format!("Failed password for root from 10.0.{n}.5 port 51234 ssh2"),
        _ => format!("GET /orders/{n} 200"),
    };
    assert_eq!(checked(&lines(600, guess), log("new1", 610, &lines(30, guess))), Health::Healthy);
    let all = lines(90, |n| guess(n * 3));
    let said = reason(checked(&lines(600, guess), log("new1", 610, &all)));
    assert!(said.starts_with("unhealthy") && said.contains("200 in the log before"), "{said}");
}

#[test]
fn noise_stays_healthy_and_new_errors_ask_a_person() {
    let noise = |n: usize| format!("ERROR order {n} of \"{VALUE}\" failed: timeout after {n}s");
    assert_eq!(checked(&lines(300, noise), log("new1", 610, &lines(15, noise))), Health::Healthy);
    let few = lines(3, |n| format!("ERROR warming up, attempt {n}"));
    assert_eq!(checked(&lines(300, noise), log("new1", 610, &few)), Health::Healthy, "a start has its complaints");
    let new = lines(25, |n| format!("ERROR cannot open the {VALUE} of {n}: connection reset"));
    assert_eq!(
        reason(checked(&lines(300, noise), log("new1", 610, &new))),
        "inconclusive: the log of `pay` has 25 error lines more than is usual for it; words of the log, as data: \
         25 times \"ERROR cannot open the … of … connection reset\": read the log and decide"
    );
    let words = ["red", "green", "blue", "black", "white", "pink", "grey", "brown"];
    let each = lines(30, |n| format!("ERROR {} {} gone", words[n % 8], words[n / 8]));
    let said = reason(checked(&calm(600), log("new1", 610, &each)));
    assert!(said.starts_with("inconclusive") && said.contains("30 error lines more"), "{said}");
}

#[test]
fn what_other_tasks_say_does_not_count() {
    let line = lines(9, |_| "FATAL: password authentication failed for user \"app\"".into());
    assert_eq!(checked(&calm(9), log("old1", 610, &line)), Health::Healthy);
}

#[test]
fn a_terminal_without_frames_is_read_too() {
    let framed = log("new1", 610, &["WRONGPASS invalid username-password pair or user is disabled.".into()]);
    assert!(reason(checked(&calm(9), framed[8..].to_vec())).starts_with("unhealthy"));
}

#[test]
fn a_log_that_cannot_be_read_is_inconclusive() {
    let transport = Log(Err(403));
    let clock = Still::at(600);
    let probe = LogProbe::new(&transport, EnvironmentId(1), &clock).unwrap();
    let error = ready(probe.baseline(&target("old1", 0), &NoExec)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);

    let empty =
        ready(LogProbe::new(&Log(Ok(vec![])), EnvironmentId(1), &clock).unwrap().baseline(&target("old1", 0), &NoExec));
    let said = reason(check(&empty.unwrap(), Log(Err(403))));
    assert!(said.starts_with("inconclusive: cannot read the logs of service pay1: Access denied"), "{said}");

    let said = reason(checked(&[], [log("new1", 610, &calm(1)), b"garbage in between".to_vec()].concat()));
    assert_eq!(said, "inconclusive: the log of `pay` is no stream of log lines");

    let mut gap = log("new1", 610, &calm(1));
    gap[0] = 3;
    let said = reason(checked(&[], gap));
    assert!(said.starts_with("inconclusive: the Engine could not read a part of the log"), "{said}");

    let said = reason(check(&Baseline::of(&"another's").unwrap(), Log(Ok(vec![]))));
    assert!(said.starts_with("inconclusive: the baseline was not taken by this probe"), "{said}");
}

#[test]
fn a_service_without_tasks_is_inconclusive() {
    let (transport, clock) = (Log(Ok(vec![])), Still::at(640));
    let probe = LogProbe::new(&transport, EnvironmentId(1), &clock).unwrap();
    let none = Target { tasks: vec![], ..target("new1", 610) };
    let baseline = ready(probe.baseline(&none, &NoExec)).unwrap();
    let said = reason(ready(probe.check(&none, &baseline, &NoExec)));
    assert_eq!(said, "inconclusive: `pay` runs no task whose log could be read");
}

#[test]
fn a_log_without_end_is_given_up() {
    let transport = Log(Ok(log("new1", 610, &calm(2_000))));
    let clock = Still(640, 0.into(), 1);
    let probe = LogProbe::new(&transport, EnvironmentId(1), &clock).unwrap().deadline(Duration::from_secs(20));
    let baseline = Baseline::of(&super::tally::Counts::default()).unwrap();
    let said = reason(ready(probe.check(&target("new1", 610), &baseline, &NoExec)));
    assert_eq!(said, "inconclusive: the log of `pay` is too long to be read in time");
}

#[test]
fn a_large_log_of_ever_new_errors_leaves_a_small_baseline() {
    let letters = |n: usize| ["a", "e", "i", "o", "u", "y", "k", "s", "t", "n"][n % 10];
    let word = |n: usize| [letters(n), letters(n / 10), letters(n / 100), letters(n / 1000)].concat();
    let ever_new = lines(4_000, |n| format!("error {} {}", word(n), "x".repeat(400)));
    let (transport, clock) = (Log(Ok(log("old1", 0, &ever_new))), Still::at(600));
    let probe = LogProbe::new(&transport, EnvironmentId(1), &clock).unwrap();
    let taken = ready(probe.baseline(&target("old1", 0), &NoExec)).unwrap();
    let counts: super::tally::Counts = taken.read().unwrap();
    assert_eq!((counts.errors.len(), counts.all_errors()), (512, 4_000));
}
