//! What the policies say to a plan.

use std::collections::HashMap;

use super::document::{Content, PlanKind, PlannedSecret};
use super::request::{Strategy, ValueRecipe};
use super::seal::Plan;
use crate::error::Result;
use crate::inventory::{Inventory, LogicalSecret};
use crate::policy::{Act, Action, Decision, Guard, Policy};

impl Plan {
    /// The same plan with the decision that policies make of it, if that is stricter: its digest is another one then.
    ///
    /// # Errors
    /// `Invalid` if the plan cannot be encoded.
    pub fn judged<'p>(self, policies: impl IntoIterator<Item = &'p Policy>, inventory: &Inventory) -> Result<Self> {
        let mut content = self.into_content();
        let acts = acts(&content, inventory, content.agent.as_deref());
        let said = policies.into_iter().map(|policy| decision(&content, &acts, policy));
        content.decision = said.fold(content.decision.clone(), Decision::stricter);
        Self::seal(content)
    }
}

/// What a policy says to a plan, whenever that is carried out.
pub(crate) fn decision(plan: &Content, acts: &[Act<'_>], policy: &Policy) -> Decision {
    let of = |(act, secret): (&Act<'_>, &PlannedSecret)| {
        let said = policy.decide(act);
        let said = match (plan.kind, plan.strategy) {
            (PlanKind::Rotate, Strategy::Swap | Strategy::Overlap) => {
                said.stricter(policy.judge_grace(act, plan.timing.grace))
            }
            _ => said,
        };
        match &secret.recipe {
            ValueRecipe::Generate(spec) => said.stricter(policy.judge_generated(act, spec)),
            ValueRecipe::Supplied | ValueRecipe::Source(_) => said,
        }
    };
    acts.iter().zip(&plan.secrets).map(of).fold(Decision::Allow, Decision::stricter)
}

/// What policies say to a plan as the world is now, and what labels alone say where there are none.
pub(crate) fn decide_now(plan: &Content, acts: &[Act<'_>], guards: &[Guard]) -> Decision {
    let builtin = Policy::default();
    let policies = guards.iter().map(Guard::policy).chain([&builtin]);
    policies.map(|policy| decision(plan, acts, policy)).fold(plan.decision.clone(), Decision::stricter)
}

/// What a plan does to each of its secrets when this agent, or nobody's agent, carries it out; with all that policies select by.
pub(crate) fn acts<'a>(plan: &'a Content, inventory: &'a Inventory, agent: Option<&'a str>) -> Vec<Act<'a>> {
    let secrets: HashMap<&str, &LogicalSecret> = inventory.secrets.iter().map(|s| (s.name.as_str(), s)).collect();
    let action = match (plan.kind, plan.strategy) {
        (PlanKind::Create, _) => Action::Create,
        (PlanKind::Rotate, Strategy::Revoke) => Action::Revoke,
        (PlanKind::Rotate, _) => Action::Rotate,
    };
    let of = |planned: &'a PlannedSecret| match secrets.get(planned.secret.as_str()) {
        Some(secret) => Act::on(inventory, secret, action, agent),
        None => Act {
            action,
            agent,
            environment: plan.environment,
            secret: &planned.secret,
            versions: vec![(planned.next.name.as_str(), &planned.next.labels)],
            services: Vec::new(),
            stacks: Vec::new(),
            owner: None,
        },
    };
    plan.secrets.iter().map(of).collect()
}
