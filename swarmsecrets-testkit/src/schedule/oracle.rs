//! Compares what reports say with what is so.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};

use swarmsecrets_core::error::{Error, ErrorKind};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::{PlanKind, PlannedConsumer};
use swarmsecrets_core::rotation::{Outcome, Report, State};

use super::records::Disk;
use super::script::Op;
use super::stage::{Begun, Live, Stage};
use super::watch::By;

type Verdict = Result<(), String>;

/// Keeps the last report of each rotation, and all that was written.
pub(super) struct Oracle {
    stage: Arc<Stage>,
    pub(super) last: BTreeMap<RotationId, Report>,
    written: Vec<String>,
}

impl Oracle {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        Self { stage, last: BTreeMap::new(), written: Vec::new() }
    }

    /// A report came out: it must be true now.
    pub(super) fn reported(&mut self, report: Report) {
        self.written.push(serde_json::to_string(&report).unwrap_or_default());
        let judged = self.true_now(&report);
        let named = report.rotation.as_ref().map_or("-", |id| id.as_str());
        self.stage
            .check(judged.map_err(|why| format!("the report of {named} ({}) is not true: {why}", report.outcome)));
        if let Some(id) = report.rotation.clone() {
            self.last.insert(id, report);
        }
    }

    /// An operation was refused: then it has changed nothing.
    pub(super) fn refused(&mut self, who: usize, op: &Op, error: &Error) {
        self.written.push(error.to_string());
        let sent = self.stage.live().processes[who].sent;
        let many = matches!(op, Op::Resume { .. } | Op::Retire);
        if sent > 0 && !many {
            self.stage.violated(format!("{op:?} was refused ({error}) after {sent} mutations"));
        }
        // A rotation whose first entry is torn was never begun: its journal is empty.
        let expected = ["no space left", "the journal is empty"].iter().any(|text| error.message().contains(text));
        if error.kind() == ErrorKind::Journal && !expected && !many {
            self.stage.violated(format!("{op:?}: {error}"));
        }
    }

    /// Whether a rotation of these disks is half-way, or was when its process died.
    pub(super) fn is_open<'a>(&self, disks: impl Iterator<Item = MutexGuard<'a, Disk>>) -> bool {
        let open = |id: &RotationId| self.last.get(id).is_none_or(|report| report.outcome == Outcome::NeedsHuman);
        disks.into_iter().any(|disk| disk.order.iter().any(|id| open(id) || disk.ends_in_mid_air(id)))
    }

    pub(super) fn waits_for_a_patch(&self) -> bool {
        self.last.values().any(|report| report.outcome == Outcome::AwaitingPatch)
    }

    /// Takes in what a host has on its disk. What the journals come to is what is judged: a process that has died reports nothing.
    pub(super) fn read(&mut self, disk: &Disk) {
        self.written.extend(disk.journals.values().map(|entries| serde_json::to_string(entries).unwrap_or_default()));
        self.written.extend(disk.audit.iter().map(|record| serde_json::to_string(record).unwrap_or_default()));
        for (id, entries) in disk.journals.iter().filter(|(_, entries)| !entries.is_empty()) {
            match State::replay(entries.iter().map(|entry| &entry.event)) {
                Ok(state) => drop(self.last.insert(id.clone(), Report::of(&state))),
                Err(error) => self.stage.violated(format!("the journal of {id} cannot be folded: {error}")),
            }
        }
    }

    /// The judgement at the end, when all is quiet.
    pub(super) fn judge(&mut self) {
        let live = self.stage.live();
        let leaked = self.written.iter().find(|text| live.needles.stand_in(text));
        let leaked = leaked.map(|text| text.chars().take(20).collect::<String>());
        drop(live);
        if let Some(text) = leaked {
            return self.stage.violated(format!("a value stands in what was written: {text}…"));
        }
        for (id, report) in &self.last {
            let judged = self.true_now(report).and_then(|()| self.is_over(id, report));
            self.stage.check(judged.map_err(|why| format!("at the end, {id} ({}): {why}", report.outcome)));
        }
        self.stage.check(self.orphans());
        let mut live = self.stage.live();
        for report in self.last.values() {
            *live.tally.outcomes.entry(report.outcome.to_string()).or_default() += 1;
        }
    }

    fn true_now(&self, report: &Report) -> Verdict {
        let live = self.stage.live();
        let Some(id) = &report.rotation else { return Ok(()) };
        let Some(begun) = live.begun.get(id) else { return Err("it was never begun".into()) };
        for (planned, said) in begun.plan.consumers.iter().zip(&report.consumers) {
            let told = consumer(&live, id, begun, planned, &said.outcome, report.outcome);
            told.map_err(|why| format!("{} is said to be {}, but {why}", said.service, said.outcome))?;
        }
        versions(&live, id, begun, report)?;
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

    /// Whether a rotation has come to an end that stands, once nothing went wrong any more.
    fn is_over(&self, id: &RotationId, report: &Report) -> Verdict {
        match report.outcome {
            Outcome::Applied | Outcome::RolledBack | Outcome::NotStarted | Outcome::Conflict => {
                let live = self.stage.live();
                let Some(begun) = live.begun.get(id) else { return Ok(()) };
                settled(&self.stage, &live, begun, report)
            }
            Outcome::AwaitingPatch => Ok(()),
            Outcome::NeedsHuman => self.asks_with_reason(id, report),
            Outcome::Denied | Outcome::AwaitingApproval => Err(format!("{} without a policy", report.outcome)),
        }
    }

    /// The reasons for which a person may be asked when nothing goes wrong any more.
    fn asks_with_reason(&self, id: &RotationId, report: &Report) -> Verdict {
        let mut live = self.stage.live();
        let Some(begun) = live.begun.get(id) else { return Ok(()) };
        let said = report.warnings.iter().take(2).cloned().collect::<Vec<_>>().join(" | ");
        let new = begun.created.clone().unwrap_or_default();
        let unmoved = |service: &str| live.watch.changes(service).contains(&By::Person);
        let reason = if said.contains("cannot be removed: it is used by") {
            let users = live.watch.users(&new);
            let people = !users.is_empty() && users.iter().all(|service| unmoved(service));
            let later = said.contains("a later rotation") && self.has_later(&live, begun);
            match (people, later) {
                (true, _) => Some("others use the new version"),
                (_, true) => Some("a later rotation comes from the new version"),
                _ => None,
            }
        } else if said.contains("it cannot be undone") {
            let old = begun.plan.replaced().next().map(|old| old.id.as_str()).unwrap_or_default();
            let ours = By::Rotation(id.to_string());
            live.watch.removed.get(old).is_some_and(|by| *by != ours).then_some("others have removed the old version")
        } else if said.contains("could not be put back") {
            let failed: Vec<&PlannedConsumer> = failed(begun, report);
            let justified = failed.iter().all(|c| {
                let others = live.watch.changes(c.id.as_str()).contains(&By::Person);
                let id = begun.plan.replaced().next().map(|old| old.id.as_str()).unwrap_or_default();
                others || live.watch.removed.contains_key(id) || !healthy(&self.stage, c.id.as_str())
            });
            (!failed.is_empty() && justified).then_some("a consumer is not healthy on the old version either")
        } else {
            None
        };
        match reason {
            Some(reason) => {
                *live.tally.asked.entry(reason).or_default() += 1;
                Ok(())
            }
            None => Err(format!("a person is asked without need: {said}")),
        }
    }

    /// Whether there is a version that another rotation made from the one of this.
    fn has_later(&self, live: &Live, begun: &Begun) -> bool {
        live.begun.values().any(|other| {
            let from = other.plan.replaced().next().map(|old| old.id.as_str());
            let there = other.created.as_ref().is_some_and(|id| live.watch.secrets.contains_key(id));
            from.is_some() && from == begun.created.as_deref() && there
        })
    }

    /// Each version that a rotation made and that is still there must be accounted for by its report.
    fn orphans(&self) -> Verdict {
        let live = self.stage.live();
        for (rotation, made) in &live.watch.made {
            // A version that somebody else removed before its maker knew of it is made anew.
            let ours = By::Rotation(rotation.clone());
            let excused = made.iter().any(|id| live.watch.removed.get(id).is_some_and(|by| *by != ours));
            let late = live.begun.iter().any(|(id, begun)| id.as_str() == rotation && begun.late);
            if made.len() > 1 && !late && !excused {
                return Err(format!("rotation {rotation} has made {} versions", made.len()));
            }
        }
        for (name, rotation) in live.watch.secrets.values() {
            let Some(rotation) = rotation else { continue };
            let report = self.last.iter().find(|(id, _)| id.as_str() == rotation).map(|(_, report)| report);
            let late = live.begun.iter().any(|(id, begun)| id.as_str() == rotation && begun.late);
            let kept = report.is_some_and(|report| {
                matches!(report.outcome, Outcome::Applied | Outcome::AwaitingPatch | Outcome::NeedsHuman)
            });
            if !kept && !late {
                return Err(format!("{name} is left over of rotation {rotation}"));
            }
        }
        Ok(())
    }
}

