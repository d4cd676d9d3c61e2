//! A rotation's plan.

use super::document::{
    Content, NextVersion, Plan, PlanKind, PlannedConsumer, PlannedStack, Precondition, SCHEMA, Step, StepKind, Undo,
    VersionRef, Warning,
};
use super::request::{RotationRequest, Strategy};
use super::{diff, naming, order, refuse, warnings};
use crate::error::Result;
use crate::inventory::{Inventory, LogicalSecret, Owner, ServiceMode, ServiceNode, StackKind, StackNode, Visibility};
use crate::parallel;
use crate::policy::{Decision, Subject, builtin};

/// Plans the rotation of one secret. Pure: the same inventory and request give the same plan, byte for byte.
///
/// # Errors
/// - `NotFound`, `Ambiguous`: no or more than one secret is meant, with what may have been meant.
/// - `Refused`: its data is a driver's or a template; a consumer is not healthy, is a job, or cannot be written safely.
/// - `Conflict`: another rotation of it has not converged, or the next name is taken.
/// - `Invalid`: the next name would be too long; the canary is no consumer; dependencies go in a circle.
pub fn plan_rotation(inventory: &Inventory, request: &RotationRequest) -> Result<Plan> {
    let secret = inventory.find(&request.secret)?;
    let consumers = refuse::consumers(secret);
    refuse::refuse(secret, &consumers, request)?;
    let (number, name) = naming::next(inventory, secret)?;
    let services = order::order(&consumers, request.canary.as_deref())?;
    let stacks = stacks(inventory, secret, &services);
    let mut warnings = warnings::of_view(inventory, secret, services.len());
    let (mut consumers, mut seen) = (Vec::with_capacity(services.len()), Vec::with_capacity(services.len()));
    for part in parallel::map(&services, |service| part(inventory, secret, service)) {
        let (consumer, as_seen, its_warnings) = part?;
        consumers.push(consumer);
        seen.push(as_seen);
        warnings.extend(its_warnings);
    }
    stacks.iter().for_each(|s| warnings::of_stack(s, secret.current().name.as_str(), &mut warnings));
    let mut content = Content {
        schema: SCHEMA,
        kind: PlanKind::Rotate,
        environment: inventory.environment,
        cluster: inventory.cluster.clone(),
        simulated: inventory.simulated,
        account: inventory.account.name.clone(),
        partial: partial(inventory),
        secret: secret.name.clone(),
        strategy: Strategy::Swap,
        recipe: request.recipe.clone(),
        previous: Some(VersionRef { id: secret.current().id.clone(), name: secret.current().name.clone() }),
        next: NextVersion {
            name,
            version: number,
            labels: naming::labels(&secret.name, number, Some(secret.current()), request.timing.grace),
        },
        owner: secret.current().owner.clone().map(Owner::or_administrators),
        restarts: consumers.iter().map(|c| c.restarts).sum(),
        consumers,
        stacks: stacks.iter().map(|s| planned_stack(s)).collect(),
        steps: Vec::new(),
        warnings,
        decision: decide(secret, &services),
        timing: request.timing,
        reason: request.reason.clone(),
        agent: request.agent.clone(),
    };
    content.steps = steps(&content, seen);
    Plan::seal(content)
}

fn partial(inventory: &Inventory) -> Option<String> {
    match &inventory.visibility {
        Visibility::Full => None,
        Visibility::Partial { reason } => Some(reason.clone()),
    }
}

/// What the guardrails say to touching this secret and these services, by their labels as they were read.
pub(crate) fn decide(secret: &LogicalSecret, services: &[&ServiceNode]) -> Decision {
    let versions = secret.versions.iter().map(|v| Subject { what: "secret", name: v.name.as_str(), labels: &v.labels });
    let services = services.iter().map(|s| Subject { what: "service", name: &s.name, labels: &s.labels });
    builtin(versions.chain(services))
}

/// The stacks whose files name the old version, and the CLI stacks that its consumers belong to.
fn stacks<'a>(inventory: &'a Inventory, secret: &LogicalSecret, services: &[&ServiceNode]) -> Vec<&'a StackNode> {
    let name = secret.current().name.as_str();
    let names = |stack: &StackNode| stack.references.iter().any(|r| r.secret == name);
    let cli = |stack: &StackNode| {
        stack.kind == StackKind::Cli && services.iter().any(|s| s.stack.as_deref() == Some(&stack.name))
    };
    inventory.stacks.iter().filter(|s| names(s) || cli(s)).collect()
}

fn planned_stack(stack: &StackNode) -> PlannedStack {
    PlannedStack { id: stack.id, name: stack.name.clone(), kind: stack.kind.clone(), status: stack.status }
}

/// All that a plan says of one service. Its whole spec is read for that.
fn part(
    inventory: &Inventory,
    secret: &LogicalSecret,
    service: &ServiceNode,
) -> Result<(PlannedConsumer, Precondition, Vec<Warning>)> {
    let seen = as_seen(inventory, service);
    refuse::writable(inventory, service)?;
    Ok((consumer(secret, service), seen, warnings::of_service(service)))
}

fn consumer(secret: &LogicalSecret, service: &ServiceNode) -> PlannedConsumer {
    let current = secret.current();
    let targets = service.references.iter().filter(|r| r.id == current.id.as_str());
    PlannedConsumer {
        id: service.id.clone(),
        service: service.name.clone(),
        targets: targets.map(|r| r.target.clone()).collect(),
        mode: service.mode,
        restarts: restarts(service),
        stack: service.stack.clone(),
    }
}

fn restarts(service: &ServiceNode) -> u64 {
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

fn steps(content: &Content, seen: Vec<Precondition>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(content.consumers.len() + 5);
    let mut add = |kind, target: &str, text: String, requires: Vec<Precondition>, undo| {
        let n = u32::try_from(steps.len() + 1).unwrap_or(u32::MAX);
        steps.push(Step { n, kind, target: target.to_owned(), text, requires, undo });
    };
    let Some(previous) = &content.previous else { return steps };
    let (old, new) = (previous.name.as_str(), content.next.name.as_str());
    let requires = vec![
        Precondition::VersionExists { id: previous.id.clone(), name: previous.name.clone() },
        Precondition::NameFree { name: content.next.name.clone() },
        Precondition::Consumers {
            of: previous.name.clone(),
            services: content.consumers.iter().map(|c| c.service.clone()).collect(),
        },
    ];
    add(StepKind::CreateVersion, new, format!("create secret {new}"), requires, Undo::RemoveVersion);
    if content.owner.is_some() {
        add(StepKind::SetOwner, new, format!("give {new} the owner of {old}"), Vec::new(), Undo::Nothing);
    }
    for (c, seen) in content.consumers.iter().zip(seen) {
        let text = format!("update service {}: {old} -> {new}, and judge its rollout", c.service);
        add(StepKind::UpdateService, &c.service, text, vec![seen], Undo::PutBack);
    }
    for stack in &content.stacks {
        let text =
            format!("stack {}: its file must name {new} in place of {old} (a patch for you to apply)", stack.name);
        add(StepKind::PatchStack, &stack.name, text, Vec::new(), Undo::Nothing);
    }
    let grace = content.timing.grace;
    if !grace.is_zero() {
        add(StepKind::KeepPrevious, old, format!("keep {old} for {}", diff::humane(grace)), Vec::new(), Undo::Nothing);
    }
    add(
        StepKind::RetirePrevious,
        old,
        format!("delete {old} once no service, no living task and no stack file uses it"),
        Vec::new(),
        Undo::Impossible,
    );
    steps
}
