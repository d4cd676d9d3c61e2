//! Which probes are asked about which consumers.

use super::request::{Probed, RotationRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::quoted;
use crate::inventory::{Inventory, ServiceNode};

/// The names of the probes of a service, in the order of the request.
///
/// # Errors
/// `Invalid` for two probes of one name: nobody could tell what each has seen.
pub(super) fn of(service: &ServiceNode, request: &RotationRequest) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for (_, name) in request.probes.iter().filter(|(probed, _)| probed.is(&service.name, &service.labels)) {
        if names.contains(name) {
            let text = format!(
                "service {} has two probes that are called {}: join them into one",
                quoted(&service.name),
                quoted(name)
            );
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        names.push(name.clone());
    }
    Ok(names)
}

/// A name that is no service's is a mistake, and a probe that is never asked would be a promise that is not kept. A service
/// that is no consumer is another matter: one list of probes serves many rotations.
pub(super) fn check(inventory: &Inventory, request: &RotationRequest) -> Result<()> {
    for (probed, probe) in &request.probes {
        let Probed::Named(name) = probed else { continue };
        if !inventory.services.iter().any(|service| service.name == *name) {
            let text = format!(
                "{} is to be asked about service {}, and there is none of that name: correct it (--probes)",
                quoted(probe),
                quoted(name)
            );
            return Err(Error::new(ErrorKind::Invalid, text));
        }
    }
    Ok(())
}
