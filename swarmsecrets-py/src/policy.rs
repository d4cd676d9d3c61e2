//! Policies: what they say, and which are in force for a client.

use std::cmp::Reverse;
use std::path::PathBuf;

use jiff::Timestamp;
use pyo3::prelude::*;
use serde::Serialize;
use swarmsecrets_core::Result;
use swarmsecrets_core::audit::parse_moment;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::policy::{Act, Action, Decision, Due, Guard, Policy as Parsed, Ruling, all_due};
use swarmsecrets_host::{SystemClock, parse_policy, policies_in_force, policy_in_force, policy_text};

use crate::error::{OrRaise as _, invalid};
use crate::secret_value::heed;

/// A policy, with the text that it was read from: `swarmsecrets.policy.Policy` dresses it.
#[pyclass(frozen, module = "swarmsecrets._native", name = "Policy")]
pub(crate) struct Policy {
    name: String,
    text: String,
    parsed: Parsed,
}

#[pymethods]
impl Policy {
    /// Reads a file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let name = path.to_string_lossy().into_owned();
        let read = py.detach(|| {
            let text = policy_text(&path)?;
            let parsed = parse_policy(&text).map_err(|error| error.context(quoted(&name)))?;
            Ok(Self { name, text, parsed })
        });
        read.or_raise(py)
    }

    /// Reads a text. The name is for people.
    #[staticmethod]
    fn parse(py: Python<'_>, name: String, text: String) -> PyResult<Self> {
        let parsed = py.detach(|| parse_policy(&text)).or_raise(py)?;
        Ok(Self { name, text, parsed })
    }

    /// The JSON Schema of the file, as JSON.
    #[staticmethod]
    fn schema() -> String {
        Parsed::schema().to_string()
    }

    /// What it is called.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// What it was read from.
    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    /// What stands in it, in a few words.
    fn summary(&self) -> String {
        self.parsed.to_string()
    }

    /// What it says, as JSON.
    fn judge(
        &self,
        py: Python<'_>,
        inventory: PyRef<'_, crate::inventory::Inventory>,
        asked: AskedAct,
        agent: Option<String>,
    ) -> PyResult<String> {
        let (inventory, policy) = (inventory.0.clone(), (self.name.as_str(), &self.parsed));
        let said = py.detach(|| {
            let now = SystemClock::new().now().wall;
            asked.question()?.put(&inventory, agent.as_deref(), now, [policy])
        });
        let failed = |e| invalid(format!("the judgement cannot be written: {e}"));
        said.and_then(|said| serde_json::to_string(&said).map_err(failed)).or_raise(py)
    }
}

/// What somebody wants to do, as `swarmsecrets.policy` writes it down.
#[derive(FromPyObject)]
pub(crate) struct AskedAct {
    secret: String,
    action: String,
    at: Option<String>,
}

impl AskedAct {
    pub(crate) fn question(self) -> Result<Question> {
        let action = match self.action.as_str() {
            "create" => Action::Create,
            "rotate" => Action::Rotate,
            "revoke" => Action::Revoke,
            other => return Err(invalid(format!("{} is none of create, rotate and revoke", quoted(other)))),
        };
        let at = self.at.map(|text| parse_moment(&text)).transpose().map_err(|why| invalid(format!("`at`: {why}")))?;
        Ok(Question { secret: self.secret, action, at })
    }
}

/// What policies are asked.
pub(crate) struct Question {
    secret: String,
    action: Action,
    at: Option<Timestamp>,
}

/// What policies say to one act: every part that holds, the one that decides first.
#[derive(Default, Serialize)]
pub(crate) struct Said {
    rulings: Vec<Part>,
    /// Why it may not be done at that time, if it may not.
    closed: Option<String>,
    /// The limits that it falls under, in words.
    limits: Vec<String>,
    /// What is asked of its new values, in words.
    values: Vec<String>,
}

