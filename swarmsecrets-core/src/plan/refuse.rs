//! What must not be rotated, and why.

use super::request::{RotationRequest, Strategy, Timing};
use crate::credential::Provider;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, quoted, ticked};
use crate::inventory::{Inventory, LogicalSecret, SecretReference, ServiceMode, ServiceNode, Visibility, label};

/// Looks for every reason against the rotation of these secrets, the gravest first.
pub(super) fn refuse(secrets: &[&LogicalSecret], consumers: &[&ServiceNode], request: &RotationRequest) -> Result<()> {
    secrets.iter().try_for_each(|secret| data_is_not_ours(secret))?;
    secrets.iter().try_for_each(|secret| several_versions(secret))?;
    consumers.iter().try_for_each(|service| job(service, request))?;
    consumers.iter().try_for_each(|service| writable(service))?;
    converged(secrets, consumers)
}

fn data_is_not_ours(secret: &LogicalSecret) -> Result<()> {
    let current = secret.current();
    let refused = |why: String| Err(Error::new(ErrorKind::Refused, format!("cannot rotate `{}`: {why}", secret.name)));
    if let Some(driver) = &current.driver {
        return refused(format!("its data comes from the driver {}: change it there", quoted(driver)));
    }
    if let Some(engine) = &current.templating {
        let text =
            format!("it holds a template ({}), which a plain copy would replace: change it by hand", quoted(engine));
        return refused(text);
    }
    Ok(())
}

/// A newer version beside consumers of an older one is somebody's rotation, half done, or a state to be cleared first.
fn several_versions(secret: &LogicalSecret) -> Result<()> {
    let current = secret.current();
    let behind: Vec<String> = secret
        .consumers
        .iter()
        .filter(|c| c.reference().id != current.id.as_str())
        .map(|c| format!("{} uses {}", quoted(&c.service().name), quoted(&c.reference().name)))
        .collect();
    if behind.is_empty() {
        return Ok(());
    }
    let whose = match current.labels.get(label::ROTATION) {
        Some(rotation) => {
            format!("rotation {} made it and has not converged: {} first", quoted(rotation), resume_or_undo(rotation))
        }
        None => format!("bring them to `{0}`, or remove `{0}`, then plan again", current.name),
    };
    Err(Error::new(
        ErrorKind::Conflict,
        format!("`{}` has a newer version, `{}`, but {}: {whose}", secret.name, current.name, behind.join(", ")),
    ))
}

fn writable(service: &ServiceNode) -> Result<()> {
    match &service.oversized {
        None => Ok(()),
        Some(field) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "cannot update service {}: {field} holds an integer of 2^53 or more, which Portainer rounds on reading, so writing the spec back would change it: update it by hand",
                quoted(&service.name)
            ),
        )),
    }
}

fn job(service: &ServiceNode, request: &RotationRequest) -> Result<()> {
    let job = matches!(service.mode, ServiceMode::ReplicatedJob | ServiceMode::GlobalJob);
    if job && !request.allow.jobs {
        return Err(Error::new(
            ErrorKind::Refused,
            format!(
                "service {} is in job mode: any update runs the job again; allow it with --allow-jobs",
                quoted(&service.name)
            ),
        ));
    }
    Ok(())
}

/// An id from a label may be anything: only one that is an id becomes part of a command.
fn resume_or_undo(rotation: &str) -> String {
    match rotation.parse::<RotationId>() {
        Ok(id) => format!("`swarmsecrets resume {id}` or `swarmsecrets rollback {id}`"),
        Err(_) => "resume or undo it".to_owned(),
    }
}

/// A consumer in trouble is refused; if a version it runs on was made by a rotation, that rotation may still run.
fn converged(secrets: &[&LogicalSecret], consumers: &[&ServiceNode]) -> Result<()> {
    let troubled: Vec<String> = consumers
        .iter()
        .filter_map(|s| s.tasks.trouble.as_ref().map(|why| format!("{} ({why})", quoted(&s.name))))
        .collect();
    if troubled.is_empty() {
        return Ok(());
    }
    let list = troubled.join(", ");
    let names = ticked(secrets.iter().map(|s| s.name.as_str()));
    Err(match secrets.iter().find_map(|s| s.current().labels.get(label::ROTATION)) {
        Some(rotation) => Error::new(
            ErrorKind::Conflict,
            format!(
                "rotation {} of {names} has not converged: {list}: wait for that, mend it, or {}",
                quoted(rotation),
                resume_or_undo(rotation)
            ),
        ),
        None => Error::new(
            ErrorKind::Refused,
            format!("not every consumer of {names} is healthy before the rotation: {list}: mend that first"),
        ),
    })
}

