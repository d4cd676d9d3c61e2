//! Whether an entry of the policy is about what somebody wants to do.

use std::collections::BTreeMap;

use wildmatch::WildMatch;

use super::document::{Action, Select};
use crate::ids::EnvironmentId;
use crate::inventory::{Consumer, Inventory, Labels, LogicalSecret, Owner, ServiceNode, StackNode};

/// What somebody wants to do to one logical secret, and all that the policy selects by.
#[derive(Clone, Debug)]
pub struct Act<'a> {
    /// What is to be done.
    pub action: Action,
    /// The AI agent that asks, if one says so.
    pub agent: Option<&'a str>,
    /// The environment.
    pub environment: EnvironmentId,
    /// The logical secret's name.
    pub secret: &'a str,
    /// The labels of each of its versions, with the version's name.
    pub versions: Vec<(&'a str, &'a Labels)>,
    /// The labels of each service that would be restarted, with the service's name.
    pub services: Vec<(&'a str, &'a Labels)>,
    /// The stacks whose services use it or whose files name it.
    pub stacks: Vec<&'a str>,
    /// Who may see it.
    pub owner: Option<&'a Owner>,
}

impl<'a> Act<'a> {
    /// What somebody wants to do to a secret that is there.
    #[must_use]
    pub fn on(inventory: &'a Inventory, secret: &'a LogicalSecret, action: Action, agent: Option<&'a str>) -> Self {
        let mut services: Vec<&ServiceNode> = secret.consumers.iter().map(Consumer::service).collect();
        services.dedup_by(|a, b| a.id == b.id);
        let names = |stack: &&StackNode| {
            let mut named = stack.references.iter().map(|reference| reference.secret.as_str());
            named.any(|name| secret.versions.iter().any(|version| version.name.as_str() == name))
        };
        let mut stacks: Vec<&str> = services.iter().filter_map(|service| service.stack.as_deref()).collect();
        stacks.extend(inventory.stacks.iter().filter(names).map(|stack| stack.name.as_str()));
        stacks.sort_unstable();
        stacks.dedup();
        Self {
            action,
            agent,
            environment: inventory.environment,
            secret: &secret.name,
            versions: secret.versions.iter().map(|v| (v.name.as_str(), &v.labels)).collect(),
            services: services.into_iter().map(|service| (service.name.as_str(), &service.labels)).collect(),
            stacks,
            owner: secret.current().owner.as_ref(),
        }
    }
}

/// Which way an entry goes: what tightens holds in doubt, what loosens does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Tightens,
    Loosens,
}

/// What is meant by an entry, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selector {
    secrets: Option<Vec<WildMatch>>,
    labels: BTreeMap<String, WildMatch>,
    stacks: Option<Vec<WildMatch>>,
    environments: Option<Vec<u64>>,
    teams: Option<Vec<WildMatch>>,
    actions: Option<Vec<Action>>,
    agents: Option<Vec<WildMatch>>,
}

impl Selector {
    /// # Errors
    /// Why it can never hold.
    pub(super) fn new(select: Select) -> Result<Self, String> {
        Ok(Self {
            secrets: patterns("secrets", select.secrets)?,
            labels: labels(select.labels)?,
            stacks: patterns("stacks", select.stacks)?,
            environments: some("environments", select.environments)?,
            teams: patterns("teams", select.teams)?,
            actions: some("actions", select.actions)?,
            agents: patterns("agents", select.agents)?,
        })
    }

    /// Whether it asks for this label with this value.
    pub(super) fn asks_for(&self, label: &str, value: &str) -> bool {
        self.labels.get(label).is_some_and(|pattern| pattern.matches(value))
    }

    pub(super) fn holds(&self, act: &Act<'_>, way: Way) -> bool {
        let one = |wanted: &Option<Vec<WildMatch>>, name: &str| wanted.as_ref().is_none_or(|all| matches(all, name));
        let stack = |wanted: &Vec<WildMatch>| act.stacks.iter().any(|stack| matches(wanted, stack));
        self.actions.as_ref().is_none_or(|wanted| wanted.contains(&act.action))
            && self.environments.as_ref().is_none_or(|wanted| wanted.contains(&act.environment.0))
            && self.agents.as_ref().is_none_or(|wanted| act.agent.is_some_and(|agent| matches(wanted, agent)))
            && one(&self.secrets, act.secret)
            && self.stacks.as_ref().is_none_or(stack)
            && self.teams.as_ref().is_none_or(|wanted| owned(wanted, act.owner, way))
            && self.labelled(act, way)
    }

    fn labelled(&self, act: &Act<'_>, way: Way) -> bool {
        let carries = |labels: &Labels| {
            let carried =
                |(key, wanted): (&String, &WildMatch)| labels.get(key).is_some_and(|v| wanted.matches(v.trim()));
            self.labels.iter().all(carried)
        };
        match way {
            _ if self.labels.is_empty() => true,
            Way::Tightens => act.versions.iter().chain(&act.services).any(|(_, labels)| carries(labels)),
            Way::Loosens => !act.versions.is_empty() && act.versions.iter().all(|(_, labels)| carries(labels)),
        }
    }
}

fn matches(wanted: &[WildMatch], name: &str) -> bool {
    wanted.iter().any(|pattern| pattern.matches(name))
}

/// A name that the account may not read is given as the team's number.
fn owned(wanted: &[WildMatch], owner: Option<&Owner>, way: Way) -> bool {
    let Some(owner) = owner else { return false };
    let numbers = owner.teams.iter().any(|team| matches(wanted, &team.to_string()));
    let names: Vec<&str> = owner.names.iter().filter_map(|name| name.strip_prefix("team ")).collect();
    let unread = names.len() < owner.teams.len() || names.iter().any(|name| name.bytes().all(|b| b.is_ascii_digit()));
    numbers
        || names.iter().any(|name| matches(wanted, name))
        || (way == Way::Tightens && unread && !owner.teams.is_empty())
}

fn some<T>(key: &str, list: Option<Vec<T>>) -> Result<Option<Vec<T>>, String> {
    match list {
        Some(list) if list.is_empty() => {
            Err(format!("`{key}` is empty, so that this can never hold: leave it out to mean all"))
        }
        list => Ok(list),
    }
}

fn patterns(key: &str, list: Option<Vec<String>>) -> Result<Option<Vec<WildMatch>>, String> {
    let Some(list) = some(key, list)? else { return Ok(None) };
    let pattern = |text: String| match text.trim() {
        "" => Err(format!("an entry of `{key}` is empty, and can never hold")),
        _ => Ok(WildMatch::new(&text)),
    };
    list.into_iter().map(pattern).collect::<Result<Vec<_>, _>>().map(Some)
}

fn labels(labels: Option<BTreeMap<String, String>>) -> Result<BTreeMap<String, WildMatch>, String> {
    let Some(labels) = labels else { return Ok(BTreeMap::new()) };
    if labels.is_empty() {
        return Err("`labels` is empty: leave it out to mean all".into());
    }
    let pattern = |(key, value): (String, String)| match key.trim() {
        "" => Err("a label in `labels` has no name, and can never hold".to_owned()),
        _ => Ok((key, WildMatch::new(value.trim()))),
    };
    labels.into_iter().map(pattern).collect()
}
