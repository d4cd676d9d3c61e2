//! The plan of a first version.

use std::time::Duration;

use super::document::{
    Content, NextVersion, Plan, PlanKind, PlannedSecret, Precondition, SCHEMA, Step, StepKind, Undo,
};
use super::naming;
use super::request::{Allowances, CreateRequest, Rollout, Strategy, Timing};
use super::rotate::partial;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::SecretName;
use crate::inventory::{Inventory, label};
use crate::policy::{Subject, builtin};

/// Plans the first version of a logical secret.
///
/// # Errors
/// `Invalid` for a name that the Engine would refuse or a label that is ours; `Conflict` if the secret is there already.
pub fn plan_create(inventory: &Inventory, request: &CreateRequest) -> Result<Plan> {
    let name = SecretName::new(&request.name)?;
    if let Some(key) = request.labels.iter().map(|(key, _)| key).find(|key| key.starts_with(label::PREFIX)) {
        let text = format!("the label `{key}` is written by swarmsecrets itself: leave it out");
        return Err(Error::new(ErrorKind::Invalid, text));
    }
    let same_name = |v: &crate::inventory::SecretVersion| v.name == name;
    if let Some(secret) = inventory.secrets.iter().find(|s| s.name == request.name || s.versions.iter().any(same_name))
    {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!("`{name}` exists already, as {}: rotate it, or take another name", secret.current().name),
        ));
    }
    let labels = request.labels.with(naming::labels(name.as_str(), 1, None, Duration::ZERO).iter());
    let subject = Subject { what: "secret", name: name.as_str(), labels: &request.labels };
    let step = Step {
        n: 1,
        kind: StepKind::CreateVersion,
        target: name.to_string(),
        text: format!("create secret {name}"),
        requires: vec![Precondition::NameFree { name: name.clone() }],
        undo: Undo::RemoveVersion,
    };
    Plan::seal(Content {
        schema: SCHEMA,
        kind: PlanKind::Create,
        environment: inventory.environment,
        cluster: inventory.cluster.clone(),
        simulated: inventory.simulated,
        account: inventory.account.name.clone(),
        partial: partial(inventory),
        strategy: Strategy::Swap,
        decision: builtin(subject),
        secrets: vec![PlannedSecret {
            secret: request.name.clone(),
            recipe: request.recipe.clone(),
            previous: None,
            next: NextVersion { name, version: 1, labels },
            owner: None,
            credential: None,
        }],
        rollout: Rollout::default(),
        allow: Allowances::default(),
        consumers: Vec::new(),
        stacks: Vec::new(),
        steps: vec![step],
        restarts: 0,
        warnings: Vec::new(),
        timing: Timing { grace: Duration::ZERO, ..Timing::default() },
        reason: request.reason.clone(),
        agent: request.agent.clone(),
    })
}
