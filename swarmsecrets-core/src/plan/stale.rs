//! Whether the world is still as a plan says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::document::Precondition;
use super::seal::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SecretName, ServiceId, SpecDigest, SpecVersion, quoted, quoted_list};
use crate::inventory::{Inventory, SecretVersion, ServiceNode, label};

/// A precondition that does not hold any more: what it was, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The precondition.
    pub precondition: Precondition,
    /// What was seen when the plan was made.
    pub was: String,
    /// What is seen now.
    pub is: String,
}

impl std::fmt::Display for Moved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it was: {}; it is: {}", self.was, self.is)
    }
}

impl Plan {
    /// The preconditions that do not hold in `inventory`.
    #[must_use]
    pub fn moved(&self, inventory: &Inventory) -> Vec<Moved> {
        let requires = self.steps.iter().flat_map(|s| &s.requires);
        let seen = Seen::of(inventory);
        requires.filter_map(|p| p.check(&seen)).collect()
    }

    /// Checks that the plan belongs to the inventory's Swarm and that every precondition still holds.
    ///
    /// # Errors
    /// `Stale`, with each precondition that does not hold: what it was and what it is. `Conflict` if the next name is taken.
    pub fn check(&self, inventory: &Inventory) -> Result<()> {
        let stale = |text: String| Err(Error::new(ErrorKind::Stale, format!("the plan is stale: {text}: plan again")));
        if self.cluster != inventory.cluster || self.environment != inventory.environment {
            return stale(format!(
                "it was made for environment {} of swarm {}, this is environment {} of swarm {}",
                self.environment, self.cluster, inventory.environment, inventory.cluster
            ));
        }
        if self.simulated != inventory.simulated {
            let (then, now) = if self.simulated { ("a simulation", "none") } else { ("no simulation", "one") };
            return stale(format!("it was made on {then}, and this is {now}"));
        }
        let moved = self.moved(inventory);
        if let Some(taken) = moved.iter().find(|m| matches!(m.precondition, Precondition::NameFree { .. })) {
            let text = format!("someone else is rotating `{}`: {}; then plan again", self.names(), taken.is);
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        if moved.is_empty() {
            return Ok(());
        }
        stale(moved.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

/// The inventory by names and ids, so that a plan of many consumers is checked in linear time.
struct Seen<'a> {
    versions: BTreeMap<&'a str, &'a SecretVersion>,
    services: BTreeMap<&'a str, &'a ServiceNode>,
    inventory: &'a Inventory,
}

impl<'a> Seen<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let versions = inventory.versions().map(|v| (v.name.as_str(), v)).collect();
        let services = inventory.services.iter().map(|s| (s.id.as_str(), &**s)).collect();
        Self { versions, services, inventory }
    }
}

impl Precondition {
    fn check(&self, seen: &Seen<'_>) -> Option<Moved> {
        let (was, is) = match self {
            Self::VersionExists { id, name } => version_exists(seen, id.as_str(), name),
            Self::NameFree { name } => name_free(seen, name),
            Self::Consumers { of, services } => consumers(seen, of, services),
            Self::Service { id, service, version, spec } => same_spec(seen, id, service, *version, spec),
        }?;
        Some(Moved { precondition: self.clone(), was, is })
    }
}

fn version_exists(seen: &Seen<'_>, id: &str, name: &SecretName) -> Option<(String, String)> {
    let was = format!("secret {name} with id {id}");
    match seen.versions.get(name.as_str()) {
        Some(version) if version.id.as_str() == id => None,
        Some(version) => Some((was, format!("secret {name} with id {}", version.id))),
        None => Some((was, "no such secret".into())),
    }
}

fn name_free(seen: &Seen<'_>, name: &SecretName) -> Option<(String, String)> {
    let taken = seen.versions.get(name.as_str())?;
    let rotation = taken.labels.get(label::ROTATION);
    let by = made_by(rotation);
    Some((format!("no secret named {name}"), format!("secret {name} with id {} was made {by}", taken.id)))
}

fn consumers(seen: &Seen<'_>, of: &SecretName, planned: &[String]) -> Option<(String, String)> {
    let id = seen.versions.get(of.as_str())?.id.as_str();
    let uses = |s: &&Arc<ServiceNode>| s.references.iter().any(|r| r.id == id);
    let now: BTreeSet<&str> = seen.inventory.services.iter().filter(uses).map(|s| s.name.as_str()).collect();
    let then: BTreeSet<&str> = planned.iter().map(String::as_str).collect();
    let list = |set: &BTreeSet<&str>| match set.len() {
        0 => format!("no consumers of {of}"),
        _ => format!("consumers of {of}: {}", quoted_list(set)),
    };
    (now != then).then(|| (list(&then), list(&now)))
}

/// Versions move on status alone, so a moved version with the same spec is the same service.
fn same_spec(
    seen: &Seen<'_>,
    id: &ServiceId,
    name: &str,
    version: SpecVersion,
    spec: &SpecDigest,
) -> Option<(String, String)> {
    let name = quoted(name);
    let Some(service) = seen.services.get(id.as_str()) else {
        return Some((format!("service {name} with id {id}"), "no such service".into()));
    };
    if let Some(trouble) = &service.tasks.trouble {
        return Some((format!("service {name} converged"), format!("service {name} with trouble: {trouble}")));
    }
    if service.version == version {
        return None;
    }
    let now = seen.inventory.spec_digest(service);
    (now != *spec).then(|| {
        let is = format!("service {name} edited since, at version {}", service.version);
        (format!("service {name} at version {version}"), is)
    })
}

/// Who made a version whose name is in the way, and what to do about it.
pub(crate) fn made_by(rotation: Option<&str>) -> String {
    match rotation {
        Some(rotation) => format!("by rotation {}: wait for that one, or undo it", quoted(rotation)),
        None => "by hand: bring every service to it, or remove it".to_owned(),
    }
}
