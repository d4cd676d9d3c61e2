//! The plan of a first version.

use std::time::Duration;

use super::document::{Content, NextVersion, PlanKind, PlannedSecret, Precondition, Step, StepKind, Undo};
use super::naming;
use super::request::{CreateRequest, Timing};
use super::seal::Plan;
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
            format!(
                "`{name}` exists already, as `{0}`: `swarmsecrets rotate {0}`, or take another name",
                secret.current().name
            ),
        ));
    }
    let labels = request.labels.with(naming::labels(name.as_str(), 1, None, Duration::ZERO).iter());
    let labels = request.recipe.labelled(labels);
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
        decision: builtin(subject),
        secrets: vec![PlannedSecret {
            secret: request.name.clone(),
            recipe: request.recipe.clone(),
            previous: None,
            next: NextVersion { name, version: 1, labels },
            owner: None,
            credential: None,
        }],
        steps: vec![step],
        timing: Timing { grace: Duration::ZERO, ..Timing::default() },
        reason: request.reason.clone(),
        agent: request.agent.clone(),
        ..Content::of(inventory, PlanKind::Create)
    })
}
