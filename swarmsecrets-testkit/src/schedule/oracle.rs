//! Holds reports against what is so, as they come out and when all is quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard};

use swarmsecrets_core::error::{Error, ErrorKind};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::Strategy;
use swarmsecrets_core::rotation::{Outcome, Report, State};

use super::disk::Disk;
use super::reasons;
use super::script::Op;
use super::stage::{Live, Stage};
use super::truth::{self, Verdict};
use super::watch::By;

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
        let judged = truth::holds(&self.stage.live(), &report);
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
        if error.kind() == ErrorKind::Journal && !error.message().contains("no space left") && !many {
            self.stage.violated(format!("{op:?}: {error}"));
        }
    }

    /// Whether a rotation is half-way, or was when its process died or its journal was lost.
    pub(super) fn is_open<'a>(&self, disks: impl Iterator<Item = MutexGuard<'a, Disk>>) -> bool {
        let open = |id: &RotationId| self.last.get(id).is_none_or(|report| report.outcome == Outcome::NeedsHuman);
        let mut disks = disks.into_iter();
        disks.any(|disk| disk.rotations().iter().any(|id| open(id) || disk.ends_in_mid_air(id))) || self.has_lost()
    }

    /// Whether a version is there that was made by a rotation whose journal is lost.
    pub(super) fn has_lost(&self) -> bool {
        let live = self.stage.live();
        let mut makers = live.watch.secrets.values().filter_map(|(_, rotation)| rotation.as_deref());
        makers.any(|maker| live.begun.iter().any(|(id, begun)| id.as_str() == maker && begun.lost))
    }

    /// The consumers that the last reports call failed.
    pub(super) fn failed(&self) -> BTreeSet<String> {
        let said = self.last.values().flat_map(|report| &report.consumers);
        said.filter(|said| said.outcome == "failed").map(|said| said.id.to_string()).collect()
    }

    /// Whether a rotation waits as probes cannot tell how its services are.
    pub(super) fn is_in_doubt(&self) -> bool {
        let doubt = |report: &Report| report.consumers.iter().any(|said| said.outcome == "inconclusive");
        self.last.values().any(|report| report.outcome == Outcome::NeedsHuman && doubt(report))
    }

    pub(super) fn waits_for_a_patch(&self) -> bool {
        self.last.values().any(|report| report.outcome == Outcome::AwaitingPatch)
    }

    /// Takes in what a host has on its disk. What the journals come to is what is judged: a process that has died reports
    /// nothing, and of a rotation whose journal is lost nothing is said but by the process that takes it up again.
    pub(super) fn read(&mut self, disks: &[MutexGuard<'_, Disk>]) {
        self.last.clear();
        for disk in disks {
            self.written.extend(disk.written.iter().cloned());
            self.written.extend(disk.audit.iter().map(|record| serde_json::to_string(record).unwrap_or_default()));
            for id in disk.rotations() {
                match State::replay(disk.entries(&id).iter().map(|entry| &entry.event)) {
                    Ok(state) => drop(self.last.insert(id, Report::of(&state))),
                    Err(error) => self.stage.violated(format!("the journal of {id} cannot be folded: {error}")),
                }
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
            let judged = truth::holds(&self.stage.live(), report);
            let judged = judged.and_then(|()| self.is_over(id, report));
            self.stage.check(judged.map_err(|why| format!("at the end, {id} ({}): {why}", report.outcome)));
        }
        self.stage.check(self.orphans());
        let mut live = self.stage.live();
        for report in self.last.values() {
            *live.tally.outcomes.entry(report.outcome.to_string()).or_default() += 1;
        }
    }

    /// Whether a rotation has come to an end that stands, once nothing went wrong any more.
    fn is_over(&self, id: &RotationId, report: &Report) -> Verdict {
        match report.outcome {
            Outcome::Applied | Outcome::RolledBack | Outcome::NotStarted | Outcome::Conflict => {
                truth::settled(&self.stage, report)
            }
            Outcome::AwaitingPatch => Ok(()),
            Outcome::NeedsHuman => match reasons::of(&self.stage, id, report) {
                Some(reason) => {
                    *self.stage.live().tally.asked.entry(reason).or_default() += 1;
                    Ok(())
                }
                None => Err(format!("a person is asked without need: {}", reasons::said(report))),
            },
            Outcome::Denied | Outcome::AwaitingApproval => Err(format!("{} without a policy", report.outcome)),
        }
    }

    /// Each version that a rotation made and that is still there must be accounted for by its report.
    fn orphans(&self) -> Verdict {
        let mut live = self.stage.live();
        let mut excused = Vec::new();
        for ((rotation, name), made) in live.watch.made.iter().filter(|(_, made)| made.len() > 1) {
            let ours = By::Rotation(rotation.clone());
            let removed = |id: &String| live.watch.removed.get(id).is_some_and(|by| *by != ours);
            excused.push(if made.iter().any(|id| live.watch.came_late.contains(id)) {
                "made twice: one arrived after its process had given up on it"
            } else if made.iter().any(removed) {
                "made twice: somebody else removed the first before its maker knew of it"
            } else {
                return Err(format!("rotation {rotation} has made {name} {} times", made.len()));
            });
        }
        for (id, (name, rotation)) in &live.watch.secrets {
            let Some(rotation) = rotation else { continue };
            let report = self.last.iter().find(|(id, _)| id.as_str() == rotation).map(|(_, report)| report);
            let kept = report.is_some_and(|report| {
                matches!(report.outcome, Outcome::Applied | Outcome::AwaitingPatch | Outcome::NeedsHuman)
            });
            let said = report.is_some_and(|report| {
                let stays = format!("`{name}` is of this rotation too, and stays");
                report.warnings.iter().any(|text| text.contains(&stays))
            });
            if !kept && !said {
                let why = excuse(&live, id, rotation, report.is_some());
                excused.push(why.ok_or_else(|| format!("{name} is left over of rotation {rotation}"))?);
            }
        }
        for why in excused {
            *live.tally.excused.entry(why).or_default() += 1;
        }
        Ok(())
    }
}

/// What a process says of a rotation that another one has taken over: it may not claim any end for it.
pub(super) fn of_overtaken(stage: &Stage, who: usize, report: &Report) -> Verdict {
    let live = stage.live();
    let knows = report.rotation.as_ref().is_some_and(|id| live.processes[who].knows.contains(id));
    match report.outcome {
        Outcome::Conflict => Ok(()),
        outcome if knows => Err(format!("a process that has lost its lease reports {outcome}")),
        _ => Ok(()),
    }
}

/// Why a version is there that no report accounts for.
fn excuse(live: &Live, version: &str, rotation: &str, reported: bool) -> Option<&'static str> {
    if live.watch.late.contains(version) {
        return Some("left over: it arrived after its process had given up on it");
    }
    let (_, begun) = live.begun.iter().find(|(id, _)| id.as_str() == rotation)?;
    if !begun.lost || reported {
        return None;
    }
    let name = live.watch.secrets.get(version).map(|(name, _)| name.as_str());
    let secret = begun.plan.secrets.iter().find(|secret| Some(secret.next.name.as_str()) == name)?;
    let Some(previous) = &secret.previous else { return Some("journal lost: it was a first version") };
    let there = live.watch.secrets.contains_key(previous.id.as_str());
    match (there, begun.plan.strategy) {
        (false, _) => Some("journal lost: it had replaced the one before, which is gone"),
        (true, Strategy::Swap) => None,
        (true, _) => Some("journal lost: it was more than an exchange of references"),
    }
}
