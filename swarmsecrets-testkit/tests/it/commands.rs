//! Passwords that commands in a container change: each step, from each state of the system.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use swarmsecrets_core::credential::{CommandLines, Commands, Place, Way};
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::ids::TaskId;
use swarmsecrets_core::{ErrorKind, Result};

/// A system with one user, and commands that do what they say, or exit with a code before or after it.
struct System {
    /// Whether the old password logs in, and the new one.
    valid: Mutex<(bool, bool)>,
    /// What becomes of a command that changes something: whether it is done, and its exit code.
    changes: (bool, i64),
    up: bool,
    ran: Mutex<Vec<String>>,
}

#[async_trait]
impl Exec for System {
    async fn run(&self, _: &TaskId, command: &[String], _: Duration) -> Result<i64> {
        let mut valid = self.valid.lock().unwrap();
        let after = match command[0].as_str() {
            "test-old" => return Ok(i64::from(!(valid.0 && self.up))),
            "test-new" => return Ok(i64::from(!(valid.1 && self.up))),
            "set" => (false, true),
            "set-beside" => (true, true),
            "revoke" => (false, true),
            "undo" => (true, false),
            _ => return Ok(127),
        };
        self.ran.lock().unwrap().push(command[0].clone());
        if self.changes.0 {
            *valid = after;
        }
        Ok(self.changes.1)
    }
}

fn system(old: bool, new: bool) -> System {
    System { valid: Mutex::new((old, new)), changes: (true, 0), up: true, ran: Mutex::new(Vec::new()) }
}

fn line(program: &str) -> Vec<String> {
    vec![program.to_owned()]
}

fn lines(holds_two: bool) -> CommandLines {
    CommandLines {
        set: line(if holds_two { "set-beside" } else { "set" }),
        test_new: line("test-new"),
        test_old: line("test-old"),
        undo: line("undo"),
        revoke: holds_two.then(|| line("revoke")),
    }
}

fn task() -> TaskId {
    "t1".parse().unwrap()
}

/// What came of a step: its error's kind, who logs in then, and which commands were run.
async fn step(system: System, holds_two: bool, step: &str) -> (Option<ErrorKind>, (bool, bool), Vec<String>) {
    let commands = Commands::new("db", "app", lines(holds_two)).unwrap();
    let task = task();
    let place = Place { exec: &system, task: &task };
    let done = match step {
        "set" => commands.set(place).await,
        "revoke" => commands.revoke(place).await,
        _ => commands.undo(place).await,
    };
    let valid = *system.valid.lock().unwrap();
    (done.err().map(|error| error.kind()), valid, system.ran.into_inner().unwrap())
}

#[tokio::test]
async fn each_step_does_its_work_once() {
    for (holds_two, old, new, name, after, ran) in [
        (false, true, false, "set", (false, true), &["set"][..]),
        (true, true, false, "set", (true, true), &["set-beside"]),
        (true, true, true, "set", (true, true), &[]),
        (false, false, true, "set", (false, true), &[]),
        (true, true, true, "revoke", (false, true), &["revoke"]),
        (true, false, true, "revoke", (false, true), &[]),
        (false, false, true, "revoke", (false, true), &[]),
        (true, true, true, "undo", (true, false), &["undo"]),
        (false, false, true, "undo", (true, false), &["undo"]),
        (false, true, false, "undo", (true, false), &[]),
    ] {
        let found = step(system(old, new), holds_two, name).await;
        assert_eq!(found, (None, after, ran.iter().map(|r| (*r).to_owned()).collect()), "{name} from {old} {new}");
    }
}

#[tokio::test]
async fn what_counts_is_who_logs_in() {
    let kind = |system: System, name: &'static str| async move { step(system, false, name).await.0 };
    let said = |changes| System { changes, ..system(true, false) };
    assert_eq!(kind(said((true, 1)), "set").await, None, "it was done all the same");
    assert_eq!(kind(said((false, 1)), "set").await, Some(ErrorKind::Refused));
    let back = |changes| System { changes, ..system(false, true) };
    assert_eq!(kind(back((true, 1)), "undo").await, None);
    assert_eq!(kind(back((false, 0)), "undo").await, Some(ErrorKind::Refused), "it says so and has not");
    for name in ["set", "revoke", "undo"] {
        let down = System { up: false, ..system(true, false) };
        assert_eq!(step(down, true, name).await, (Some(ErrorKind::Unreachable), (true, false), vec![]));
    }
    // The last one would be ended.
    assert_eq!(kind(system(true, false), "revoke").await, Some(ErrorKind::Refused));
    assert_eq!(kind(system(true, true), "revoke").await, Some(ErrorKind::Refused), "no command ends it");
}

#[tokio::test]
async fn a_login_is_refused_only_while_the_other_works() {
    let commands = Commands::new("db", "app", lines(true)).unwrap();
    let task = task();
    for (old, new) in [(true, true), (true, false), (false, true)] {
        let system = system(old, new);
        let place = Place { exec: &system, task: &task };
        assert_eq!(commands.verify(place, false).await.works().unwrap(), old);
        assert_eq!(commands.verify(place, true).await.works().unwrap(), new);
    }
    let neither = system(false, false);
    let login = commands.verify(Place { exec: &neither, task: &task }, true).await;
    assert_eq!(login.works().unwrap_err().kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said() {
    let lines = CommandLines { test_new: line("nosuch"), ..lines(false) };
    let commands = Commands::new("db", "app", lines).unwrap();
    let system = system(true, false);
    let error = commands.set(Place { exec: &system, task: &task() }).await.unwrap_err();
    assert_eq!(error.to_string(), "`nosuch` could not be run in `db` (exit code 127)");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn the_account_tells_the_commands_apart_and_shows_none() {
    let account = |lines| Commands::new("shop_db", "app", lines).unwrap().account();
    let (one, two) = (account(lines(false)), account(lines(true)));
    assert_eq!(one.to_string(), "user app of service `shop_db`");
    assert_eq!((one.way, two.way), (Way::Replaces, Way::HoldsTwo));
    let provider = one.provider.unwrap();
    assert_eq!((provider.service.as_str(), provider.commands.len()), ("shop_db", 64));
    assert_ne!(provider.commands, two.provider.unwrap().commands);
    let error = Commands::new("db", "app", CommandLines { undo: vec![], ..lines(false) }).unwrap_err();
    assert!(error.to_string().starts_with("`undo`: the command is empty"), "{error}");
}
