//! Whether a rollout is good: from a service and its tasks, not from what its update status claims.
//!
//! Measured on an Engine 20.10: `completed` is not success. With `FailureAction: continue` all replicas crash-looped and
//! the state read `completed`; with `rollback` the Engine itself puts the old secret back. So a rollout has converged when
//! every task that should run mounts the wanted secret, is `running`, and has stayed so for a while.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::{TaskId, one_line, quoted};
use crate::inventory::{ServiceMode, UpdateStatus};
use crate::model::{ServiceState, TaskState};
use crate::policy::Direction;

/// What a rollout should lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The secrets that the tasks must mount.
    pub wanted: &'a [&'a str],
    /// The secrets that they mounted before, and must not mount any more unless they are wanted too.
    pub unwanted: &'a [&'a str],
    /// Forward to the new version, or back to the old one.
    pub direction: Direction,
    /// Failures of tasks made before this do not count: they are history.
    pub since: Option<Timestamp>,
    /// The service's update status before our update; it may still be shown after it and then says nothing.
    pub before: Option<&'a UpdateStatus>,
}

impl Expected<'_> {
    /// Whether what is mounted is as it should be.
    fn is_met(&self, mounts: &dyn Fn(&str) -> bool) -> bool {
        let gone = |id: &&str| self.wanted.contains(id) || !mounts(id);
        self.wanted.iter().all(|id| mounts(id)) && self.unwanted.iter().all(gone)
    }

    /// Whether anything is mounted as it was before.
    fn is_before(&self, mounts: &dyn Fn(&str) -> bool) -> bool {
        self.unwanted.iter().any(|id| mounts(id))
    }

    /// How a reason calls the wanted version.
    fn which(&self) -> &'static str {
        match self.direction {
            Direction::Forward => "the new version",
            Direction::Restore => "the old version",
        }
    }
}

/// What can be said now. Staying so is the caller's to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not there yet.
    Wait {
        /// What is missing.
        reason: String,
    },
    /// Every task that should run does, on the wanted secret.
    Healthy {
        /// What is worth saying.
        note: Option<String>,
        /// The tasks that run, in order. Others at the next look mean that one has ended in between.
        tasks: Vec<TaskId>,
    },
    /// It will not get there by itself.
    Failed {
        /// Why, for a person.
        reason: String,
    },
}

/// Judges one look at a service and its tasks.
#[must_use]
pub fn judge(service: &ServiceState, tasks: &[TaskState], expected: &Expected<'_>) -> Verdict {
    let tasks = Tasks::sort(tasks, expected);
    if !references(service, |mounts| expected.is_met(mounts)) {
        return moved_away(service, &tasks, expected);
    }
    let status = service.update_status.as_ref().filter(|now| !is_before(now, expected.before));
    let state = status.map_or("", |s| s.state.as_str());
    match (state, expected.direction) {
        ("rollback_started" | "rollback_completed", Direction::Forward) => {
            failed(service, &tasks, expected, ", and Swarm is rolling it back")
        }
        ("rollback_paused", _) => failed(service, &tasks, expected, ", and Swarm's own rollback has failed too"),
        ("paused", _) => failed(service, &tasks, expected, ", and Swarm has paused the update"),
        _ if tasks.crash_looping() => failed(service, &tasks, expected, ""),
        _ => progress(service, &tasks, state),
    }
}

