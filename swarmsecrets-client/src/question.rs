//! What policies are asked, and what they say.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use swarmsecrets_core::Result;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::policy::{Act, Action, Decision, Due, Policy, Ruling, all_due};

/// Whether something may be done to a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The secret: its logical name, or the name of one of its versions; for a first version the name that it is to have.
    pub secret: String,
    /// What is to be done.
    pub action: Action,
    /// When: now, if that is not said.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// What policies say to one act: every part that holds, the one that decides first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Said {
    /// The parts.
    pub rulings: Vec<Part>,
    /// Why it may not be done at that time, if it may not.
    pub closed: Option<String>,
    /// The limits that it falls under, in words.
    pub limits: Vec<String>,
    /// What is asked of its new values, in words.
    pub values: Vec<String>,
}

/// What one part of a policy says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Part {
    /// The rule, phase or label.
    pub by: String,
    /// What it says.
    #[serde(flatten)]
    pub decision: Decision,
    /// The policy that it stands in.
    pub policy: String,
}

/// When a secret is to be rotated, and whether that is now.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    /// When, and who says so.
    #[serde(flatten)]
    pub due: Due,
    /// Whether the time has come.
    pub overdue: bool,
}

/// When the secrets of a Swarm are to be rotated, the soonest first.
#[must_use]
pub fn listed(policies: &[&Policy], inventory: &Inventory, now: Timestamp) -> Vec<Listed> {
    let one = |due: Due| Listed { overdue: due.is_due(now), due };
    all_due(policies, inventory).into_iter().map(one).collect()
}

impl Question {
    /// Asks policies, each with its name.
    ///
    /// # Errors
    /// As [`Inventory::find`], unless the secret is yet to be made.
    pub fn put<'p>(
        &self,
        inventory: &Inventory,
        agent: Option<&str>,
        now: Timestamp,
        policies: impl IntoIterator<Item = (&'p str, &'p Policy)>,
    ) -> Result<Said> {
        let act = self.act(inventory, agent)?;
        let mut said = Said::default();
        for (name, policy) in policies {
            let of = |ruling: Ruling| Part { by: ruling.by, decision: ruling.decision, policy: name.to_owned() };
            said.rulings.extend(policy.judge(&act).rulings.into_iter().map(of));
            let closed = policy.hours(&act).check(self.at.unwrap_or(now)).err();
            said.closed = said.closed.or(closed);
            said.limits.extend(policy.limits(&act).map(ToString::to_string));
            said.values.extend(policy.wants_of_values(&act).map(|wants| wants.to_string()));
        }
        // Stable: of those that are as strict, the order is that of the policies.
        said.rulings.sort_by_key(|one| Reverse(one.decision.strictness()));
        Ok(said)
    }

    fn act<'a>(&'a self, inventory: &'a Inventory, agent: Option<&'a str>) -> Result<Act<'a>> {
        if self.action != Action::Create {
            return Ok(Act::on(inventory, inventory.find(&self.secret)?, self.action, agent));
        }
        // As a plan of a first version does, whose name is the whole one. Which labels it will have is not known.
        let there = inventory.secrets.iter().find(|secret| secret.name == self.secret);
        Ok(there.map_or_else(
            || Act {
                action: self.action,
                agent,
                environment: inventory.environment,
                secret: &self.secret,
                versions: Vec::new(),
                services: Vec::new(),
                stacks: Vec::new(),
                owner: None,
            },
            |secret| Act::on(inventory, secret, self.action, agent),
        ))
    }
}
