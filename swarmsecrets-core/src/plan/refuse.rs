//! What must not be rotated, and why.

use super::request::RotationRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;
use crate::inventory::{Consumer, Inventory, LogicalSecret, ServiceMode, ServiceNode, label};

/// Looks for every reason against the rotation of this secret, the gravest first.
pub(super) fn refuse(secret: &LogicalSecret, consumers: &[&ServiceNode], request: &RotationRequest) -> Result<()> {
    data_is_not_ours(secret)?;
    several_versions(secret)?;
    consumers.iter().try_for_each(|service| job(service, request))?;
    converged(secret, consumers)
}

/// The services that mount the current version, each once, by name.
pub(super) fn consumers(secret: &LogicalSecret) -> Vec<&ServiceNode> {
    let current = secret.current();
    let mounts = |c: &&Consumer| c.reference().id == current.id.as_str();
    let mut services: Vec<&ServiceNode> = secret.consumers.iter().filter(mounts).map(Consumer::service).collect();
    // They come by name: what is there twice stands side by side.
    services.dedup_by(|a, b| a.id == b.id);
    services
}

fn data_is_not_ours(secret: &LogicalSecret) -> Result<()> {
    let current = secret.current();
    let refused = |why: String| Err(Error::new(ErrorKind::Refused, format!("cannot rotate `{}`: {why}", secret.name)));
    if let Some(driver) = &current.driver {
        return refused(format!("its data comes from the driver {}: change it there", quoted(driver)));
    }
    if let Some(engine) = &current.templating {
        return refused(format!("it holds a template ({}), which a plain copy would replace", quoted(engine)));
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
        Some(rotation) => format!(
            "rotation {} made it and has not converged: `swarmsecrets resume` or `rollback` it first",
            quoted(rotation)
        ),
        None => "finish or undo that change first".to_owned(),
    };
    Err(Error::new(
        ErrorKind::Conflict,
        format!("`{}` has a newer version, `{}`, but {}: {whose}", secret.name, current.name, behind.join(", ")),
    ))
}

/// Looked at apart from the rest, because the whole spec is read for it.
pub(super) fn writable(inventory: &Inventory, service: &ServiceNode) -> Result<()> {
    match inventory.oversized(service) {
        None => Ok(()),
        Some(field) => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "cannot update service {}: {field} holds an integer of 2^53 or more, which Portainer rounds on reading, so writing the spec back would change it",
                quoted(&service.name)
            ),
        )),
    }
}

fn job(service: &ServiceNode, request: &RotationRequest) -> Result<()> {
    let job = matches!(service.mode, ServiceMode::ReplicatedJob | ServiceMode::GlobalJob);
    if job && !request.allow_jobs {
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

/// A consumer in trouble is refused; if the version it runs on was made by a rotation, that rotation may still run.
fn converged(secret: &LogicalSecret, consumers: &[&ServiceNode]) -> Result<()> {
    let troubled: Vec<String> = consumers
        .iter()
        .filter_map(|s| s.tasks.trouble.as_ref().map(|why| format!("{} ({why})", quoted(&s.name))))
        .collect();
    if troubled.is_empty() {
        return Ok(());
    }
    let list = troubled.join(", ");
    Err(match secret.current().labels.get(label::ROTATION) {
        Some(rotation) => Error::new(
            ErrorKind::Conflict,
            format!(
                "rotation {} of `{}` has not converged: {list}: wait for it, or `swarmsecrets resume` or `rollback` it",
                quoted(rotation),
                secret.name
            ),
        ),
        None => Error::new(
            ErrorKind::Refused,
            format!("not every consumer of `{}` is healthy before the rotation: {list}: mend that first", secret.name),
        ),
    })
}
