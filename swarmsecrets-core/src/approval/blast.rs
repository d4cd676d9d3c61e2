//! What a plan touches, and how bad it could get, for those who approve it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{listed, quoted};
use crate::inventory::Owner;
use crate::plan::{Plan, Strategy, WarningKind, counted};
use crate::policy::Decision;

/// From so many services on a change is never of low risk.
const MANY_SERVICES: usize = 10;
/// So many names are told; the others are counted.
const NAMES_TOLD: usize = 5;

/// What a plan touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlastRadius {
    /// The services that are updated, in the order of their update.
    pub services: Vec<String>,
    /// How many tasks restart.
    pub restarts: u64,
    /// The stacks that they belong to or whose files are written.
    pub stacks: Vec<String>,
    /// The teams that the secrets belong to, as far as they are known: names, or numbers where names are not.
    pub teams: Vec<String>,
}

/// How bad a change could get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// What goes wrong is put back, and little is touched.
    Low,
    /// Something can go wrong that is not seen at once, or much is touched.
    Medium,
    /// An outage is part of it, or something cannot be put back.
    High,
}

impl RiskLevel {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How bad a change could get, and why that is thought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// The highest that one of the reasons gives.
    pub level: RiskLevel,
    /// Why, the worst first; none if it is low.
    pub reasons: Vec<String>,
}

impl BlastRadius {
    /// What this plan touches.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let theirs = plan.consumers.iter().filter_map(|consumer| consumer.stack.as_ref());
        let stacks: BTreeSet<&String> = theirs.chain(plan.stacks.iter().map(|stack| &stack.name)).collect();
        let teams: BTreeSet<String> = plan.secrets.iter().filter_map(|s| s.owner.as_ref()).flat_map(teams).collect();
        Self {
            services: plan.consumers.iter().map(|consumer| consumer.service.clone()).collect(),
            restarts: plan.restarts,
            stacks: stacks.into_iter().cloned().collect(),
            teams: teams.into_iter().collect(),
        }
    }
}

/// An owner's names are `team …` and `user …`; numbers stand for names that the account may not read.
fn teams(owner: &Owner) -> Vec<String> {
    if owner.names.is_empty() {
        return owner.teams.iter().map(ToString::to_string).collect();
    }
    owner.names.iter().filter_map(|name| name.strip_prefix("team ")).map(str::to_owned).collect()
}

impl Risk {
    /// How bad this plan could get.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut found = of_the_whole(plan);
        let mut kinds: Vec<WarningKind> = Vec::new();
        for kind in plan.warnings.iter().map(|warning| warning.kind) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        for kind in kinds {
            let Some((level, words)) = of_warning(kind) else { continue };
            let about = plan.warnings.iter().filter(|w| w.kind == kind).filter_map(|w| w.about.as_deref());
            found.push((level, [words, &told(about)].concat()));
        }
        // The sort is stable: of the same level they stay in their order.
        found.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        let level = found.first().map_or(RiskLevel::Low, |(level, _)| *level);
        Self { level, reasons: found.into_iter().map(|(_, words)| words).collect() }
    }
}

fn of_the_whole(plan: &Plan) -> Vec<(RiskLevel, String)> {
    use RiskLevel::{High, Medium};
    let mut found = Vec::new();
    let mut add = |level, words: String| found.push((level, words));
    if let Decision::NeedsApproval { reason } | Decision::Deny { reason } = &plan.decision {
        add(High, reason.clone());
    }
    if plan.strategy == Strategy::Revoke {
        add(High, "a revocation: once the canary runs on the new value nothing goes back to the old one".to_owned());
    }
    let replaced =
        plan.secrets.iter().filter(|s| s.credential.as_ref().is_some_and(|account| !account.way.holds_two()));
    let replaced: Vec<&str> = replaced.map(|s| s.secret.as_str()).collect();
    if !replaced.is_empty() {
        add(
            High,
            ["the old password ends before its users have the new one", &told(replaced.iter().copied())].concat(),
        );
    }
    if plan.allow.redeploy {
        add(Medium, "stacks may be redeployed although that changes more than the secrets".to_owned());
    }
    if plan.allow.owner {
        add(Medium, "the new versions may belong to the account alone".to_owned());
    }
    if plan.consumers.len() >= MANY_SERVICES {
        add(Medium, format!("{} are updated", counted(plan.consumers.len() as u64, "service")));
    }
    if plan.timing.grace.is_zero() && plan.strategy != Strategy::Revoke && plan.replaced().next().is_some() {
        add(Medium, "old versions are removed without a grace period".to_owned());
    }
    found
}

