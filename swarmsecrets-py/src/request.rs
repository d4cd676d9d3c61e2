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

use swarmsecrets_core::source::Sources;
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_settings::Credentials;

use crate::error::{OrRaise as _, invalid};
use crate::generate::Generate;
use crate::secret_value::SecretValue;

/// A rotation as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
pub(crate) struct Asked<'py> {
    /// Each secret, with how its value is made, or nothing where it is handed over.
    secrets: Vec<(String, Option<Way<'py>>)>,
    /// The group that is meant, where no secret is named.
    stack: Option<String>,
    labels: Vec<(String, String)>,
    way: Option<Way<'py>>,
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
        let strategy = self.strategy.as_deref().map(strategy).transpose()?;
        let base = match strategy {
            Some(Strategy::Revoke) => RotationRequest::revoking([]),
            _ => RotationRequest::of([]),
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
            secrets: self.secrets.iter().map(|(name, way)| (name.clone(), Origin::of(way.as_ref()))).collect(),
            stack: self.stack.clone(),
            labels: self.labels.clone(),
            each: Origin::of(self.way.as_ref()),
            strategy,
        })
    }
}

/// A rotation of which not everything is known before the world is read.
pub(crate) struct Wanted {
    request: RotationRequest,
    secrets: Vec<(String, Origin)>,
    stack: Option<String>,
    labels: Vec<(String, String)>,
    each: Origin,
    strategy: Option<Strategy>,
}

impl Wanted {
    /// The rotation in this world, with the versions that stand in the sources now and those of a client's passwords that are
    /// its own.
    pub(crate) async fn in_world(
        self,
        world: &Inventory,
        passwords: &Credentials,
        sources: &Sources,
    ) -> Result<RotationRequest> {
        let mut request = self.request;
        for (name, origin) in self.secrets {
            request.secrets.push((name, origin.recipe(sources).await?));
        }
        if request.secrets.is_empty() {
            let group = world.select(self.stack.as_deref(), &self.labels);
            let recipe = self.each.recipe(sources).await?;
            request.secrets = group.into_iter().map(|secret| (secret.name.clone(), recipe.clone())).collect();
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

/// How a value is made, as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
enum Way<'py> {
    Generate(PyRef<'py, Generate>),
    Source(Place),
}

/// `swarmsecrets.source.FromSource`.
#[derive(FromPyObject)]
struct Place {
    source: String,
    reference: String,
}

/// Where a value comes from. Which version stands in a source is not known yet.
#[derive(Clone)]
enum Origin {
    Known(ValueRecipe),
    Place { source: String, reference: String },
}

impl Origin {
    fn of(way: Option<&Way<'_>>) -> Self {
        match way {
            None => Self::Known(ValueRecipe::Supplied),
            Some(Way::Generate(generate)) => Self::Known(ValueRecipe::Generate(generate.0.clone())),
            Some(Way::Source(Place { source, reference })) => {
                Self::Place { source: source.clone(), reference: reference.clone() }
            }
        }
    }

    async fn recipe(&self, sources: &Sources) -> Result<ValueRecipe> {
        match self {
            Self::Known(recipe) => Ok(recipe.clone()),
            Self::Place { source, reference } => sources.current(source, reference).await.map(ValueRecipe::Source),
        }
    }
}

/// A first version as `swarmsecrets.request` writes it down.
#[derive(FromPyObject)]
pub(crate) struct AskedFirst<'py> {
    name: String,
    way: Option<Way<'py>>,
    labels: BTreeMap<String, String>,
    reason: Option<String>,
}

impl AskedFirst<'_> {
    pub(crate) fn wanted(&self, agent: Option<String>) -> WantedFirst {
        let request = CreateRequest {
            name: self.name.clone(),
            recipe: ValueRecipe::Supplied,
            labels: self.labels.clone().into_iter().collect(),
            reason: self.reason.clone(),
            agent,
        };
        WantedFirst { request, origin: Origin::of(self.way.as_ref()) }
    }
}

/// A first version of which not everything is known yet.
pub(crate) struct WantedFirst {
    request: CreateRequest,
    origin: Origin,
}

impl WantedFirst {
    /// The first version, with what stands in its source now.
    pub(crate) async fn request(self, sources: &Sources) -> Result<CreateRequest> {
        Ok(CreateRequest { recipe: self.origin.recipe(sources).await?, ..self.request })
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
