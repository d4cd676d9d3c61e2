//! Passwords that commands change: what is refused, and what a person is asked.

use std::time::Duration;

use swarmsecrets_core::Error;
use swarmsecrets_core::plan::Strategy;
use swarmsecrets_core::rotation::Outcome;
use swarmsecrets_testkit::portainer::WireFault;
use swarmsecrets_testkit::sim::Program;

use super::super::commanded::{Play, tool};
use super::super::desk::OLD;
use super::page::Page;
use super::scenes::remove;

fn play() -> Play {
    Play::new(true, Program::runs())
}

async fn refused(play: &Play, service: &str) -> Error {
    match play.plan(service, Strategy::Overlap).await {
        Err(error) => error,
        Ok(plan) => play.apply(&plan, service).await.unwrap_err(),
    }
}

pub(super) async fn refusals(page: &mut Page) {
    page.refusal("commands in a service that does not mount it", &refused(&play(), "nosuch").await);
    let several = play();
    several.desk.edit("s0", |spec| spec["Mode"]["Replicated"]["Replicas"] = 2.into());
    several.desk.swarm.engine().run_for(Duration::from_secs(60));
    page.refusal("commands in a service of several tasks", &refused(&several, "s0").await);
    let far = play();
    far.desk
        .client
        .on_request(|view| view.path.ends_with("/containers/json").then(|| WireFault::Answer(200, "[]".into())));
    page.refusal("commands that do not reach their container", &refused(&far, "s0").await);
    let other = play();
    let plan = other.plan("s0", Strategy::Overlap).await.unwrap();
    let planned = Play { holds_two: false, ..other };
    page.refusal("other commands than those of the plan", &planned.apply(&plan, "s0").await.unwrap_err());
}

/// A rotation whose second service runs so, and whose tool answers a word so; to anything else it does its work.
async fn end(page: &mut Page, name: &str, outcome: Outcome, second: Program, (word, code): (&'static str, i64)) {
    let play = Play::new(true, second);
    let valid = play.valid.clone();
    play.desk.swarm.engine().command("passwd", move |called| {
        if called.arguments[0].starts_with(word) {
            return code;
        }
        i64::from(!tool(&mut valid.lock().unwrap(), called, true))
    });
    let report = play.rotate(Strategy::Overlap).await;
    page.end(name, &play.desk, outcome, &report).await;
}

pub(super) async fn ends(page: &mut Page) {
    let runs = Program::runs;
    let picky = Program::needs("db", OLD).exit(3);
    end(page, "a password that commands have changed", Outcome::Applied, runs(), ("nothing", 0)).await;
    end(page, "a command that does not set", Outcome::RolledBack, runs(), ("set", 1)).await;
    end(page, "a program that is not there", Outcome::RolledBack, runs(), ("test", 127)).await;
    end(page, "a command that does not revoke", Outcome::NeedsHuman, runs(), ("revoke", 1)).await;
    end(page, "a command that does not undo", Outcome::NeedsHuman, picky, ("undo", 1)).await;
    gone(page).await;
}

/// Somebody removes the service in which the old password was to be ended.
async fn gone(page: &mut Page) {
    let play = play();
    let valid = play.valid.clone();
    play.desk.swarm.engine().command("passwd", move |called| {
        i64::from(called.arguments[0].starts_with("revoke") || !tool(&mut valid.lock().unwrap(), called, true))
    });
    let stopped = play.rotate(Strategy::Overlap).await;
    remove(&play.desk, "services", "s0");
    let report = play.resume(&stopped).await;
    page.end("the service of the commands is gone", &play.desk, Outcome::NeedsHuman, &report).await;
}
