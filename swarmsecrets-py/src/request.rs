//! From what Python asks to what core is asked for.

use std::time::Duration;

use pyo3::prelude::*;
use swarmsecrets_core::Result;
use swarmsecrets_core::duration::parse_duration;
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::plan::{Allowances, Canary, Rollout, RotationRequest, Strategy, Timing, ValueRecipe};

use crate::error::{OrRaise as _, invalid};
use crate::generate::Generate;
use crate::secret_value::SecretValue;

/// A rotation as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
pub(crate) struct Asked<'py> {
    /// Each secret, with how its value is made, or nothing where it is handed over.
    secrets: Vec<(String, Option<PyRef<'py, Generate>>)>,
    strategy: String,
    grace: Duration,
    stability: Duration,
    deadline: Duration,
    canary: Option<String>,
    skip_canary: bool,
    concurrency: u32,
    failures: u32,
    after: Vec<(String, String)>,
    allow_jobs: bool,
    allow_redeploy: bool,
    allow_owner: bool,
    reason: Option<String>,
}

impl Asked<'_> {
    pub(crate) fn request(&self, agent: Option<String>) -> Result<RotationRequest> {
        let recipe = |generate: &Option<PyRef<'_, Generate>>| match generate {
            Some(generate) => ValueRecipe::Generate(generate.0.clone()),
            None => ValueRecipe::Supplied,
        };
        let secrets = self.secrets.iter().map(|(name, generate)| (name.clone(), recipe(generate)));
        Ok(RotationRequest {
            strategy: strategy(&self.strategy)?,
            timing: Timing { grace: self.grace, stability: self.stability, deadline: self.deadline },
            canary: match &self.canary {
                Some(service) => Canary::Service(service.clone()),
                None if self.skip_canary => Canary::Skipped,
                None => Canary::Labelled,
            },
            rollout: Rollout { concurrency: self.concurrency, failures: self.failures },
            after: self.after.clone(),
            allow: Allowances { jobs: self.allow_jobs, redeploy: self.allow_redeploy, owner: self.allow_owner },
            reason: self.reason.clone(),
            agent,
            ..RotationRequest::of(secrets)
        })
    }
}

fn strategy(word: &str) -> Result<Strategy> {
    [Strategy::Swap, Strategy::Overlap, Strategy::Revoke]
        .into_iter()
        .find(|strategy| strategy.word() == word)
        .ok_or_else(|| invalid(format!("`{word}` is no strategy: swap, overlap or revoke")))
}

/// Reads a duration as the command does.
#[pyfunction]
pub(crate) fn duration(py: Python<'_>, text: &str) -> PyResult<Duration> {
    let read = parse_duration(text);
    read.map_err(|why| invalid(format!("{} is no duration: {why}", quoted(text)))).or_raise(py)
}

/// Values that are handed over: one for the one secret that takes it, or each by its name.
#[derive(FromPyObject)]
pub(crate) enum Given<'py> {
    One(PyRef<'py, SecretValue>),
    Named(Vec<(String, PyRef<'py, SecretValue>)>),
}

impl Given<'_> {
    pub(crate) fn values(given: Option<Self>) -> Values {
        match given {
            None => Values::none(),
            Some(Self::One(value)) => Values::one(value.0.clone()),
            Some(Self::Named(values)) => {
                Values::named(values.iter().map(|(name, value)| (name.clone(), value.0.clone())))
            }
        }
    }
}
