//! The usage graph as tables for people.

use std::time::Duration;

use swarmsecrets_core::duration::short;
use swarmsecrets_core::inventory::{Inventory, LogicalSecret, Owner, ServiceMode, ServiceNode, Visibility};

use crate::printable::printable;
use crate::table::{counted, lines, table};

/// One line for each logical secret, then its findings.
pub(crate) fn secrets(inventory: &Inventory, width: u16) -> String {
    let mut table = table(width, &["SECRET", "CURRENT", "VERSIONS", "AGE", "USED BY", "OWNER"]);
    for secret in &inventory.secrets {
        let current = secret.current();
        table.add_row([
            printable(&secret.name).into_owned(),
            printable(current.name.as_str()).into_owned(),
            secret.versions.len().to_string(),
            age(inventory, secret),
            used_by(secret),
            owner(current.owner.as_ref()),
        ]);
    }
    let mut out = heading(inventory);
    out.push_str(&lines(&table));
    out.push_str(&remarks(inventory));
    out
}

/// One line for each service, with the secrets that it mounts.
pub(crate) fn services(inventory: &Inventory, width: u16) -> String {
    let mut table = table(width, &["SERVICE", "MODE", "STACK", "TASKS", "SECRETS", "STATE"]);
    for service in &inventory.services {
        table.add_row([
            printable(&service.name).into_owned(),
            mode(service.mode),
            service.stack.as_deref().map(printable).unwrap_or_default().into_owned(),
            format!("{}/{}", service.tasks.running, service.tasks.desired),
            references(service),
            service.tasks.trouble.as_deref().map_or_else(|| "converged".into(), |t| printable(t).into_owned()),
        ]);
    }
    let mut out = heading(inventory);
    out.push_str(&lines(&table));
    out
}

fn heading(inventory: &Inventory) -> String {
    let seen = match &inventory.visibility {
        Visibility::Full => "everything is visible".to_owned(),
        Visibility::Partial { reason } => format!("PARTIAL VIEW: {}", printable(reason)),
    };
    let simulated = if inventory.simulated { " (SIMULATED)" } else { "" };
    format!(
        "environment {}{simulated}, seen by {}: {}, {}, {}; {seen}\n",
        inventory.environment,
        printable(&inventory.account.name),
        counted(inventory.secrets.len(), "secret"),
        counted(inventory.services.len(), "service"),
        counted(inventory.stacks.len(), "stack"),
    )
}

fn age(inventory: &Inventory, secret: &LogicalSecret) -> String {
    let age = inventory.taken_at.duration_since(secret.current().created);
    // A clock that is behind the Swarm's is no reason for a negative age.
    short(Duration::try_from(age).unwrap_or_default())
}

fn used_by(secret: &LogicalSecret) -> String {
    let current = secret.current().name.as_str();
    let mut names: Vec<String> = secret
        .consumers
        .iter()
        .map(|c| (printable(&c.service().name), &c.reference().name))
        .map(|(service, version)| match version == current {
            true => service.into_owned(),
            false => format!("{service} ({})", printable(version)),
        })
        .collect();
    names.dedup();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn references(service: &ServiceNode) -> String {
    let names: Vec<_> = service.references.iter().map(|r| printable(&r.name)).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn owner(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "administrators".to_owned(), |owner| printable(&owner.to_string()).into_owned())
}

fn mode(mode: ServiceMode) -> String {
    match mode {
        ServiceMode::Replicated(n) => format!("replicated {n}"),
        ServiceMode::Global => "global".to_owned(),
        ServiceMode::ReplicatedJob => "replicated job".to_owned(),
        ServiceMode::GlobalJob => "global job".to_owned(),
    }
}

fn remarks(inventory: &Inventory) -> String {
    let mut out = String::new();
    for secret in &inventory.secrets {
        for finding in &secret.findings {
            out.push_str(&format!("! {}: {}\n", printable(&secret.name), printable(&finding.text)));
        }
    }
    for finding in &inventory.findings {
        out.push_str(&format!("! {}\n", printable(&finding.text)));
    }
    for ambiguity in &inventory.ambiguous {
        out.push_str(&format!("? {}: {}\n", printable(&ambiguity.name), printable(&ambiguity.text)));
    }
    out
}
