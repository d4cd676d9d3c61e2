//! Whether what a report says is so.

use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::{PlanKind, Strategy};
use swarmsecrets_core::rotation::{ConsumerReport, Outcome, Report};

use super::begun::{Begun, Pair};
use super::lockouts;
use super::logins;
use super::manner::Said;
use super::providers;
use super::stage::{Live, Stage};
use super::watch::By;

pub(super) type Verdict = Result<(), String>;

/// Whether a report is true now.
pub(super) fn holds(live: &Live, report: &Report) -> Verdict {
    let Some(id) = &report.rotation else { return Ok(()) };
    let Some(begun) = live.begun.get(id) else { return Err("it was never begun".into()) };
    for said in &report.consumers {
        let told = consumer(live, id, begun, said, report.outcome);
        told.map_err(|why| format!("{} is said to be {}, but {why}", said.service, said.outcome))?;
    }
    versions(live, id, begun, report)?;
    providers::left(live, begun, report)?;
    if report.outcome == Outcome::AwaitingPatch && !report.stacks.iter().any(|s| s.outcome == "awaiting_patch") {
        return Err("no stack waits for a patch".into());
    }
    match report.outcome {
        Outcome::NeedsHuman | Outcome::Conflict if report.warnings.iter().all(|text| text.trim().is_empty()) => {
            Err("it does not say why".into())
        }
        _ => Ok(()),
    }
}

/// Whether a consumer is on the new versions, but for references that somebody else has changed and this rotation has not
/// touched since.
fn all_on_new(live: &Live, id: &RotationId, begun: &Begun, service: &str) -> bool {
    let Some(references) = live.watch.references(service) else { return false };
    let ours = By::Rotation(id.to_string());
    let mounts = begun.mounts(service);
    let is_so = |(target, pair): &(&str, Pair<'_>)| {
        let there = references.iter().find(|(t, _)| t == target).map(|(_, id)| id.as_str());
        let anothers = |version: &str| live.watch.given_by(service, version).is_some_and(|by| *by != ours);
        there.is_some_and(|version| Some(version) == pair.new || (version != pair.old_id() && anothers(version)))
    };
    mounts.iter().all(is_so) && mounts.iter().any(|(_, pair)| pair.new.is_some())
}

/// Whether a consumer is on the versions that were replaced.
pub(super) fn all_on_old(live: &Live, begun: &Begun, service: &str) -> bool {
    let Some(references) = live.watch.references(service) else { return false };
    let at = |target: &str| references.iter().find(|(t, _)| t == target).map(|(_, id)| id.as_str());
    let mounts = begun.mounts(service);
    !mounts.is_empty() && mounts.into_iter().all(|(target, pair)| at(target) == Some(pair.old_id()))
}

/// Whether somebody else has changed the references after this rotation had its last word, or, if it never had one, at all.
fn overtaken(live: &Live, service: &str, rotation: &RotationId) -> bool {
    let ours = By::Rotation(rotation.to_string());
    let changes = live.watch.changes(service);
    let last = changes.iter().rposition(|by| *by == ours);
    let since = last.map_or(1, |at| at + 1);
    changes.get(since..).is_some_and(|after| after.iter().any(|by| *by != ours))
}

/// How often a rotation changes the references of a service, if nothing comes between: a provider's twice, and once more in
/// each direction where it deploys a stack's file.
fn updates(begun: &Begun, service: &str) -> usize {
    let planned = begun.plan.consumers.iter().find(|planned| planned.id.as_str() == service);
    match planned.filter(|_| providers::besides(begun).any(|one| one.service == service)) {
        None => 1,
        Some(planned) if planned.stack.is_none() => 2,
        Some(_) => 4,
    }
}

/// Whether what a report says of one consumer is so.
fn consumer(live: &Live, id: &RotationId, begun: &Begun, said: &ConsumerReport, outcome: Outcome) -> Verdict {
    let service = said.id.as_str();
    let overtaken = overtaken(live, service, id);
    let half = matches!(outcome, Outcome::NeedsHuman);
    // Within the budget of failures it was put back; and a journal that is lost does not tell that it was touched.
    let put_back = (begun.plan.rollout.failures > 0 || begun.lost) && (overtaken || all_on_old(live, begun, service));
    let changed = live.watch.changes(service);
    let ours = changed.iter().filter(|by| **by == By::Rotation(id.to_string())).count();
    let alone = changed.iter().skip(1).all(|by| *by == By::Rotation(id.to_string()));
    let planned = begun.plan.consumers.iter().find(|planned| planned.id == said.id);
    // A rotation whose journal is lost asks nobody.
    let probed = !begun.lost && planned.is_some_and(|planned| !planned.probes.is_empty());
    let last = if probed { live.looks.last(id, service) } else { None };
    match said.outcome.as_str() {
        "applied" if last == Some(Said::Unhealthy) => Err("its probe has said last that it does not work".into()),
        "inconclusive" if !probed => Err("it has no probe".into()),
        "inconclusive" if last.is_some_and(|said| said != Said::Inconclusive) => {
            Err(format!("its probe has said last: {last:?}"))
        }
        "inconclusive" if !half => Err(format!("the whole is {outcome}")),
        "applied" if outcome == Outcome::RolledBack => Err("the whole was rolled back".into()),
        "applied" if !overtaken && !all_on_new(live, id, begun, service) => Err("it is not on the new version".into()),
        "applied"
            if outcome == Outcome::Applied
                && alone
                && !begun.lost
                && ours > updates(begun, service) + 2 * begun.plan.rollout.failures as usize =>
        {
            Err(format!("its references were changed {ours} times"))
        }
        "rolled_back" if !overtaken && !all_on_old(live, begun, service) => Err("it is not on the old version".into()),
        "left" if !overtaken && live.watch.references(service).is_some() && changed.len() < 2 => {
            Err("nobody else has touched it".into())
        }
        "not_started" if live.watch.touched(service, id.as_str()) && !put_back => Err("it was updated".into()),
        "not_started" if outcome == Outcome::Applied => Err("the whole was applied".into()),
        "failed" | "in_progress" if !half => Err(format!("the whole is {outcome}")),
        _ => Ok(()),
    }
}

