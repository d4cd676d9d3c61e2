//! A rotation's plan.

use std::time::Duration;

use super::document::{
    Content, NextVersion, PlanKind, PlannedConsumer, PlannedMount, PlannedSecret, PlannedStack, Precondition, Step,
    VersionRef, Warning,
};
use super::request::{RotationRequest, Strategy, ValueRecipe};
use super::seal::Plan;
use super::{estimate, naming, order, probes, refuse, steps, warnings};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;
use crate::inventory::{
    Consumer, Inventory, LogicalSecret, Owner, ServiceMode, ServiceNode, StackKind, StackNode, label,
};
use crate::parallel;
use crate::policy::{Decision, Direction, Subject, builtin};

/// Plans the rotation of one or several secrets. Pure: the same inventory and request give the same plan, byte for byte.
///
/// # Errors
/// - `NotFound`, `Ambiguous`: no or more than one secret is meant, with what may have been meant.
/// - `Refused`: its data is a driver's or a template; a consumer is not healthy, is a job, or cannot be written safely.
/// - `Conflict`: another rotation of it has not converged, or the next name is taken.
/// - `Invalid`: no secret is named, or one twice; the deadline is not longer than the stability window; a revocation has a
///   grace period; the next name would be too long; the canary or a service of a dependency is no consumer; dependencies go
///   in a circle; a probe is for a service that is not there, or two of one name are for one.
pub fn plan_rotation(inventory: &Inventory, request: &RotationRequest) -> Result<Plan> {
    refuse::timing(request.strategy, &request.timing)?;
    let secrets = secrets(inventory, request)?;
    let consumers = consumers(&secrets);
    refuse::refuse(&secrets, &consumers, request)?;
    refuse::credentials(inventory, &secrets, request)?;
    refuse::providers(&secrets, request)?;
    probes::check(inventory, request)?;
    let planned = secrets.iter().zip(&request.secrets);
    let planned = planned.map(|(secret, (_, recipe))| planned_secret(inventory, secret, recipe, request));
    let planned = planned.collect::<Result<Vec<PlannedSecret>>>()?;
    let services = order::order(&consumers, request)?;
    let old: Vec<&str> = secrets.iter().map(|s| s.current().name.as_str()).collect();
    let stacks = stacks(inventory, &old, &consumers);
    let mut warnings = warnings::of_view(inventory, &secrets, services.len());
    let owner_allowed = request.allow.owner;
    warnings.extend(planned.iter().filter_map(|s| warnings::of_owner(&inventory.account, s, owner_allowed)));
    let again = again(&planned, &services);
    let expected = estimate::of_all(&services, &request.rollout, &request.timing)
        + again.iter().map(|service| estimate::of_service(service, &request.timing)).sum::<Duration>();
    warnings.extend(planned.iter().filter_map(warnings::of_provider));
    warnings.extend(warnings::of_time(request.strategy, expected));
    let mut decision = decide(&secrets, &[]);
    let (mut consumers, mut updates) = (Vec::with_capacity(services.len()), Vec::with_capacity(services.len()));
    for part in parallel::parts(&services, |services| Part::of(inventory, request, &secrets, &planned, services)) {
        let part = part?;
        consumers.extend(part.consumers);
        updates.extend(part.updates);
        warnings.extend(part.warnings);
        decision = decision.stricter(part.decision);
    }
    let planned_stacks: Vec<PlannedStack> =
        stacks.iter().map(|stack| planned_stack(inventory, stack, &planned, request.allow.redeploy)).collect();
    for (stack, planned_stack) in stacks.iter().zip(&planned_stacks) {
        let by_hand = planned_stack.by_hand.as_deref();
        warnings.extend(by_hand.map(|why| warnings::of_stack(stack, &planned, why)));
    }
    let mut content = Content {
        strategy: request.strategy,
        decision,
        secrets: planned,
        restarts: consumers.iter().map(|c| c.restarts).sum::<u64>() + again.into_iter().map(restarts).sum::<u64>(),
        expected,
        consumers,
        rollout: request.rollout,
        allow: request.allow,
        stacks: planned_stacks,
        warnings,
        timing: request.timing,
        reason: request.reason.clone(),
        agent: request.agent.clone(),
        ..Content::of(inventory, PlanKind::Rotate)
    };
    content.steps = steps::steps(&content, updates);
    Plan::seal(content)
}

/// The secrets that are meant, in the order of the request.
fn secrets<'a>(inventory: &'a Inventory, request: &RotationRequest) -> Result<Vec<&'a LogicalSecret>> {
    let mut secrets: Vec<&LogicalSecret> = Vec::new();
    for (name, _) in &request.secrets {
        let secret = inventory.find(name)?;
        if secrets.iter().any(|other| std::ptr::eq(*other, secret)) {
            let text = format!("{} is named twice: once is enough", quoted(&secret.name));
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        secrets.push(secret);
    }
    if secrets.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, "no secret is named: say which one to rotate"));
    }
    Ok(secrets)
}

/// The services that mount any of the current versions, each once, by name.
fn consumers<'a>(secrets: &[&'a LogicalSecret]) -> Vec<&'a ServiceNode> {
    let of = |secret: &&'a LogicalSecret| {
        let current = secret.current().id.as_str();
        secret.consumers.iter().filter(move |c| c.reference().id == current).map(Consumer::service)
    };
    let mut services: Vec<&ServiceNode> = secrets.iter().flat_map(of).collect();
    // The consumers of one secret come by name.
    services.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    services.dedup_by(|a, b| a.id == b.id);
    services
}

