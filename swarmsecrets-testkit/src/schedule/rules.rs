//! What must be so before a mutation may arrive.

use swarmsecrets_core::journal::ChangeRecord;
use swarmsecrets_core::plan::{PlannedConsumer, WarningKind};
use swarmsecrets_core::rotation::{Progress, Stage, State};

use super::begun::{Begun, Pair};
use super::providers;
use super::truth::Verdict;

/// Why something is undone when a person says so.
pub(super) const BY_HAND: &str = "somebody says so";

/// Nothing of a spec may change but the references that the plan names, all of them together and in one direction.
pub(super) fn only_references(begun: &Begun, service: &str, served: &str, sent: &str) -> Verdict {
    let wrong = |why: &str| Err(why.to_owned());
    let mounts = begun.mounts(service);
    if mounts.is_empty() {
        return wrong("the plan does not name the service");
    }
    if mounts.iter().any(|(_, pair)| pair.new.is_none()) {
        return wrong("sent before all the new versions are there");
    }
    let providers::Apart { served, sent, changes } = providers::apart(begun, service, served, sent)?;
    if plain(&mounts, &served) != plain(&mounts, &sent) {
        return wrong("it changes more of the spec than references");
    }
    let (before, after) = (references(&served), references(&sent));
    let mut forward = Vec::new();
    for (was, is) in before.iter().zip(&after).filter(|(was, is)| was != is) {
        let mount = mounts.iter().find(|(target, _)| *target == was.0);
        let Some((_, pair)) = mount.filter(|_| was.0 == is.0) else {
            return wrong("it changes a reference that is not its own");
        };
        let (old, new) = (pair.old_id(), pair.new.unwrap_or_default());
        match (was.1.as_str(), is.1.as_str()) {
            (from, to) if (from, to) == (old, new) => forward.push(true),
            (from, to) if (from, to) == (new, old) => forward.push(false),
            _ => return wrong("it changes a reference to something else than the plan's versions"),
        }
    }
    if forward.contains(&true) && forward.contains(&false) {
        return wrong("it goes forward and back at once");
    }
    // What somebody else has changed meanwhile does not hold the rest back.
    let stays = |(target, id): &(String, String)| {
        mounts.iter().any(|(mounted, pair)| mounted == target && pair.new == Some(id.as_str()))
    };
    let theirs = |(target, pair): &&(&str, Pair<'_>)| {
        let was = before.iter().find(|(t, _)| t == target).map(|(_, id)| id.as_str());
        was != Some(pair.old_id()) && was != pair.new
    };
    let left = mounts.iter().filter(theirs).count();
    let whole = if forward.contains(&false) { !after.iter().any(stays) } else { forward.len() + left == mounts.len() };
    // A provider may have all the rest already.
    let whole = whole || (forward.is_empty() && changes);
    if !whole {
        return wrong("it changes some of the references of a service and not the others");
    }
    Ok(())
}

/// The text with old and new versions made the same.
fn plain(mounts: &[(&str, Pair<'_>)], text: &str) -> String {
    mounts.iter().fold(text.to_owned(), |text, (_, pair)| {
        let name = pair.new_name.as_str();
        let old = pair.old.map_or(name, |old| old.name.as_str());
        let text = text.replace(&format!("\"{old}\""), &format!("\"{name}\""));
        text.replace(&format!("\"{}\"", pair.old_id()), &format!("\"{}\"", pair.new.unwrap_or_default()))
    })
}

fn references(spec: &str) -> Vec<(String, String)> {
    crate::sim::secret_references(&serde_json::from_str(spec).unwrap_or_default())
}

/// A consumer is moved in its turn: after the waves before its own, beside no more others than the plan says, and not
/// once the budget of failures is spent.
pub(super) fn in_turn(state: &State, change: &ChangeRecord, lacks: impl Fn(&str) -> bool) -> Verdict {
    let asked = state.undo.as_deref() == Some(BY_HAND);
    let service = match change {
        ChangeRecord::Update { service } => service,
        ChangeRecord::Restore { service } if state.goes_on_in_spite_of_failures() && !asked => {
            if providers::goes_back(state, service.as_str()) {
                return Ok(());
            }
            return Err("a service goes back to a value that is revoked".into());
        }
        _ => return Ok(()),
    };
    let consumers = || state.plan.consumers.iter().zip(&state.consumers);
    let Some((planned, progress)) = consumers().find(|(planned, _)| planned.id == *service) else {
        return Err("the plan does not name the service".into());
    };
    if providers::provides(state, planned) && matches!(change, ChangeRecord::Update { .. }) {
        return providers::in_turn(state, progress, lacks(service.as_str()));
    }
    if !matches!(state.stage, Stage::Update) {
        return Err(format!("it is moved in {:?}", state.stage));
    }
    if *progress != Progress::Begun {
        return Err(format!("it is moved without being begun ({progress:?})"));
    }
    let done = |p: &Progress| matches!(p, Progress::Converged(_) | Progress::Left(_));
    let goes_on = state.goes_on_in_spite_of_failures();
    let before = |other: &PlannedConsumer| other.wave < planned.wave;
    if let Some((other, how)) = consumers()
        .filter(|(other, _)| before(other))
        .find(|(_, p)| !(done(p) || goes_on && matches!(p, Progress::Failed(_) | Progress::Unsure(_))))
    {
        return Err(format!("it is moved in wave {} while {} is {how:?}", planned.wave, other.service));
    }
    let in_hand = consumers().filter(|(_, p)| **p == Progress::Begun).count();
    let recovered = state.plan.warnings.iter().any(|warning| warning.kind == WarningKind::JournalLost);
    if in_hand > state.plan.rollout.concurrency as usize && !recovered {
        return Err(format!("{in_hand} consumers are in hand"));
    }
    if state.failures > state.plan.rollout.failures {
        return Err(format!("{} failures are beyond the budget", state.failures));
    }
    Ok(())
}
