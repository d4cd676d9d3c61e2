//! A rotation of one service beside `docker service update` of one like it, in turns, on the same real Engine.
//!
//! Both wait until Swarm has monitored the new task for as long as the service says and calls the update completed. Ours then
//! watches the tasks for the stability window, which is left out of its time.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::page;
use crate::engine::{Engine, Gateway, IMAGE};
use crate::log::Log;
use crate::{Failure, install, repository};

const ROUNDS: usize = 15;
/// The stability window, in seconds.
const WINDOW: f64 = 1.0;
const SERVE: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

/// Measures and writes the table.
pub(crate) fn engine() -> Result<(), Failure> {
    let scratch = repository::scratch();
    std::fs::create_dir_all(scratch.join("kept")).map_err(|e| format!("cannot make {}: {e}", scratch.display()))?;
    let log = Log::create(scratch.join("bench.log"))?;
    let tools = install::engine_tools(&log)?;
    log.run(Command::new("cargo").args(["build", "--package", "swarmsecrets-testkit"]))?;
    log.run(Command::new("cargo").args(["build", "--release", "--package", "swarmsecrets-cli"]))?;
    let engine = Engine::start(&log, tools)?;
    let gateway = Gateway::start(&log, &engine)?;

    for name in ["plain", "plain_other", "ours"] {
        secret(&engine, name)?;
    }
    service(&engine, "by-docker", "plain")?;
    service(&engine, "by-us", "ours")?;
    let (mut docker, mut ours) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let times = (by_docker(&engine, round)?, by_us(&gateway)?);
        log.say(&format!("round {round}: docker {:.2} s, swarmsecrets {:.2} s", times.0, times.1));
        // The first warms up both.
        if round > 0 {
            docker.push(times.0);
            ours.push(times.1);
        }
    }
    page::write("engine", &table(&docker, &ours))
}

fn secret(engine: &Engine, name: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| format!("cannot create secret {name}: {e}");
    let mut create = engine.command();
    let mut create = create.args(["secret", "create", name, "-"]).stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut input) = create.stdin.take() {
        input.write_all(b"made-up for a measurement").map_err(failed)?;
    }
    let status = create.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("cannot create secret {name}")) }
}

fn service(engine: &Engine, name: &str, secret: &str) -> Result<(), Failure> {
    let mount = format!("source={secret},target=pw");
    let create = ["service", "create", "--quiet", "--no-resolve-image", "--endpoint-mode=dnsrr", "--update-monitor=1s"];
    let what = ["--name", name, "--secret", &mount, IMAGE, "sh", "-c", SERVE];
    engine.docker(&[&create[..], &what].concat()).map(drop)
}

/// Moves the service to the other secret and back, by turns.
fn by_docker(engine: &Engine, round: usize) -> Result<f64, Failure> {
    let (from, to) = if round.is_multiple_of(2) { ("plain", "plain_other") } else { ("plain_other", "plain") };
    let add = format!("source={to},target=pw");
    let began = Instant::now();
    let update = ["service", "update", "--quiet", "--no-resolve-image"];
    engine.docker(&[&update[..], &["--secret-rm", from, "--secret-add", &add, "by-docker"]].concat())?;
    Ok(began.elapsed().as_secs_f64())
}

fn by_us(gateway: &Gateway) -> Result<f64, Failure> {
    let journal = repository::scratch().join("bench-journal");
    let mut rotate = Command::new(repository::target().join("release/swarmsecrets"));
    rotate.args(["rotate", "ours", "--generate", "length=32", "--stability", "1s", "--yes", "--json", "--journal"]);
    gateway.connect(rotate.arg(journal).stdin(Stdio::null()));
    let began = Instant::now();
    let ran = rotate.output().map_err(|e| format!("cannot start the command: {e}"))?;
    let took = began.elapsed().as_secs_f64();
    if ran.status.success() {
        return Ok(took);
    }
    Err(format!("the rotation failed: {}", String::from_utf8_lossy(&ran.stderr)))
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn table(docker: &[f64], ours: &[f64]) -> String {
    let ours: Vec<f64> = ours.iter().map(|took| took - WINDOW).collect();
    let ratios: Vec<f64> = docker.iter().zip(&ours).map(|(docker, ours)| ours / docker).collect();
    let (docker, ours) = (median(docker), median(&ours));
    format!(
        "| one service of one task, {ROUNDS} pairs | median |\n| --- | ---: |\n\
         | `docker service update --secret-rm … --secret-add …` | {docker:.2} s |\n\
         | `swarmsecrets rotate`, its stability window left out | {ours:.2} s |\n\
         | median of the paired ratios | {:.2} × |\n",
        median(&ratios)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_window_is_left_out_and_the_ratio_is_of_pairs() {
        let table = table(&[2.0, 1.0, 3.0], &[4.0, 2.5, 7.0]);
        assert!(table.contains("| 2.00 s |") && table.contains("| 3.00 s |"), "{table}");
        assert!(table.contains("| 1.50 × |"), "{table}");
    }
}
