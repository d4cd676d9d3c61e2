//! Resources, placement, limits and capabilities.

use serde_json::{Value, json};

use super::super::tree::Node;
use super::answer::CannotTell;
use super::field::Field;
use super::quantities::{bytes, cpus};

type Told<T> = Result<T, CannotTell>;

/// `resources`.
pub(super) fn resources(field: &Field<'_>) -> Told<Value> {
    let mut resources = json!({});
    for part in field.entries()? {
        let key = match part.key() {
            "limits" => "Limits",
            "reservations" => "Reservations",
            _ => return part.unknown(),
        };
        for amount in part.entries()? {
            let (what, value) = match amount.key() {
                "cpus" => ("NanoCPUs", json!(cpus(&amount)?)),
                "memory" => ("MemoryBytes", json!(bytes(&amount)?)),
                "pids" if key == "Limits" => ("Pids", json!(amount.int()?)),
                _ => return amount.unknown(),
            };
            resources[key][what] = value;
        }
    }
    Ok(resources)
}

/// `placement`.
pub(super) fn placement(field: &Field<'_>) -> Told<Value> {
    let mut placement = json!({});
    for part in field.entries()? {
        match part.key() {
            "constraints" => placement["Constraints"] = json!(part.texts()?),
            "max_replicas_per_node" => placement["MaxReplicas"] = json!(part.int()?),
            "preferences" => {
                let spread = |item: &Field<'_>| Ok(json!({"Spread": {"SpreadDescriptor": item.get("spread").text()?}}));
                placement["Preferences"] = part.items()?.iter().map(spread).collect::<Told<Vec<_>>>()?.into();
            }
            _ => return part.unknown(),
        }
    }
    Ok(placement)
}

/// `ulimits`, by name.
pub(super) fn ulimits(field: &Field<'_>) -> Told<Value> {
    let mut limits = Vec::new();
    for entry in field.entries()? {
        let (soft, hard) = match entry.node() {
            Node::Map(_) => (entry.get("soft").int()?, entry.get("hard").int()?),
            _ => (entry.int()?, entry.int()?),
        };
        limits.push((entry.key().to_owned(), json!({"Name": entry.key(), "Soft": soft, "Hard": hard})));
    }
    limits.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(limits.into_iter().map(|(_, limit)| limit).collect())
}

/// Capabilities by their full names, in order.
pub(super) fn capabilities(field: &Field<'_>) -> Told<Vec<String>> {
    let full = |name: &str| {
        let name = name.to_ascii_uppercase();
        if name == "ALL" || name.starts_with("CAP_") { name } else { format!("CAP_{name}") }
    };
    let mut all: Vec<String> = field.texts()?.into_iter().map(full).collect();
    if all.iter().any(|name| name.contains("RESET")) {
        return field.cannot("`RESET` is not understood");
    }
    all.sort();
    all.dedup();
    Ok(all)
}