fn planned_secret(
    inventory: &Inventory,
    secret: &LogicalSecret,
    recipe: &ValueRecipe,
    request: &RotationRequest,
) -> Result<PlannedSecret> {
    let (version, name) = naming::next(inventory, secret)?;
    let current = secret.current();
    let mut labels = naming::labels(&secret.name, version, Some(current), request.timing.grace);
    if request.strategy != Strategy::Swap {
        labels = labels.with([(label::STRATEGY, request.strategy.word())]);
    }
    labels = recipe.labelled(labels);
    Ok(PlannedSecret {
        secret: secret.name.clone(),
        recipe: recipe.clone(),
        previous: Some(VersionRef { id: current.id.clone(), name: current.name.clone() }),
        next: NextVersion { name, version, labels },
        owner: current.owner.clone().map(Owner::or_administrators),
        credential: request.credentials.get(&secret.name).cloned(),
    })
}

/// The services that are updated a second time, to lose an old version that commands in them have needed.
fn again<'a>(secrets: &[PlannedSecret], services: &[(u32, &'a ServiceNode)]) -> Vec<&'a ServiceNode> {
    let provides =
        |service: &ServiceNode| secrets.iter().filter_map(|s| s.provider()).any(|p| p.service == service.name);
    services.iter().map(|(_, service)| *service).filter(|service| provides(service)).collect()
}

/// What the guardrails say to touching these secrets and services, by their labels as they were read.
pub(crate) fn decide(secrets: &[&LogicalSecret], services: &[&ServiceNode]) -> Decision {
    let versions = secrets.iter().flat_map(|secret| &secret.versions);
    let versions = versions.map(|v| builtin(Subject { what: "secret", name: v.name.as_str(), labels: &v.labels }));
    versions.chain(services.iter().map(|service| decide_on(service))).fold(Decision::Allow, Decision::stricter)
}

fn decide_on(service: &ServiceNode) -> Decision {
    builtin(Subject { what: "service", name: &service.name, labels: &service.labels })
}

/// The stacks whose files name an old version, and the CLI stacks that consumers belong to.
pub(super) fn stacks<'a>(inventory: &'a Inventory, old: &[&str], services: &[&ServiceNode]) -> Vec<&'a StackNode> {
    let names = |stack: &StackNode| stack.references.iter().any(|r| old.contains(&r.secret.as_str()));
    let cli = |stack: &StackNode| {
        stack.kind == StackKind::Cli && services.iter().any(|s| s.stack.as_deref() == Some(&stack.name))
    };
    inventory.stacks.iter().filter(|s| names(s) || cli(s)).collect()
}

pub(super) fn planned_stack(
    inventory: &Inventory,
    stack: &StackNode,
    secrets: &[PlannedSecret],
    redeploy_allowed: bool,
) -> PlannedStack {
    let pairs: Vec<_> = secrets.iter().filter_map(|secret| secret.renaming(Direction::Forward)).collect();
    PlannedStack {
        id: stack.id,
        name: stack.name.clone(),
        kind: stack.kind.clone(),
        status: stack.status,
        by_hand: stack.may_be_written(inventory, &pairs, redeploy_allowed).err(),
    }
}

/// All that a plan says of some of its services.
struct Part {
    consumers: Vec<PlannedConsumer>,
    updates: Vec<Step>,
    warnings: Vec<Warning>,
    decision: Decision,
}

impl Part {
    /// Digests the whole specs of these services.
    fn of(
        inventory: &Inventory,
        request: &RotationRequest,
        secrets: &[&LogicalSecret],
        planned: &[PlannedSecret],
        services: &[(u32, &ServiceNode)],
    ) -> Result<Self> {
        let (consumers, updates) = (Vec::with_capacity(services.len()), Vec::with_capacity(services.len()));
        let mut part = Self { consumers, updates, warnings: Vec::new(), decision: Decision::Allow };
        for (wave, service) in services {
            let consumer = consumer(request, secrets, *wave, service)?;
            part.updates.push(steps::update(planned, &consumer, as_seen(inventory, service)));
            part.consumers.push(consumer);
            part.warnings.extend(warnings::of_service(service, &request.timing));
            part.decision = part.decision.stricter(decide_on(service));
        }
        Ok(part)
    }
}

fn consumer(
    request: &RotationRequest,
    secrets: &[&LogicalSecret],
    wave: u32,
    service: &ServiceNode,
) -> Result<PlannedConsumer> {
    let secret = |id: &str| secrets.iter().position(|secret| secret.current().id.as_str() == id);
    let mounts = service.references.iter().filter_map(|r| Some((secret(&r.id)?, r.target.clone())));
    Ok(PlannedConsumer {
        id: service.id.clone(),
        service: service.name.clone(),
        mounts: mounts.map(|(secret, target)| PlannedMount { target, secret }).collect(),
        wave,
        mode: service.mode,
        restarts: restarts(service),
        stack: service.stack.clone(),
        probes: probes::of(service, request)?,
    })
}

pub(super) fn restarts(service: &ServiceNode) -> u64 {
    match service.mode {
        ServiceMode::Replicated(n) => n,
        ServiceMode::Global | ServiceMode::ReplicatedJob | ServiceMode::GlobalJob => service.tasks.desired,
    }
}

/// The service as it was seen: what its update is pinned to.
fn as_seen(inventory: &Inventory, service: &ServiceNode) -> Precondition {
    Precondition::Service {
        id: service.id.clone(),
        service: service.name.clone(),
        version: service.version,
        spec: inventory.spec_digest(service),
    }
}