/// What a warning means for the risk, before the names that it is about; nothing, if it makes no change more dangerous.
fn of_warning(kind: WarningKind) -> Option<(RiskLevel, &'static str)> {
    use RiskLevel::{High, Medium};
    Some(match kind {
        WarningKind::StopFirstSingleReplica => (High, "down for a moment, having one task"),
        WarningKind::StartFirstHostPort => (High, "old and new task want the same port"),
        WarningKind::JobMode => (High, "a job runs again"),
        WarningKind::PartialView => (High, "the account does not see everything that may use the secrets"),
        WarningKind::JournalLost => (High, "what was done before is read from the world, because its journal is lost"),
        WarningKind::RestartsAgain => (Medium, "restarts more than once"),
        WarningKind::FailureActionContinue => (Medium, "Swarm itself will not stop a bad rollout"),
        WarningKind::NoHealthCheck => (Medium, "only whether it runs can be judged, without a health check"),
        WarningKind::MonitorTooShort => (Medium, "Swarm stops watching before the health check can fail"),
        WarningKind::ImageNotPinned => (Medium, "a restart may pull another image"),
        WarningKind::StackManaged => (Medium, "a redeploy of the stack would put the old version back"),
        WarningKind::TooLong => (Medium, "may take longer than it should"),
        WarningKind::NoTasks => (Medium, "no task runs to prove that the new value works"),
        WarningKind::Ownership => (Medium, "the owner cannot be carried over as it is"),
        WarningKind::NoConsumers => return None,
    })
}

/// Names behind a reason: `` : `a`, `b` and 3 more ``.
pub(super) fn told<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let mut shown: Vec<String> = names.iter().take(NAMES_TOLD).map(|name| quoted(name)).collect();
    match names.len() {
        0 => return String::new(),
        n if n > NAMES_TOLD => shown.push(format!("{} more", n - NAMES_TOLD)),
        _ => {}
    }
    format!(": {}", listed(shown))
}

#[cfg(test)]
mod tests {
    use super::super::example::plan_as;
    use super::*;
    use crate::ids::{TeamId, UserId};
    use crate::plan::Warning;

    #[test]
    fn the_blast_radius_names_what_is_touched() {
        let blast = BlastRadius::of(&plan_as(|content| {
            content.consumers[0].stack = Some("shop".into());
            content.secrets[0].owner.as_mut().unwrap().names = vec!["team ops".into()];
            content.restarts = 5;
        }));
        assert_eq!((blast.services, blast.restarts), (vec!["web".to_owned(), "worker".to_owned()], 5));
        assert_eq!((blast.stacks, blast.teams), (vec!["shop".to_owned()], vec!["ops".to_owned()]));
        let mixed = Owner {
            users: vec![UserId(1)],
            teams: vec![TeamId(7)],
            names: vec!["team a".into(), "user team b".into()],
            ..Owner::default()
        };
        assert_eq!(teams(&mixed), ["a"]);
        assert_eq!(teams(&Owner { names: vec![], ..mixed }), ["7"]);
    }

    #[test]
    fn the_risk_is_that_of_its_worst_reason() {
        let risk = |change: fn(&mut crate::plan::Content)| Risk::of(&plan_as(change));
        assert_eq!(risk(|_| {}), Risk { level: RiskLevel::Low, reasons: vec![] });
        let warn = |kind, about: &str| Warning { kind, about: Some(about.into()), text: String::new() };
        let medium = Risk::of(&plan_as(|c| c.warnings.push(warn(WarningKind::NoHealthCheck, "web"))));
        assert_eq!(medium.level, RiskLevel::Medium);
        assert_eq!(medium.reasons, ["only whether it runs can be judged, without a health check: `web`"]);
        let high = Risk::of(&plan_as(|c| {
            c.allow.owner = true;
            c.strategy = Strategy::Revoke;
            c.warnings.extend((0..7).map(|n| warn(WarningKind::StopFirstSingleReplica, &format!("s{n}\u{1b}"))));
        }));
        assert_eq!(high.level, RiskLevel::High);
        assert_eq!(
            high.reasons,
            [
                "a revocation: once the canary runs on the new value nothing goes back to the old one",
                "down for a moment, having one task: `s0\\u{1b}`, `s1\\u{1b}`, `s2\\u{1b}`, `s3\\u{1b}`, `s4\\u{1b}` and 2 more",
                "the new versions may belong to the account alone",
            ]
        );
        let labelled = risk(|c| c.decision = Decision::NeedsApproval { reason: "the secret `db` is critical".into() });
        assert_eq!(labelled.reasons, ["the secret `db` is critical"]);
        assert_eq!(labelled.level, RiskLevel::High);
    }
}