fn failed<'a>(begun: &'a Begun, report: &Report) -> Vec<&'a PlannedConsumer> {
    let pairs = begun.plan.consumers.iter().zip(&report.consumers);
    pairs.filter(|(_, said)| said.outcome == "failed").map(|(planned, _)| planned).collect()
}

/// Whether a warning says why an old version is still there: something uses it, or its grace began anew without the journal.
fn says_why(warning: &str) -> bool {
    warning.contains("was kept") || warning.contains("the grace period begins anew")
}

/// Whether every reference of a consumer that the plan names is to this secret.
fn all_on(live: &Live, planned: &PlannedConsumer, secret: &str) -> bool {
    let Some(references) = live.watch.references(planned.id.as_str()) else { return false };
    let at = |target: &String| references.iter().find(|(t, _)| t == target).map(|(_, id)| id.as_str());
    planned.mounts.iter().all(|mount| at(&mount.target) == Some(secret))
}

/// Whether somebody else has changed the references after this rotation had its last word, or, if it never had one, at all.
fn overtaken(live: &Live, service: &str, rotation: &RotationId) -> bool {
    let ours = By::Rotation(rotation.to_string());
    let changes = live.watch.changes(service);
    let last = changes.iter().rposition(|by| *by == ours);
    let since = last.map_or(1, |at| at + 1);
    changes.get(since..).is_some_and(|after| after.iter().any(|by| *by != ours))
}

