//! A part of the usage graph: some secrets, and the services and stacks that have to do with them.

use std::collections::BTreeSet;
use std::time::Duration;

use swarmsecrets_core::Result;
use swarmsecrets_core::duration::short;
use swarmsecrets_core::inventory::{Inventory, InventoryFinding, InventoryFindingKind, overdue};

/// Leaves the secrets that these names mean.
///
/// # Errors
/// As [`Inventory::find`].
pub(crate) fn to_names(inventory: &mut Inventory, names: &[String]) -> Result<()> {
    let kept = names.iter().map(|name| Ok(inventory.find(name)?.name.clone())).collect::<Result<BTreeSet<String>>>()?;
    to(inventory, &kept);
    Ok(())
}

/// Leaves the secrets whose current version is older than `limit`, and says so as a finding.
pub(crate) fn to_old(inventory: &mut Inventory, limit: Duration) {
    let kept: BTreeSet<String> = overdue(inventory, limit).into_iter().map(|s| s.name.clone()).collect();
    to(inventory, &kept);
    for secret in &mut inventory.secrets {
        let kind = InventoryFindingKind::Overdue;
        // Its rotation policy may say so already, with a reason of its own.
        if !secret.findings.iter().any(|f| f.kind == kind) {
            let text = format!("its current version is older than {}", short(limit));
            secret.findings.push(InventoryFinding { kind, text });
        }
    }
}

fn to(inventory: &mut Inventory, kept: &BTreeSet<String>) {
    inventory.secrets.retain(|s| kept.contains(&s.name));
    inventory.ambiguous.retain(|a| kept.contains(&a.name));
    inventory.findings.clear();
    let users: BTreeSet<_> = inventory.secrets.iter().flat_map(|s| &s.consumers).map(|c| &c.service().id).collect();
    inventory.services.retain(|s| users.contains(&s.id));
    let versions: BTreeSet<&str> =
        inventory.secrets.iter().flat_map(|s| &s.versions).map(|v| v.name.as_str()).collect();
    let services = &inventory.services;
    inventory.stacks.retain(|stack| {
        stack.references.iter().any(|r| versions.contains(r.secret.as_str()))
            || services.iter().any(|s| s.stack.as_deref() == Some(stack.name.as_str()))
    });
}
