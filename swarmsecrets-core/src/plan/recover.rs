//! The plan of a rotation whose journal is lost, read back from labels and specs.

use std::time::Duration;

use super::document::{
    Content, NextVersion, PlanKind, PlannedConsumer, PlannedMount, PlannedSecret, VersionRef, Warning, WarningKind,
};
use super::estimate;
use super::request::{Timing, ValueRecipe};
use super::rotate::{decide, planned_stack, restarts, stacks};
use super::seal::Plan;
use super::steps::steps;
use crate::duration::parse_duration;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, ServiceId, quoted};
use crate::inventory::{Consumer, Inventory, Labels, LogicalSecret, Owner, SecretVersion, ServiceNode, label};

/// A rotation that can be seen in the world alone.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Its plan, as far as it can be told.
    pub plan: Plan,
    /// The new versions, in the order of the plan's secrets.
    pub versions: Vec<SecretVersion>,
    /// The services that mount a new version.
    pub touched: Vec<ServiceId>,
    /// Whether it had gone on to the new versions: a service mounts one, a later rotation came from one, or one of the old
    /// versions is gone.
    pub begun: bool,
    /// Whether no service mounts an old version, and all that mount a new one run as they should.
    pub moved: bool,
}

impl Recovered {
    /// Whether its grace period is over, counted from a day after the new versions were made: until then it may be carried
    /// out by somebody who has its journal, and still be watching its consumers.
    #[must_use]
    pub fn is_due(&self, world: &Inventory) -> bool {
        const UNDER_WAY: Duration = Duration::from_secs(24 * 3600);
        let grace = self.plan.timing.grace.saturating_add(UNDER_WAY);
        let over = |v: &SecretVersion| {
            Duration::try_from(world.taken_at.duration_since(v.created)).is_ok_and(|age| age >= grace)
        };
        self.versions.iter().all(over)
    }
}

/// A secret of such a rotation.
struct Found<'a> {
    secret: &'a LogicalSecret,
    new: &'a SecretVersion,
    old: &'a SecretVersion,
}

/// The rotations whose old versions are still there, by the labels of the versions that they made.
#[must_use]
pub fn visible_rotations(inventory: &Inventory) -> Vec<RotationId> {
    let of = |secret: &LogicalSecret| {
        let makers = secret.versions.iter().filter_map(|v| v.labels.get(label::ROTATION)?.parse::<RotationId>().ok());
        makers.filter(|rotation| found(secret, rotation).is_some()).collect::<Vec<_>>()
    };
    let mut ids: Vec<RotationId> = inventory.secrets.iter().flat_map(of).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Reads a rotation back from the world: its new versions carry its id, and name the versions before them.
///
/// # Errors
/// `NotFound` if no version carries the id beside the version that it replaced; `Refused` for a rotation that did more than
/// exchange references, which labels do not tell enough about.
pub fn recover(inventory: &Inventory, rotation: &RotationId) -> Result<Recovered> {
    let found: Vec<Found<'_>> = inventory.secrets.iter().filter_map(|secret| found(secret, rotation)).collect();
    if found.is_empty() {
        let text = format!(
            "rotation {rotation} has no journal here, and no secret in this Swarm was made by it beside the one that it replaced: check the id, and which journal is read (--journal)"
        );
        return Err(Error::new(ErrorKind::NotFound, text));
    }
    if let Some(strategy) = found.iter().find_map(|f| f.new.labels.get(label::STRATEGY)) {
        let text = format!(
            "the journal of rotation {rotation} is lost, and it was more than an exchange of references ({}): bring the journal back (--journal), or see by hand what it has done: `swarmsecrets inventory` shows which service uses which version",
            quoted(strategy)
        );
        return Err(Error::new(ErrorKind::Refused, text));
    }
    let services = services(&found);
    let secrets: Vec<&LogicalSecret> = found.iter().map(|f| f.secret).collect();
    let on_new = services.iter().filter(|s| found.iter().any(|f| mounts(s, f.new)));
    let touched: Vec<ServiceId> = on_new.map(|s| s.id.clone()).collect();
    let retired: Vec<&SecretVersion> = retired(inventory, rotation, &found).collect();
    let begun = !touched.is_empty() || found.iter().any(superseded) || !retired.is_empty();
    let planned: Vec<PlannedSecret> = found.iter().map(planned_secret).collect();
    let old: Vec<&str> = found.iter().map(|f| f.old.name.as_str()).collect();
    let mut content = Content {
        decision: decide(&secrets, &services),
        consumers: services.iter().map(|service| consumer(&found, service)).collect(),
        stacks: stacks(inventory, &old, &services)
            .into_iter()
            .map(|stack| planned_stack(inventory, stack, &planned, false))
            .collect(),
        secrets: planned,
        restarts: services.iter().map(|s| restarts(s)).sum(),
        warnings: warnings(rotation, &retired),
        timing: Timing { grace: grace(&found), ..Timing::default() },
        ..Content::of(inventory, PlanKind::Rotate)
    };
    let all: Vec<(u32, &ServiceNode)> = services.iter().map(|service| (0, *service)).collect();
    content.expected = estimate::of_all(&all, &content.rollout, &content.timing);
    content.steps = steps(&content, Vec::new());
    let versions = found.iter().map(|f| f.new.clone()).collect();
    let well = |s: &&ServiceNode| s.tasks.trouble.is_none() && !found.iter().any(|f| mounts(s, f.old));
    let moved = services.iter().all(well);
    Ok(Recovered { plan: Plan::seal(content)?, versions, touched, begun, moved })
}

fn found<'a>(secret: &'a LogicalSecret, rotation: &RotationId) -> Option<Found<'a>> {
    let new = secret.versions.iter().find(|v| v.labels.get(label::ROTATION) == Some(rotation.as_str()))?;
    let previous = new.labels.get(label::PREVIOUS)?;
    let old = secret.versions.iter().find(|v| v.name.as_str() == previous)?;
    Some(Found { secret, new, old })
}

