//! What serves after a rotation that came to nothing, and what a person does next.

use super::report::Outcome;
use super::state::{Progress, State};
use crate::ids::{SecretName, quoted_list, ticked};
use crate::plan::{PlanKind, PlannedSecret, Strategy};

/// What is worth saying beside the reasons.
pub(super) fn words(state: &State, outcome: Outcome) -> Option<String> {
    let again = again(state);
    match outcome {
        Outcome::RolledBack => {
            let new = ticked(state.plan.secrets.iter().map(|s| s.next.name.as_str()));
            Some(format!("{}, and nothing is left of {new}: {again} begins anew", as_before(state)))
        }
        Outcome::NotStarted | Outcome::Conflict if state.is_over() && !made(state) => match state.plan.kind {
            PlanKind::Create => Some(format!("nothing was made: {again} begins anew")),
            PlanKind::Rotate => Some(format!("nothing was changed, and {}: {again} begins anew", as_before(state))),
        },
        Outcome::NeedsHuman if state.stopped.is_none() => not_put_back(state),
        _ => None,
    }
}

/// Whether a version of it was made, and is not known to have been removed again.
fn made(state: &State) -> bool {
    state.versions.iter().any(|v| v.created.is_some() && !v.withdrawn)
}

fn as_before(state: &State) -> String {
    let serve = if state.plan.secrets.len() == 1 { "serves" } else { "serve" };
    let old = ticked(state.plan.replaced().map(|v| v.name.as_str()));
    let leaked = if state.plan.strategy == Strategy::Revoke { ", although leaked" } else { "" };
    let left = services(state, |p| matches!(p, Progress::Left(_)));
    let but = if left.is_empty() { String::new() } else { format!(", but not for {left}") };
    format!("{old} {serve} as before{leaked}{but}")
}

/// The services that a revocation has left in trouble.
fn not_put_back(state: &State) -> Option<String> {
    let bad = services(state, |p| matches!(p, Progress::Failed(_) | Progress::Unsure(_)));
    let text = format!(
        "not known to work: {bad}; nothing goes back to a value that has leaked: mend that, then `swarmsecrets resume {}`",
        state.rotation
    );
    (!bad.is_empty()).then_some(text)
}

fn services(state: &State, so_far: impl Fn(&Progress) -> bool) -> String {
    let consumers = state.plan.consumers.iter().zip(&state.consumers);
    quoted_list(consumers.filter(|(_, p)| so_far(p)).map(|(planned, _)| &planned.service))
}

/// The command that asks for the same again.
fn again(state: &State) -> String {
    let verb = match (state.plan.kind, state.plan.strategy) {
        (PlanKind::Create, _) => "create",
        (PlanKind::Rotate, Strategy::Revoke) => "revoke",
        (PlanKind::Rotate, Strategy::Swap | Strategy::Overlap) => "rotate",
    };
    let names: Vec<&str> = state.plan.secrets.iter().map(in_a_command).collect();
    format!("`swarmsecrets {verb} {}`", names.join(" "))
}

/// What a secret is called on a command line. Its logical name may come from a label, and then be anything.
fn in_a_command(planned: &PlannedSecret) -> &str {
    let version = planned.previous.as_ref().map_or(&planned.next.name, |previous| &previous.name);
    if SecretName::new(&planned.secret).is_ok() { &planned.secret } else { version.as_str() }
}