/// Whether what a report says of one consumer is so.
fn consumer(
    live: &Live,
    id: &RotationId,
    begun: &Begun,
    planned: &PlannedConsumer,
    said: &str,
    outcome: Outcome,
) -> Verdict {
    let service = planned.id.as_str();
    let new = begun.created.as_deref().unwrap_or_default();
    let old = begun.plan.replaced().next().map(|old| old.id.as_str()).unwrap_or_default();
    let overtaken = overtaken(live, service, id);
    let half = matches!(outcome, Outcome::NeedsHuman);
    match said {
        "applied" if outcome == Outcome::RolledBack => Err("the whole was rolled back".into()),
        "applied" if !overtaken && !all_on(live, planned, new) => Err("it is not on the new version".into()),
        "rolled_back" if !overtaken && !all_on(live, planned, old) => Err("it is not on the old version".into()),
        "left" if !overtaken && live.watch.references(service).is_some() && live.watch.changes(service).len() < 2 => {
            Err("nobody else has touched it".into())
        }
        "not_started" if live.watch.touched(service, id.as_str()) => Err("it was updated".into()),
        "not_started" if outcome == Outcome::Applied => Err("the whole was applied".into()),
        "failed" | "in_progress" if !half => Err(format!("the whole is {outcome}")),
        _ => Ok(()),
    }
}

/// Whether the versions that a report names are there.
fn versions(live: &Live, id: &RotationId, begun: &Begun, report: &Report) -> Verdict {
    let there = |id: &str| live.watch.secrets.contains_key(id);
    let removed_by = |id: &str| live.watch.removed.get(id);
    let ours = By::Rotation(id.to_string());
    let made = live.watch.made.get(id.as_str()).and_then(|made| made.first());
    let Some(secret) = report.secrets.first() else { return Err("it names no secret".into()) };
    let new = begun.created.as_deref();
    match report.outcome {
        Outcome::Applied | Outcome::AwaitingPatch => {
            let current = secret.current.as_ref().map(|version| version.id.as_str());
            if begun.plan.kind == PlanKind::Rotate && current != new {
                return Err("the current version is not the one that it made".into());
            }
            if new.is_none_or(|new| !there(new) && removed_by(new) == Some(&ours)) {
                return Err("the new version is not there".into());
            }
        }
        Outcome::RolledBack => {
            if let Some(new) = new.filter(|new| there(new)) {
                return Err(format!("the new version is still there, used by {:?}", live.watch.users(new)));
            }
        }
        Outcome::NotStarted | Outcome::Conflict if made.is_some_and(|made| there(made)) && !begun.late => {
            return Err("a version of it is there".into());
        }
        _ => {}
    }
    let gone_by_us = secret.current.as_ref().filter(|version| removed_by(version.id.as_str()) == Some(&ours));
    match gone_by_us {
        Some(version) => Err(format!("it has removed {}, which it calls current", version.name)),
        None => Ok(()),
    }
}

/// What must be so at the end of a rotation that has ended.
fn settled(stage: &Stage, live: &Live, begun: &Begun, report: &Report) -> Verdict {
    let Some(id) = &report.rotation else { return Ok(()) };
    for (planned, said) in begun.plan.consumers.iter().zip(&report.consumers) {
        let service = planned.id.as_str();
        let others = live.watch.changes(service).contains(&By::Person);
        if said.outcome == "applied" && !overtaken(live, service, id) && !others && !healthy(stage, service) {
            return Err(format!("{} is said to be applied and is not healthy", said.service));
        }
    }
    let Some(previous) = begun.plan.replaced().next() else { return Ok(()) };
    let kept = live.watch.secrets.contains_key(previous.id.as_str());
    if report.outcome == Outcome::Applied && kept && !report.warnings.iter().any(|text| says_why(text)) {
        return Err(format!("{} is there after its grace, and the report does not say why", previous.name));
    }
    Ok(())
}

/// Whether as many tasks run as should, all with what the spec says.
fn healthy(stage: &Stage, service: &str) -> bool {
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