/// Whether the versions that a report names are there.
fn versions(live: &Live, id: &RotationId, begun: &Begun, report: &Report) -> Verdict {
    let there = |id: &str| live.watch.secrets.contains_key(id);
    let ours = By::Rotation(id.to_string());
    let removed_by_us = |id: &str| live.watch.removed.get(id) == Some(&ours);
    if report.secrets.is_empty() {
        return Err("it names no secret".into());
    }
    for secret in &report.secrets {
        let Some(pair) = begun.pair_named(&secret.name) else { return Err(format!("it names {}", secret.name)) };
        let current = secret.current.as_ref().map(|version| version.id.as_str());
        match report.outcome {
            Outcome::Applied | Outcome::AwaitingPatch => {
                if begun.plan.kind == PlanKind::Rotate && current != pair.new {
                    return Err(format!("the current version of {} is not the one that it made", secret.name));
                }
                if pair.new.is_none_or(|new| !there(new) && removed_by_us(new)) {
                    return Err(format!("the new version of {} is not there", secret.name));
                }
            }
            Outcome::RolledBack => {
                if let Some(new) = pair.new.filter(|new| there(new)) {
                    let users = live.watch.users(new);
                    return Err(format!("the new version of {} is still there, used by {users:?}", secret.name));
                }
            }
            _ => {}
        }
        // A host without its journal may have gone on with it, once another rotation had made a newer version.
        let from = |version: &str| live.begun.values().flat_map(Begun::pairs).any(|pair| pair.old_id() == version);
        let newer = report.outcome == Outcome::RolledBack && pair.new.is_some_and(from);
        let said = |name: &str| report.warnings.iter().any(|text| text.contains(&format!("`{name}` is gone")));
        let current = secret.current.as_ref().filter(|version| !newer && !said(version.name.as_str()));
        if let Some(version) = current.filter(|version| removed_by_us(version.id.as_str())) {
            return Err(format!("it has removed {}, which it calls current", version.name));
        }
    }
    if matches!(report.outcome, Outcome::NotStarted | Outcome::Conflict) {
        let made =
            live.watch.secrets.iter().find(|(version, (_, maker))| {
                maker.as_deref() == Some(id.as_str()) && !live.watch.late.contains(*version)
            });
        if let Some((_, (name, _))) = made {
            return Err(format!("{name}, a version of it, is there"));
        }
    }
    Ok(())
}

/// What must be so at the end of a rotation that has ended.
pub(super) fn settled(stage: &Stage, report: &Report) -> Verdict {
    let live = stage.live();
    let Some(id) = &report.rotation else { return Ok(()) };
    let Some(begun) = live.begun.get(id) else { return Ok(()) };
    for said in &report.consumers {
        let service = said.id.as_str();
        // People may have scaled it up since.
        let proved = said.reason.as_ref().is_none_or(|note| !note.contains("runs no task: nothing proves"));
        let shut = begun.pairs().filter_map(|pair| pair.new).any(|new| live.belated.shut.contains(new));
        let misled = lockouts::is_misled(&live, service);
        let excused = shut || misled || overtaken(&live, service, id);
        if said.outcome == "applied" && proved && !excused && !healthy(stage, service) {
            return Err(format!("{} is said to be applied and is not healthy", said.service));
        }
    }
    let previous = report.secrets.iter().filter_map(|secret| begun.pair_named(&secret.name)?.old);
    for previous in previous.filter(|_| report.outcome == Outcome::Applied) {
        let kept = live.watch.secrets.contains_key(previous.id.as_str());
        if kept && begun.plan.strategy == Strategy::Revoke {
            return Err(format!("{} is revoked and still there", previous.name));
        }
        if kept && !report.warnings.iter().any(|text| says_why(text, previous.name.as_str())) {
            return Err(format!("{} is there after its grace, and the report does not say why", previous.name));
        }
    }
    logins::ended(stage, &live, id, begun, report)
}

/// Whether a warning says why an old version is still there: something uses it, or its grace began anew without the journal.
fn says_why(warning: &str, name: &str) -> bool {
    warning.contains(&format!("`{name}` was kept")) || warning.contains("the grace period begins anew")
}

/// Whether as many tasks run as should, all with what the spec says.
pub(super) fn healthy(stage: &Stage, service: &str) -> bool {
    use crate::sim::{Mode, TaskState, task_secrets};
    let world = stage.swarm.engine().world();
    let Some(service) = world.services.get(service) else { return false };
    let wanted = task_secrets(&service.task_spec());
    let tasks = world.tasks.values().filter(|task| task.service == service.id && task.is_wanted());
    let good = tasks.filter(|task| task.state == TaskState::Running && task_secrets(&task.spec) == wanted).count();
    match service.mode() {
        Mode::Replicated(replicas) => good as u64 >= replicas,
        _ => good > 0,
    }
}
