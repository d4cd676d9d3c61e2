//! What is worth saying about a logical secret.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::label::ROTATION_POLICY;
use super::rotation_policy::greatest_age;
use super::{
    Consumer, Inventory, InventoryFinding, InventoryFindingKind, LogicalSecret, SecretReference, SecretVersion,
    StackNode, Visibility,
};
use crate::ids::{quoted, quoted_list};

/// What uses secrets beside the specs of services.
pub(super) struct Uses<'a> {
    living: &'a HashSet<&'a str>,
    in_files: HashSet<&'a str>,
    everything_is_seen: bool,
    now: Timestamp,
}

impl<'a> Uses<'a> {
    pub(super) fn new(
        living: &'a HashSet<&'a str>,
        stacks: &'a [StackNode],
        visibility: &Visibility,
        now: Timestamp,
    ) -> Self {
        let in_files = stacks.iter().flat_map(|s| &s.references).map(|r| r.secret.as_str()).collect();
        Self { living, in_files, everything_is_seen: *visibility == Visibility::Full, now }
    }

    fn has(&self, version: &SecretVersion, secret: &LogicalSecret) -> bool {
        let (id, name) = (version.id.as_str(), version.name.as_str());
        secret.consumers.iter().map(Consumer::reference).any(|r| r.id == id || r.name == name)
            || self.living.contains(id)
            || self.in_files.contains(name)
    }
}

/// The findings that follow from the secret itself and from what uses it.
pub(super) fn findings(secret: &LogicalSecret, uses: &Uses<'_>) -> Vec<InventoryFinding> {
    let mut found = Vec::new();
    if uses.everything_is_seen {
        unused(secret, uses, &mut found);
    }
    several_versions(secret, &mut found);
    policy(secret, uses.now, &mut found);
    found
}

fn unused(secret: &LogicalSecret, uses: &Uses<'_>, into: &mut Vec<InventoryFinding>) {
    let idle = |version: &&SecretVersion| !uses.has(version, secret);
    if secret.versions.iter().all(|version| idle(&version)) {
        let text = "no service, no task and no stack file uses it".to_owned();
        into.push(InventoryFinding { kind: InventoryFindingKind::Unused, text });
        return;
    }
    let older = secret.versions.iter().filter(|v| v.id != secret.current().id);
    into.extend(older.filter(idle).map(|version| {
        let text = format!("nothing uses the older version {}", quoted(version.name.as_str()));
        InventoryFinding { kind: InventoryFindingKind::UnusedVersion, text }
    }));
}

fn several_versions(secret: &LogicalSecret, into: &mut Vec<InventoryFinding>) {
    if secret.consumers.windows(2).all(|pair| same_version(&pair[0], &pair[1])) {
        return;
    }
    let mut users: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for consumer in &secret.consumers {
        let SecretReference { name, id, .. } = consumer.reference();
        users.entry((name, id)).or_default().insert(&consumer.service().name);
    }
    let each = users.iter().map(|((version, _), services)| format!("{} by {}", quoted(version), quoted_list(services)));
    let text = format!("several versions are in use: {}", each.collect::<Vec<_>>().join("; "));
    into.push(InventoryFinding { kind: InventoryFindingKind::SeveralVersions, text });
}

fn same_version(a: &Consumer, b: &Consumer) -> bool {
    a.reference().id == b.reference().id && a.reference().name == b.reference().name
}

fn policy(secret: &LogicalSecret, now: Timestamp, into: &mut Vec<InventoryFinding>) {
    let current = secret.current();
    let Some(policy) = current.labels.get(ROTATION_POLICY) else { return };
    let said = quoted(policy);
    match greatest_age(policy) {
        None => {
            let text = format!(
                "its {ROTATION_POLICY} {said} is not understood: write monthly, weekly, daily, quarterly, yearly, 90d or 24h"
            );
            into.push(InventoryFinding { kind: InventoryFindingKind::BadPolicy, text });
        }
        Some(limit) if age(current, now) > limit => {
            let text = format!(
                "{} is {} old and its {ROTATION_POLICY} is {said}",
                quoted(current.name.as_str()),
                in_days(age(current, now))
            );
            into.push(InventoryFinding { kind: InventoryFindingKind::Overdue, text });
        }
        Some(_) => {}
    }
}

/// How old a version is; a clock that is behind makes it new, not ancient.
fn age(version: &SecretVersion, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(version.created)).unwrap_or_default()
}

fn in_days(age: Duration) -> String {
    let hours = age.as_secs() / 3600;
    if hours < 48 { format!("{hours} hours") } else { format!("{} days", hours / 24) }
}

/// The logical secrets whose current version is older than this, oldest first.
#[must_use]
pub fn overdue(inventory: &Inventory, older_than: Duration) -> Vec<&LogicalSecret> {
    let old = |s: &&LogicalSecret| age(s.current(), inventory.taken_at) > older_than;
    let mut found: Vec<&LogicalSecret> = inventory.secrets.iter().filter(old).collect();
    found.sort_by_key(|secret| secret.current().created);
    found
}
