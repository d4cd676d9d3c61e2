//! What a person should know before saying yes.

use std::time::Duration;

use super::diff::{humane, rough};
use super::document::{PlannedSecret, Warning, WarningKind};
use super::estimate;
use super::request::{Strategy, Timing};
use crate::ids::{quoted, ticked};
use crate::inventory::{
    Account, FailureAction, Inventory, LogicalSecret, ServiceMode, ServiceNode, StackKind, StackNode, StackStatus,
    Visibility,
};

fn warn(kind: WarningKind, about: Option<&str>, text: String) -> Warning {
    Warning { kind, about: about.map(str::to_owned), text }
}

/// The warnings about one consumer.
pub(super) fn of_service(service: &ServiceNode, timing: &Timing) -> Vec<Warning> {
    let name = quoted(&service.name);
    let mut found = Vec::new();
    let mut add = |kind, text: String| found.push(warn(kind, Some(&service.name), text));
    let update = &service.update;
    match service.mode {
        ServiceMode::Replicated(0) => {
            add(WarningKind::NoTasks, format!("{name} runs no task: nothing proves that the new value works for it"));
        }
        ServiceMode::Replicated(1) if !update.start_first => add(
            WarningKind::StopFirstSingleReplica,
            format!("{name} has one replica and stops it before the next one starts: it will be down for a moment"),
        ),
        ServiceMode::ReplicatedJob | ServiceMode::GlobalJob => {
            add(WarningKind::JobMode, format!("{name} is in job mode: the update runs the job again"));
        }
        ServiceMode::Replicated(_) | ServiceMode::Global => {}
    }
    if update.failure_action == FailureAction::Continue {
        add(
            WarningKind::FailureActionContinue,
            format!("{name} has FailureAction continue: Swarm itself will not stop a bad rollout"),
        );
    }
    match service.health_check {
        None => {
            add(WarningKind::NoHealthCheck, format!("{name} has no health check: only whether it runs can be judged"))
        }
        Some(needed) if needed > update.monitor => add(
            WarningKind::MonitorTooShort,
            format!(
                "{name} is monitored for {} but its health check takes {} to fail",
                humane(Duration::from_nanos(update.monitor)),
                humane(Duration::from_nanos(needed)),
            ),
        ),
        Some(_) => {}
    }
    if !service.image.rsplit_once('@').is_some_and(|(_, digest)| digest.starts_with("sha256:")) {
        add(
            WarningKind::ImageNotPinned,
            format!(
                "{name} runs {}, which is not pinned by digest: a restart may pull another image",
                quoted(&service.image)
            ),
        );
    }
    let expected = estimate::of_service(service, timing);
    if expected > timing.deadline {
        add(
            WarningKind::TooLong,
            format!(
                "{name} is expected to take {}, and {} is all that it may take: allow more with --deadline, or it is put back",
                humane(rough(expected)),
                humane(timing.deadline)
            ),
        );
    }
    if update.start_first && service.host_port {
        add(
            WarningKind::StartFirstHostPort,
            format!("{name} starts the new task first but publishes a host port: the two want the same port"),
        );
    }
    found
}

/// The warning about a stack whose file names an old version, or whose services mount it.
pub(super) fn of_stack(stack: &StackNode, secrets: &[PlannedSecret], why: &str) -> Warning {
    let named = |name: &str| stack.kind == StackKind::Cli || stack.references.iter().any(|r| r.secret == name);
    let old = secrets.iter().filter_map(|s| s.previous.as_ref()).map(|v| v.name.as_str()).filter(|name| named(name));
    let old = ticked(old);
    let name = quoted(&stack.name);
    let text = match (&stack.kind, stack.status) {
        (StackKind::Cli, _) => format!(
            "{name} was deployed from a file that Portainer does not keep: put the new name into that file, or the next deploy puts {old} back"
        ),
        (_, StackStatus::Stopped) => {
            format!("the file of the stopped stack {name} names {old}: it must be patched before {old} can be removed")
        }
        (StackKind::Git { auto_update: true }, _) => format!(
            "{name} is redeployed from git by itself: until its repository names the new version, that puts {old} back"
        ),
        (StackKind::Git { .. }, _) => {
            format!("{name} comes from git: until its repository names the new version, a redeploy puts {old} back")
        }
        (StackKind::File, _) => {
            format!(
                "the stored file of {name} names {old} and cannot be written ({why}): until it is patched, a redeploy puts {old} back"
            )
        }
    };
    warn(WarningKind::StackManaged, Some(&stack.name), text)
}

/// The warnings about the plan as a whole.
pub(super) fn of_view(inventory: &Inventory, secrets: &[&LogicalSecret], consumers: usize) -> Vec<Warning> {
    let mut found = Vec::new();
    let names = ticked(secrets.iter().map(|s| s.name.as_str()));
    if let Visibility::Partial { reason } = &inventory.visibility {
        found.push(warn(
            WarningKind::PartialView,
            None,
            format!("the view is partial ({reason}): services that cannot be seen may use {names}; the old version is kept while any does"),
        ));
    }
    if consumers == 0 {
        let current = ticked(secrets.iter().map(|s| s.current().name.as_str()));
        found.push(warn(WarningKind::NoConsumers, None, format!("no service mounts {current}")));
    }
    if inventory.account.administrator {
        return found;
    }
    for current in secrets.iter().map(|s| s.current()).filter(|current| current.owner.is_none()) {
        let text = format!(
            "`{}` has no owner in Portainer; the new version will belong to {} alone",
            current.name, inventory.account.name
        );
        found.push(warn(WarningKind::Ownership, None, text));
    }
    found
}

/// The warning about a revocation that leaves a leaked value in use for long.
pub(super) fn of_time(strategy: Strategy, expected: Duration) -> Option<Warning> {
    const REVOKED_WITHIN: Duration = Duration::from_secs(300);
    let text = format!(
        "the revocation is expected to take {}, and should be done within {}: a canary or dependencies hold it up, or services that restart few tasks at a time",
        humane(rough(expected)),
        humane(REVOKED_WITHIN)
    );
    (strategy == Strategy::Revoke && expected > REVOKED_WITHIN).then(|| warn(WarningKind::TooLong, None, text))
}

/// The warning about a service in which commands change a password.
pub(super) fn of_provider(secret: &PlannedSecret) -> Option<Warning> {
    let service = &secret.provider()?.service;
    let text = format!(
        "{} restarts twice: to have both versions of `{}` beside each other, and to lose the old one; if its stack is redeployed in between, twice more",
        quoted(service),
        secret.secret
    );
    Some(warn(WarningKind::RestartsAgain, Some(service), text))
}

/// The warning about an owner that the account may not give to a new version.
pub(super) fn of_owner(account: &Account, secret: &PlannedSecret, allowed: bool) -> Option<Warning> {
    let owner = secret.owner.as_ref().filter(|owner| !account.may_grant(owner))?;
    let who = quoted(&account.name);
    let new = &secret.next.name;
    let then = if allowed {
        format!("`{new}` will belong to {who} alone")
    } else {
        format!(
            "the rotation will be undone: let an administrator rotate it, or allow it with --allow-owner, and `{new}` belongs to {who} alone"
        )
    };
    let text = format!("Portainer does not let {who} give `{new}` the owner of the old version ({owner}): {then}");
    Some(warn(WarningKind::Ownership, Some(&secret.secret), text))
}
