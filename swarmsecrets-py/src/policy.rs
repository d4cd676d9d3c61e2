//! Policies: what they say, and which are in force for a client.

use std::path::PathBuf;

use pyo3::prelude::*;
use swarmsecrets_client::{Policies, Question};
use swarmsecrets_core::Result;
use swarmsecrets_core::audit::parse_moment;
use swarmsecrets_core::clock::Clock as _;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::policy::{Action, Policy as Parsed};
use swarmsecrets_host::{SystemClock, parse_policy, policy_in_force, policy_text};

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
        let (inventory, policy) = (inventory.graph().or_raise(py)?, (self.name.as_str(), &self.parsed));
        let said = py.detach(|| {
            let now = SystemClock::new().now().wall;
            asked.question()?.put(inventory, agent.as_deref(), now, [policy])
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

/// The policies in force for a client that is given one.
///
/// # Errors
/// As [`Policies::new`].
pub(crate) fn in_force(given: Option<&Policy>, simulated: bool) -> Result<Policies> {
    let put = |policy: &Policy| policy_in_force(&policy.name, policy.parsed.clone());
    let policies = Policies::new(given.map(put).transpose()?.into_iter().collect(), simulated)?;
    heed(policies.all());
    Ok(policies)
}