/// Whether what the spec mounts is as asked.
fn references(service: &ServiceState, are: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> bool {
    service.spec.references().is_ok_and(|refs| are(&|id| refs.iter().any(|r| r.id == id)))
}

fn is_before(now: &UpdateStatus, before: Option<&UpdateStatus>) -> bool {
    before.is_some_and(|b| b.started_at.is_some() && b.started_at == now.started_at && b.state == now.state)
}

/// The reference is not the wanted one any more: Swarm's own rollback, or somebody else.
fn moved_away(service: &ServiceState, tasks: &Tasks<'_>, expected: &Expected<'_>) -> Verdict {
    let state = service.update_status.as_ref().map_or("", |s| s.state.as_str());
    if references(service, |mounts| expected.is_before(mounts)) && state.starts_with("rollback") {
        return failed(service, tasks, expected, ", and Swarm has put the old version back by itself");
    }
    Verdict::Failed { reason: format!("somebody else changed the secret reference of {}", quoted(&service.name)) }
}

fn failed(service: &ServiceState, tasks: &Tasks<'_>, expected: &Expected<'_>, then: &str) -> Verdict {
    let name = quoted(&service.name);
    let words = service.update_status.as_ref().map_or("", |s| s.message.as_str());
    let reason = match tasks.complaint(&name, slots(service, tasks), expected.which()) {
        Some(complaint) => format!("{complaint}{then}"),
        None if words.is_empty() => format!("the rollout of {name} failed{then}"),
        None => format!("the rollout of {name} failed{then}: {}", printable(words)),
    };
    Verdict::Failed { reason }
}

fn progress(service: &ServiceState, tasks: &Tasks<'_>, state: &str) -> Verdict {
    let name = quoted(&service.name);
    let wait = |reason: String| Verdict::Wait { reason };
    let wanted_slots = slots(service, tasks);
    if tasks.desired_on_unwanted > 0 {
        return wait(format!(
            "{} of {name} still run on the other version",
            crate::plan::counted(tasks.desired_on_unwanted, "task")
        ));
    }
    if is_job(service) {
        return match tasks.done_or_running {
            0 => wait(format!("no task of the job {name} runs yet")),
            _ => Verdict::Healthy { note: Some(format!("the job {name} was run again")), tasks: Vec::new() },
        };
    }
    let running = tasks.running.len() as u64;
    if running < wanted_slots {
        return wait(format!("{running} of {wanted_slots} tasks of {name} run"));
    }
    if matches!(state, "updating" | "rollback_started") {
        return wait(format!("Swarm is still updating {name}"));
    }
    let note = (wanted_slots == 0).then(|| format!("{name} runs no task: nothing proves that the value works for it"));
    Verdict::Healthy { note, tasks: tasks.running.iter().copied().cloned().collect() }
}

fn is_job(service: &ServiceState) -> bool {
    matches!(service.spec.mode(), Ok(ServiceMode::ReplicatedJob | ServiceMode::GlobalJob))
}

/// How many tasks should run: as many as replicas, or one on each node that Swarm has chosen.
fn slots(service: &ServiceState, tasks: &Tasks<'_>) -> u64 {
    match service.spec.mode() {
        Ok(ServiceMode::Replicated(n)) => n,
        _ => tasks.places.len() as u64,
    }
}

/// A slot, or a node for global services.
type Place<'a> = (Option<u64>, &'a str);

/// The tasks that matter, counted.
struct Tasks<'a> {
    /// Where tasks should run.
    places: BTreeSet<Place<'a>>,
    /// Tasks that should run, do, and mount the wanted secrets.
    running: BTreeSet<&'a TaskId>,
    /// Tasks that should run and mount an unwanted secret.
    desired_on_unwanted: u64,
    /// Tasks of a job on the wanted secret that run or are done.
    done_or_running: u64,
    /// The failures on the wanted secret, by place, newest last.
    failures: BTreeMap<Place<'a>, Vec<&'a TaskState>>,
}

impl<'a> Tasks<'a> {
    fn sort(all: &'a [TaskState], expected: &Expected<'_>) -> Self {
        let mut tasks = Self {
            places: BTreeSet::new(),
            running: BTreeSet::new(),
            desired_on_unwanted: 0,
            done_or_running: 0,
            failures: BTreeMap::new(),
        };
        let mut by_age: Vec<&TaskState> = all.iter().collect();
        by_age.sort_by_key(|t| t.created);
        for task in by_age {
            tasks.add(task, expected);
        }
        tasks
    }

    fn add(&mut self, task: &'a TaskState, expected: &Expected<'_>) {
        let mounts = |id: &str| task.secrets.iter().any(|(secret, _)| secret == id);
        let node = if task.slot.is_some() { "" } else { task.node.as_ref().map_or("", |n| n.as_str()) };
        let place = (task.slot.filter(|n| *n > 0), node);
        let (wanted, unwanted) = (expected.is_met(&mounts), expected.is_before(&mounts));
        let should_run = matches!(task.desired.as_str(), "running" | "ready");
        if should_run {
            self.places.insert(place);
            self.desired_on_unwanted += u64::from(unwanted && !wanted);
        }
        if !wanted {
            return;
        }
        if task.desired == "running" && task.state == "running" {
            self.running.insert(&task.id);
        }
        self.done_or_running += u64::from(matches!(task.state.as_str(), "running" | "complete"));
        let counts = expected.since.is_none_or(|since| task.created >= since);
        if counts && matches!(task.state.as_str(), "failed" | "rejected" | "orphaned") {
            self.failures.entry(place).or_default().push(task);
        }
    }

    /// Two failures in one place: the restart did not help.
    fn crash_looping(&self) -> bool {
        self.failures.values().any(|failures| failures.len() >= 2)
    }

    /// "2 of 2 tasks of `pay` exited 3 with the new version: task: non-zero exit (3)".
    fn complaint(&self, name: &str, slots: u64, which: &str) -> Option<String> {
        let last = self.failures.values().filter_map(|f| f.last()).max_by_key(|t| t.created)?;
        let how = match (last.state.as_str(), last.exit_code) {
            ("rejected", _) => "were rejected".to_owned(),
            (_, Some(code)) if code != 0 => format!("exited {code}"),
            _ => "failed".to_owned(),
        };
        let said = last.error.as_deref().filter(|e| !e.is_empty()).unwrap_or(&last.message);
        let of = slots.max(self.failures.len() as u64);
        Some(format!("{} of {of} tasks of {name} {how} with {which}: {}", self.failures.len(), printable(said)))
    }
}

/// The Engine's words may quote a container's output.
fn printable(text: &str) -> String {
    one_line(text, 300).trim().to_owned()
}
