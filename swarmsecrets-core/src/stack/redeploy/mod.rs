//! What a redeployment of a stack would change in its live services, besides the secrets that are about to change.
//!
//! A `PUT` of a stack's file to Portainer deploys it at once, and resets what people changed by hand since. So the file is
//! turned into service specs as `docker stack deploy` does it (`service` and the files below it), the specs and the live
//! ones are taken apart into [`Facts`](facts::Facts), and these are compared.
//!
//! It is strict on both sides. What stands in the file and is not understood for certain is [`CannotTell`]. What stands in
//! a live spec and is not known counts as a difference: a deployment writes whole specs.

mod answer;
mod facts;
mod field;
mod live;
mod mounts;
mod names;
mod policies;
mod ports;
mod quantities;
mod resources;
mod service;
mod words;

#[cfg(test)]
mod lines_tests;
#[cfg(test)]
mod redeploy_tests;

pub use self::answer::{CannotTell, Difference, Shown};
pub use self::live::Live;

use std::collections::BTreeMap;

use self::facts::{Facts, Renamed};
use self::field::Field;
use self::names::Declared;
use super::text::Variables;
use super::tree::Node;
use crate::ids::SecretName;

/// What a redeployment of this file with these variables would change in the live services, in the order of their names.
/// The references that the pairs of names are about stand for the same secret on both sides.
///
/// It speaks of a deployment that does not pull images: `docker stack deploy --resolve-image=never`, as Portainer does it
/// with `pullImage: false`. That leaves the digest of an image alone, and an image that was changed by hand, too; it is
/// told all the same, as any other deployment would put the file's back. What a deployment does to networks, volumes and
/// configs themselves is not looked at: it creates what is missing and changes nothing that is there.
///
/// # Errors
/// [`CannotTell`] if the file says something that is not understood for certain.
pub fn redeploy(
    stack: &str,
    file: &str,
    variables: &Variables,
    live: &Live,
    names: &[(SecretName, SecretName)],
) -> Result<Vec<Difference>, CannotTell> {
    let tree = Node::read(file).map_err(|error| CannotTell::new("", error.message()))?;
    let tree = field::filled(tree, variables, "")?;
    let declared = Declared::read(stack, &tree)?;
    let renamed = Renamed::new(names);
    let mut stored = BTreeMap::new();
    for service in Field::section(&tree, "services").entries()? {
        let spec = service::spec(&declared, variables, service.key(), &service)?;
        stored.insert(format!("{stack}_{}", service.key()), Facts::of_stored(&spec, renamed)?);
    }
    let mut differences = Vec::new();
    let mut there = BTreeMap::new();
    for (name, spec) in live.of_stack(stack, |name| stored.contains_key(name)) {
        there.insert(name, Facts::of_live(&spec, live, renamed)?);
    }
    for name in stored.keys().chain(there.keys().filter(|name| !stored.contains_key(*name))) {
        match (stored.get(name), there.get(name)) {
            (Some(stored), Some(live)) => differences.extend(stored.differences(name, live)),
            (stored, _) => differences.push(Difference::whole(name, stored.is_some())),
        }
    }
    differences.sort_by(|a, b| (&a.service, &a.field).cmp(&(&b.service, &b.field)));
    Ok(differences)
}
