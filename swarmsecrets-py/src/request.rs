//! From what Python asks to what core is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use pyo3::prelude::*;
use swarmsecrets_client::{Wanted, WantedFirst, Way};
use swarmsecrets_core::Result;
use swarmsecrets_core::duration::parse_duration;
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::plan::{Allowances, Strategy};

use crate::error::{OrRaise as _, invalid};
use crate::generate::Generate;
use crate::secret_value::SecretValue;

/// A rotation as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
pub(crate) struct Asked<'py> {
    /// Each secret, with how its value is made, or nothing where it is handed over.
    secrets: Vec<(String, Option<Made<'py>>)>,
    /// The group that is meant, where no secret is named.
    stack: Option<String>,
    labels: Vec<(String, String)>,
    way: Option<Made<'py>>,
    strategy: Option<String>,
    grace: Option<Duration>,
    stability: Option<Duration>,
    deadline: Option<Duration>,
    canary: Option<String>,
    skip_canary: bool,
    concurrency: Option<u32>,
    failures: Option<u32>,
    after: Vec<(String, String)>,
    allow_jobs: bool,
    allow_redeploy: bool,
    allow_owner: bool,
    reason: Option<String>,
}

impl Asked<'_> {
    pub(crate) fn wanted(&self) -> Result<Wanted> {
        Ok(Wanted {
            secrets: self.secrets.iter().map(|(name, _)| name.clone()).collect(),
            stack: self.stack.clone(),
            labels: self.labels.clone(),
            value: way(self.way.as_ref()),
            values: self.secrets.iter().map(|(name, own)| (name.clone(), way(own.as_ref()))).collect(),
            strategy: self.strategy.as_deref().map(strategy).transpose()?,
            grace: self.grace,
            stability: self.stability,
            deadline: self.deadline,
            canary: self.canary.clone(),
            skip_canary: self.skip_canary,
            concurrency: self.concurrency,
            failures: self.failures,
            after: self.after.clone(),
            allow: Allowances { jobs: self.allow_jobs, redeploy: self.allow_redeploy, owner: self.allow_owner },
            reason: self.reason.clone(),
        })
    }
}

/// How a value is made, as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
enum Made<'py> {
    Generate(PyRef<'py, Generate>),
    Source(Place),
}

/// `swarmsecrets.source.FromSource`.
#[derive(FromPyObject)]
struct Place {
    source: String,
    reference: String,
}

fn way(made: Option<&Made<'_>>) -> Option<Way> {
    Some(match made? {
        Made::Generate(generate) => Way::Generate(generate.0.clone()),
        Made::Source(Place { source, reference }) => Way::From { source: source.clone(), reference: reference.clone() },
    })
}

/// A first version as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
pub(crate) struct AskedFirst<'py> {
    name: String,
    way: Option<Made<'py>>,
    labels: BTreeMap<String, String>,
    reason: Option<String>,
}

impl AskedFirst<'_> {
    pub(crate) fn wanted(&self) -> WantedFirst {
        WantedFirst {
            name: self.name.clone(),
            value: way(self.way.as_ref()),
            labels: self.labels.clone(),
            reason: self.reason.clone(),
        }
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