/// Whether a later version came from the new one.
fn superseded(found: &Found<'_>) -> bool {
    found.secret.versions.iter().any(|v| v.labels.get(label::PREVIOUS) == Some(found.new.name.as_str()))
}

/// The versions of the rotation beside which the ones before are gone: it retires nothing before all have converged.
fn retired<'a>(
    inventory: &'a Inventory,
    rotation: &RotationId,
    there: &[Found<'_>],
) -> impl Iterator<Item = &'a SecretVersion> {
    let made = inventory.versions().filter(|v| v.labels.get(label::ROTATION) == Some(rotation.as_str()));
    made.filter(|v| v.labels.get(label::PREVIOUS).is_some() && !there.iter().any(|f| f.new.id == v.id))
}

fn warnings(rotation: &RotationId, retired: &[&SecretVersion]) -> Vec<Warning> {
    let lost = format!(
        "the journal of rotation {rotation} is lost: what it had done was read from labels and specs, and the grace period begins anew"
    );
    let stays = |version: &&SecretVersion| {
        format!("`{}` is of this rotation too, and stays: the version before it is gone", version.name)
    };
    let texts = std::iter::once(lost).chain(retired.iter().map(stays));
    texts.map(|text| Warning { kind: WarningKind::JournalLost, about: None, text }).collect()
}

fn mounts(service: &ServiceNode, version: &SecretVersion) -> bool {
    service.references.iter().any(|r| r.id == version.id.as_str())
}

/// The services that mount an old or a new version, each once, by name.
fn services<'a>(found: &[Found<'a>]) -> Vec<&'a ServiceNode> {
    let mut services: Vec<&ServiceNode> =
        found.iter().flat_map(|f| f.secret.consumers.iter().map(Consumer::service)).collect();
    services.retain(|s| found.iter().any(|f| mounts(s, f.old) || mounts(s, f.new)));
    services.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    services.dedup_by(|a, b| a.id == b.id);
    services
}

fn planned_secret(found: &Found<'_>) -> PlannedSecret {
    // As it was planned: these two are known when a version is made.
    let planned = |(key, _): &(&str, &str)| ![label::ROTATION, label::FINGERPRINT].contains(key);
    let labels: Labels = found.new.labels.iter().filter(planned).collect();
    PlannedSecret {
        secret: found.secret.name.clone(),
        recipe: ValueRecipe::Supplied,
        previous: Some(VersionRef { id: found.old.id.clone(), name: found.old.name.clone() }),
        next: NextVersion { name: found.new.name.clone(), version: found.new.version, labels },
        owner: found.old.owner.clone().map(Owner::or_administrators),
        credential: None,
    }
}

fn consumer(found: &[Found<'_>], service: &ServiceNode) -> PlannedConsumer {
    let secret = |id: &str| found.iter().position(|f| f.old.id.as_str() == id || f.new.id.as_str() == id);
    let places = service.references.iter().filter_map(|r| Some((secret(&r.id)?, r.target.clone())));
    PlannedConsumer {
        id: service.id.clone(),
        service: service.name.clone(),
        mounts: places.map(|(secret, target)| PlannedMount { target, secret }).collect(),
        wave: 0,
        mode: service.mode,
        restarts: restarts(service),
        stack: service.stack.clone(),
        probes: Vec::new(),
    }
}

/// The longest grace that the new versions' labels tell.
fn grace(found: &[Found<'_>]) -> Duration {
    let told = found.iter().filter_map(|f| parse_duration(f.new.labels.get(label::GRACE)?).ok());
    told.max().unwrap_or(Timing::default().grace)
}
