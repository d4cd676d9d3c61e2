//! From what Python asks to what core is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pyo3::prelude::*;
use swarmsecrets_core::duration::parse_duration;
use swarmsecrets_core::executor::Values;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::{
    Allowances, Canary, CreateRequest, Rollout, RotationRequest, Strategy, Timing, ValueRecipe,
};

use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_settings::Credentials;

use crate::error::{OrRaise as _, invalid};
use crate::generate::Generate;
use crate::secret_value::SecretValue;

/// A rotation as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
pub(crate) struct Asked<'py> {
    /// Each secret, with how its value is made, or nothing where it is handed over.
    secrets: Vec<(String, Option<PyRef<'py, Generate>>)>,
    /// The group that is meant, where no secret is named.
    stack: Option<String>,
    labels: Vec<(String, String)>,
    generate: Option<PyRef<'py, Generate>>,
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
    pub(crate) fn wanted(&self, agent: Option<String>) -> Result<Wanted> {
        let secrets = self.secrets.iter().map(|(name, generate)| (name.clone(), recipe(generate.as_ref())));
        let strategy = self.strategy.as_deref().map(strategy).transpose()?;
        let base = match strategy {
            Some(Strategy::Revoke) => RotationRequest::revoking(secrets),
            _ => RotationRequest::of(secrets),
        };
        let request = RotationRequest {
            timing: Timing {
                grace: self.grace.unwrap_or(base.timing.grace),
                stability: self.stability.unwrap_or(base.timing.stability),
                deadline: self.deadline.unwrap_or(base.timing.deadline),
            },
            canary: match &self.canary {
                Some(service) => Canary::Service(service.clone()),
                None if self.skip_canary => Canary::Skipped,
                None => Canary::Labelled,
            },
            rollout: Rollout {
                concurrency: self.concurrency.unwrap_or(base.rollout.concurrency),
                failures: self.failures.unwrap_or(base.rollout.failures),
            },
            after: self.after.clone(),
            allow: Allowances { jobs: self.allow_jobs, redeploy: self.allow_redeploy, owner: self.allow_owner },
            reason: self.reason.clone(),
            agent,
            ..base
        };
        Ok(Wanted {
            request,
            stack: self.stack.clone(),
            labels: self.labels.clone(),
            recipe: recipe(self.generate.as_ref()),
            strategy,
        })
    }
}

/// A rotation of which not everything is known before the world is read.
pub(crate) struct Wanted {
    request: RotationRequest,
    stack: Option<String>,
    labels: Vec<(String, String)>,
    recipe: ValueRecipe,
    strategy: Option<Strategy>,
}

impl Wanted {
    /// The rotation in this world, with those of a client's passwords that are its own.
    pub(crate) fn in_world(self, world: &Inventory, passwords: &Credentials) -> Result<RotationRequest> {
        let mut request = self.request;
        if request.secrets.is_empty() {
            let group = world.select(self.stack.as_deref(), &self.labels);
            request.secrets = group.into_iter().map(|secret| (secret.name.clone(), self.recipe.clone())).collect();
        }
        if request.secrets.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "no secret belongs to that group: see the inventory"));
        }
        let names: Result<BTreeSet<&str>> =
            request.secrets.iter().map(|(name, _)| Ok(world.find(name)?.name.as_str())).collect();
        let names = names?;
        request.credentials = passwords.accounts();
        request.credentials.retain(|secret, _| names.contains(secret.as_str()));
        request.strategy = self.strategy.unwrap_or(match request.credentials.is_empty() {
            true => Strategy::Swap,
            false => Strategy::Overlap,
        });
        Ok(request)
    }
}

fn recipe(generate: Option<&PyRef<'_, Generate>>) -> ValueRecipe {
    match generate {
        Some(generate) => ValueRecipe::Generate(generate.0.clone()),
        None => ValueRecipe::Supplied,
    }
}

/// A first version as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
pub(crate) struct AskedFirst<'py> {
    name: String,
    generate: Option<PyRef<'py, Generate>>,
    labels: BTreeMap<String, String>,
    reason: Option<String>,
}

impl AskedFirst<'_> {
    pub(crate) fn request(&self, agent: Option<String>) -> CreateRequest {
        CreateRequest {
            name: self.name.clone(),
            recipe: recipe(self.generate.as_ref()),
            labels: self.labels.clone().into_iter().collect(),
            reason: self.reason.clone(),
            agent,
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
