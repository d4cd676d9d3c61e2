//! A rotation that was begun, as its journal tells of it.

use std::collections::BTreeMap;

use swarmsecrets_core::ids::SecretName;
use swarmsecrets_core::plan::{Plan, PlannedMount, PlannedSecret, VersionRef};

use super::script::Op;

/// A rotation that was begun.
pub(super) struct Begun {
    pub(super) plan: Plan,
    pub(super) op: Op,
    /// The ids of the new versions, by the names of their secrets.
    pub(super) created: BTreeMap<String, String>,
    /// The plans of those who have taken it up without its journal, the last one last: each may see another part of it.
    again: Vec<Plan>,
    /// Whether its journal was lost.
    pub(super) lost: bool,
    /// The versions from which it began whose passwords did not log in then, as a rotation before it is not over.
    pub(super) dead: Vec<String>,
}

/// One secret of a rotation: from which version to which.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) old: Option<&'a VersionRef>,
    pub(super) new: Option<&'a str>,
    pub(super) new_name: &'a SecretName,
}

impl<'a> Pair<'a> {
    pub(super) fn old_id(self) -> &'a str {
        self.old.map_or("", |old| old.id.as_str())
    }
}

impl Begun {
    pub(super) fn new(plan: &Plan, op: Op, works: impl Fn(&str) -> Option<bool>) -> Self {
        let old = plan.replaced().map(|old| old.id.to_string());
        let dead = old.filter(|id| works(id) == Some(false)).collect();
        Self { plan: plan.clone(), op, created: BTreeMap::new(), again: Vec::new(), lost: false, dead }
    }

    /// It is begun again from what can be seen of it in the world.
    pub(super) fn anew(&mut self, plan: &Plan) {
        self.again.push(plan.clone());
    }

    fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.again.iter().rev().chain([&self.plan])
    }

    /// The secrets, by their places in the plan.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        (0..self.plan.secrets.len()).map(|n| self.pair(n))
    }

    pub(super) fn pair(&self, n: usize) -> Pair<'_> {
        self.pair_of(&self.plan.secrets[n])
    }

    fn pair_of<'a>(&'a self, secret: &'a PlannedSecret) -> Pair<'a> {
        let new = self.created.get(&secret.secret).map(String::as_str);
        Pair { old: secret.previous.as_ref(), new, new_name: &secret.next.name }
    }

    /// The secret of this name.
    pub(super) fn pair_named(&self, name: &str) -> Option<Pair<'_>> {
        self.plans().flat_map(|plan| &plan.secrets).find(|secret| secret.secret == name).map(|s| self.pair_of(s))
    }

    /// The places where a service mounts a version, by target.
    pub(super) fn mounts(&self, service: &str) -> Vec<(&str, Pair<'_>)> {
        let mut plans = self.plans().filter_map(|plan| {
            let consumer = plan.consumers.iter().find(|consumer| consumer.id.as_str() == service)?;
            let mount = |mount: &'_ PlannedMount| self.pair_of(&plan.secrets[mount.secret]);
            Some(consumer.mounts.iter().map(|m| (m.target.as_str(), mount(m))).collect())
        });
        plans.next().unwrap_or_default()
    }
}