/// Commands that change a password need a service with one task, which mounts the secret at one place and has room beside it.
pub(super) fn providers(secrets: &[&LogicalSecret], request: &RotationRequest) -> Result<()> {
    for secret in secrets {
        let account = request.credentials.get(&secret.name);
        let Some(provider) = account.and_then(|account| account.provider.as_ref()) else { continue };
        provides(secret, provider).map_err(|why| {
            let service = quoted(&provider.service);
            let text = format!("commands in {service} cannot change the password of `{}`: {why}", secret.name);
            Error::new(ErrorKind::Refused, text)
        })?;
        // It is moved as a whole, before any password is set.
        let elsewhere = |other: &&&LogicalSecret| {
            let by = request.credentials.get(&other.name).map(|account| account.provider.as_ref());
            let ours = by.flatten().is_some_and(|by| by.service == provider.service);
            by.is_some() && !ours && other.consumers.iter().any(|c| c.service().name == provider.service)
        };
        if let Some(other) = secrets.iter().find(elsewhere) {
            let service = quoted(&provider.service);
            let text = format!(
                "commands in {service} cannot change the password of `{}`: it mounts `{}` too, and would have that one's new password before it is set: rotate one after the other",
                secret.name, other.name
            );
            return Err(Error::new(ErrorKind::Refused, text));
        }
    }
    Ok(())
}

fn provides(secret: &LogicalSecret, provider: &Provider) -> std::result::Result<(), String> {
    let current = &secret.current().id;
    let mounts = secret.consumers.iter().filter(|c| c.reference().id == current.as_str());
    let mut mounts = mounts.filter(|c| c.service().name == provider.service);
    let Some(mount) = mounts.next() else {
        return Err("it does not mount it: name the service that does (`service`)".to_owned());
    };
    if mounts.next().is_some() {
        return Err("it mounts it at more than one target".to_owned());
    }
    let service = mount.service();
    if service.mode != ServiceMode::Replicated(1) {
        return Err("it does not run as one replica, and each of several would have to be told".to_owned());
    }
    let beside = SecretReference::beside(&mount.reference().target);
    if service.references.iter().any(|reference| reference.target == beside) {
        return Err(format!("target {}, where the old version would be beside the new one, is taken", quoted(&beside)));
    }
    Ok(())
}

/// A service has the time to be watched, and a value that has leaked is not kept.
pub(super) fn timing(strategy: Strategy, timing: &Timing) -> Result<()> {
    let invalid = |text: &str| Err(Error::new(ErrorKind::Invalid, text));
    if timing.deadline <= timing.stability {
        return invalid("the deadline must be longer than the stability window, or no service can ever count as good");
    }
    if strategy == Strategy::Revoke && !timing.grace.is_zero() {
        return invalid("a revocation keeps no old version: leave the grace period out");
    }
    Ok(())
}

/// Passwords are changed for secrets that are rotated, by strategies that do so, and where nobody unseen is locked out.
pub(super) fn credentials(inventory: &Inventory, secrets: &[&LogicalSecret], request: &RotationRequest) -> Result<()> {
    let invalid = |text: String| Err(Error::new(ErrorKind::Invalid, text));
    if let Some(name) = request.credentials.keys().find(|name| !secrets.iter().any(|s| s.name == **name)) {
        return invalid(format!("{} has a credential setter but is not rotated: leave the setter out", quoted(name)));
    }
    if let (Strategy::Overlap, Visibility::Partial { reason }) = (request.strategy, &inventory.visibility) {
        let text = format!(
            "the view is partial ({reason}), and ending a password would lock out services that cannot be seen: let an account that sees everything do it"
        );
        return Err(Error::new(ErrorKind::Refused, text));
    }
    match (request.strategy, request.credentials.is_empty()) {
        (Strategy::Overlap, true) => invalid(
            "the strategy `overlap` changes a password in the system behind the secret: say which (--credentials), or use `swap`"
                .into(),
        ),
        (Strategy::Swap, false) => {
            invalid("the strategy `swap` changes no password: use `overlap`, or leave the credential setter out".into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        let seconds = Duration::from_secs;
        let limits = |grace, deadline| Timing { grace, stability: seconds(10), deadline: seconds(deadline) };
        let of = |strategy, grace, deadline| timing(strategy, &limits(grace, deadline)).map_err(|e| e.kind());
        assert_eq!(of(Strategy::Swap, seconds(1), 10), Err(ErrorKind::Invalid));
        assert_eq!(of(Strategy::Swap, seconds(1), 11), Ok(()));
        assert_eq!(of(Strategy::Revoke, seconds(1), 11), Err(ErrorKind::Invalid), "a leaked value is not kept");
        assert_eq!(of(Strategy::Revoke, Duration::ZERO, 11), Ok(()));
    }
}