/// What one part of a policy says.
#[derive(Serialize)]
struct Part {
    by: String,
    #[serde(flatten)]
    decision: Decision,
    policy: String,
}

/// When a secret is to be rotated, and whether that is now.
#[derive(Serialize)]
pub(crate) struct Listed {
    #[serde(flatten)]
    due: Due,
    overdue: bool,
}

/// When the secrets of a Swarm are to be rotated, the soonest first.
pub(crate) fn listed(policies: &[&Parsed], inventory: &Inventory, now: Timestamp) -> Vec<Listed> {
    let one = |due: Due| Listed { overdue: due.is_due(now), due };
    all_due(policies, inventory).into_iter().map(one).collect()
}

impl Question {
    /// Asks policies, each with its name.
    ///
    /// # Errors
    /// As [`find`](Inventory::find), unless the secret is yet to be made.
    pub(crate) fn put<'p>(
        &self,
        inventory: &Inventory,
        agent: Option<&str>,
        now: Timestamp,
        policies: impl IntoIterator<Item = (&'p str, &'p Parsed)>,
    ) -> Result<Said> {
        let act = self.act(inventory, agent)?;
        let mut said = Said::default();
        for (name, policy) in policies {
            let of = |ruling: Ruling| Part { by: ruling.by, decision: ruling.decision, policy: name.to_owned() };
            said.rulings.extend(policy.judge(&act).rulings.into_iter().map(of));
            let closed = policy.hours(&act).check(self.at.unwrap_or(now)).err();
            said.closed = said.closed.or(closed);
            said.limits.extend(policy.limits(&act).map(ToString::to_string));
            said.values.extend(policy.wants_of_values(&act).map(|wants| wants.to_string()));
        }
        // Stable: of those that are as strict, the order is that of the policies.
        said.rulings.sort_by_key(|one| Reverse(one.decision.strictness()));
        Ok(said)
    }

    fn act<'a>(&'a self, inventory: &'a Inventory, agent: Option<&'a str>) -> Result<Act<'a>> {
        if self.action != Action::Create {
            return Ok(Act::on(inventory, inventory.find(&self.secret)?, self.action, agent));
        }
        // As a plan of a first version does, whose name is the whole one. Which labels it will have is not known.
        let there = inventory.secrets.iter().find(|secret| secret.name == self.secret);
        Ok(there.map_or_else(
            || Act {
                action: self.action,
                agent,
                environment: inventory.environment,
                secret: &self.secret,
                versions: Vec::new(),
                services: Vec::new(),
                stacks: Vec::new(),
                owner: None,
            },
            |secret| Act::on(inventory, secret, self.action, agent),
        ))
    }
}

/// The policies that are in force for a client.
pub(crate) struct InForce {
    /// The one that it was given.
    given: Vec<Guard>,
    /// That one and the installed one, which holds where the world is not simulated.
    all: Vec<Guard>,
}

impl InForce {
    /// Those of a world that is simulated for sure, or of any other one.
    ///
    /// # Errors
    /// `Settings` if the installed one cannot be read or is not good. That is said before anything is sent, and so also where
    /// the answers would tell of a simulation.
    pub(crate) fn of(given: Option<&Policy>, simulated: bool) -> Result<Self> {
        let put = |policy: &Policy| policy_in_force(&policy.name, policy.parsed.clone());
        let given: Vec<Guard> = given.map(put).transpose()?.into_iter().collect();
        // As in the command, the installed one comes first.
        let all = policies_in_force(&[], simulated)?.into_iter().chain(given.iter().cloned()).collect::<Vec<_>>();
        heed(&all);
        Ok(Self { given, all })
    }

    /// Whether those of a simulated world are other ones than those of a real one.
    pub(crate) fn depend_on_the_world(&self) -> bool {
        self.all.len() > self.given.len()
    }

    /// Those of a world.
    pub(crate) fn in_world(&self, simulated: bool) -> &[Guard] {
        if simulated { &self.given } else { &self.all }
    }
}
