//! Health probes, and the commands that they may run.

use std::sync::mpsc;
use std::time::Duration;

use async_trait::async_trait;
use pyo3::prelude::*;
use serde_json::json;
use swarmsecrets_core::exec::Exec;
use swarmsecrets_core::health::{Baseline, Health, HealthProbe, Target};
use swarmsecrets_core::ids::{TaskId, one_line};
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Plugin;
use crate::error::OrRaise as _;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;

/// `swarmsecrets.health.HealthProbe`.
pub(crate) struct Probe(pub(crate) Plugin);

impl Probe {
    /// Asks, and runs the commands that the probe wants run meanwhile.
    async fn ask(&self, method: &'static str, told: String, exec: &dyn Exec) -> Result<String> {
        let (want, mut wanted) = unbounded_channel();
        let call = self.0.begin(method, (told, Containers(want)));
        let answer = self.0.answer(method, call);
        tokio::select! {
            answer = answer => answer,
            never = run(&mut wanted, exec) => match never {},
        }
    }
}

/// What a probe is told of the service.
fn told(target: &Target, baseline: Option<&Baseline>) -> String {
    let task = |task: &swarmsecrets_core::health::TargetTask| json!({"id": task.id, "node": task.node, "created": task.created});
    json!({
        "id": target.service,
        "service": target.name,
        "stack": target.stack,
        "versions": target.versions,
        "tasks": target.tasks.iter().map(task).collect::<Vec<_>>(),
        "baseline": baseline.map(|seen| String::from(seen.clone())),
    })
    .to_string()
}

#[async_trait]
impl HealthProbe for Probe {
    fn name(&self) -> &str {
        &self.0.told
    }

    async fn baseline(&self, target: &Target, exec: &dyn Exec) -> Result<Baseline> {
        self.ask("baseline", told(target, None), exec).await?.try_into()
    }

    async fn check(&self, target: &Target, baseline: &Baseline, exec: &dyn Exec) -> Health {
        let said = self.ask("check", told(target, Some(baseline)), exec).await;
        let read = said.and_then(|said| {
            serde_json::from_str(&said).map_err(|e| Error::new(ErrorKind::Protocol, format!("{}: {e}", self.0.what)))
        });
        match read {
            Ok(Health::Healthy) => Health::Healthy,
            Ok(Health::Unhealthy { reason }) => Health::unhealthy(one_line(&reason, LONGEST_REASON)),
            Ok(Health::Inconclusive { reason }) => Health::inconclusive(one_line(&reason, LONGEST_REASON)),
            Err(error) => Health::inconclusive(one_line(error.message(), LONGEST_REASON)),
        }
    }
}

/// A command that a probe wants run, and where its exit code goes.
pub(crate) struct Wanted {
    task: TaskId,
    command: Vec<String>,
    deadline: Duration,
    done: mpsc::Sender<Result<i64>>,
}

/// Runs what is wanted, until the probe has answered.
async fn run(wanted: &mut UnboundedReceiver<Wanted>, exec: &dyn Exec) -> std::convert::Infallible {
    loop {
        match wanted.recv().await {
            Some(want) => drop(want.done.send(exec.run(&want.task, &want.command, want.deadline).await)),
            None => std::future::pending().await,
        }
    }
}

/// Runs commands in the containers of tasks, while a probe is asked.
#[pyclass(frozen, module = "swarmsecrets._native")]
pub(crate) struct Containers(UnboundedSender<Wanted>);

#[pymethods]
impl Containers {
    /// Runs a command in the container of a task, waits for its end, and gives its exit code.
    fn run(&self, py: Python<'_>, task: &str, command: Vec<String>, deadline: Duration) -> PyResult<i64> {
        let (done, code) = mpsc::channel();
        let want = Wanted { task: TaskId::new(task).or_raise(py)?, command, deadline, done };
        let over = || Error::new(ErrorKind::Denied, "commands are run only while the probe is asked");
        self.0.send(want).map_err(|_| over()).or_raise(py)?;
        py.detach(move || code.recv()).unwrap_or_else(|_| Err(over())).or_raise(py)
    }
}
