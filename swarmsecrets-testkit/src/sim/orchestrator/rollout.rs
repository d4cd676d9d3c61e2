//! Replacing the tasks of an old spec, a few at a time, and watching how the new ones fare.
//!
//! This follows Swarm's updater closely, down to what it overlooks: while the last slots are being replaced nobody looks
//! at failures, and a failure that is looked at later than the monitoring period after the start does not count. That is
//! why a rollout of two slots, one at a time, is judged by the second one (see `failing_rollouts.json`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sim::agenda::Due;
use crate::sim::clock::after;
use crate::sim::service::{Service, UpdateState, UpdateStatus};
use crate::sim::spec::{FailureAction, UpdateConfig};
use crate::sim::task::{Slot, State, Task};
use crate::sim::world::World;

/// A rollout that goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rollout {
    /// The spec that it works towards.
    goal: Value,
    rolling_back: bool,
    /// How many slots it began with: what the failure ratio is a ratio of.
    dirty: usize,
    queue: VecDeque<Place>,
    workers: Vec<Worker>,
    /// The tasks that it made, and when they came up.
    made: BTreeMap<String, Option<Timestamp>>,
    failed: BTreeSet<String>,
    /// Tasks that ended and that it has not looked at yet.
    inbox: VecDeque<String>,
    phase: Phase,
}

/// A slot to be updated, with the tasks that stood in it when the rollout began.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    slot: Slot,
    tasks: Vec<String>,
    /// Whether they were wanted then: they may have ended since, and have been replaced by tasks of the new spec.
    wanted: bool,
}

/// What one of the parallel hands of a rollout does.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Worker {
    Idle,
    /// It waits for a new task to come up; then `old` ones are shut down, if that was left for later.
    Waiting {
        task: String,
        old: Vec<String>,
    },
    /// It waits for a task that was there already to be let go.
    Starting {
        task: String,
    },
    Delaying {
        until: Timestamp,
    },
    /// There turned out to be nothing to do.
    Skipping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// There are slots left to hand out.
    Handing,
    /// Everything is handed out, or the rollout was stopped: the workers finish what they have in hand.
    Draining {
        stopped: bool,
    },
    Monitoring {
        until: Timestamp,
    },
}

impl Rollout {
    fn config(&self) -> UpdateConfig {
        UpdateConfig::of(&self.goal[if self.rolling_back { "RollbackConfig" } else { "UpdateConfig" }])
    }
}

impl World {
    /// Begins a rollout if tasks in `slots` are not as the service's spec says.
    pub(crate) fn update(&mut self, service: &Service, slots: BTreeMap<Slot, Vec<String>>) {
        if self.rollouts.get(&service.id).is_some_and(|rollout| rollout.goal == service.current.spec) {
            return;
        }
        self.rollouts.remove(&service.id);
        let state = service.update.as_ref().map(|update| update.state);
        if state.is_some_and(UpdateState::is_paused) {
            return;
        }
        let dirty = slots.into_iter().filter(|(_, tasks)| self.is_dirty(service, tasks));
        let queue: VecDeque<Place> = dirty
            .map(|(slot, tasks)| {
                let wanted = tasks.iter().any(|id| self.is_wanted(id));
                Place { slot, tasks, wanted }
            })
            .collect();
        if queue.is_empty() {
            if state.is_some_and(UpdateState::is_moving) {
                self.complete_update(&service.id);
            }
            return;
        }
        if state.is_none() {
            self.start_update(&service.id);
        }
        let mut rollout = Rollout {
            goal: service.current.spec.clone(),
            rolling_back: state == Some(UpdateState::RollbackStarted),
            dirty: queue.len(),
            queue,
            workers: Vec::new(),
            made: BTreeMap::new(),
            failed: BTreeSet::new(),
            inbox: VecDeque::new(),
            phase: Phase::Handing,
        };
        let parallelism = match rollout.config().parallelism {
            0 => rollout.dirty,
            n => n.min(rollout.dirty),
        };
        rollout.workers = vec![Worker::Idle; parallelism];
        self.rollouts.insert(service.id.clone(), rollout);
        self.drive_rollout(&service.id);
    }

    fn is_wanted(&self, task: &str) -> bool {
        self.tasks.get(task).is_some_and(Task::is_wanted)
    }

    fn is_dirty(&self, service: &Service, tasks: &[String]) -> bool {
        tasks.len() > 1 || tasks.iter().filter_map(|id| self.tasks.get(id)).any(|task| is_outdated(task, service))
    }

    /// Tells a rollout that a task of its service has ended.
    pub(crate) fn tell_rollout(&mut self, task: &Task) {
        if let Some(rollout) = self.rollouts.get_mut(&task.service) {
            if rollout.config().action != FailureAction::Continue {
                rollout.inbox.push_back(task.id.clone());
            }
            self.drive_rollout(&task.service);
        }
    }

    /// Does all that a rollout can do at this moment.
    pub(crate) fn drive_rollout(&mut self, service: &str) {
        // It is taken out while it acts, so that what it causes cannot drive it a second time.
        let Some(mut rollout) = self.rollouts.remove(service) else { return };
        let config = rollout.config();
        loop {
            self.drive_workers(service, &mut rollout, config);
            let idle = rollout.workers.iter().filter(|worker| matches!(worker, Worker::Idle)).count();
            match rollout.phase {
                Phase::Handing if rollout.queue.is_empty() => rollout.phase = Phase::Draining { stopped: false },
                Phase::Handing if idle > 0 => self.hand_out(service, &mut rollout, config),
                Phase::Handing => match rollout.inbox.pop_front() {
                    Some(task) if self.judge(service, &mut rollout, config, &task) => {
                        rollout.phase = Phase::Draining { stopped: true };
                    }
                    Some(_) => {}
                    None => break,
                },
                Phase::Draining { .. } if idle < rollout.workers.len() => break,
                Phase::Draining { stopped: true } => return,
                Phase::Draining { stopped: false } => {
                    rollout.phase = Phase::Monitoring { until: after(self.now, config.monitor) };
                    self.later(config.monitor, Due::Rollout { service: service.to_owned() });
                }
                Phase::Monitoring { until } => match rollout.inbox.pop_front() {
                    Some(task) if self.judge(service, &mut rollout, config, &task) => return,
                    Some(_) => {}
                    None if self.now >= until => {
                        self.complete_update(service);
                        return;
                    }
                    None => break,
                },
            }
        }
        // A roll back has made a new rollout in the meantime: this one is over.
        let superseded = self.services.get(service).is_none_or(|now| now.current.spec != rollout.goal);
        if !superseded && !self.rollouts.contains_key(service) {
            self.rollouts.insert(service.to_owned(), rollout);
        }
    }

    fn drive_workers(&mut self, service: &str, rollout: &mut Rollout, config: UpdateConfig) {
        for at in 0..rollout.workers.len() {
            let done = match rollout.workers[at].clone() {
                Worker::Idle => false,
                Worker::Delaying { until } => {
                    if self.now >= until {
                        rollout.workers[at] = Worker::Idle;
                    }
                    false
                }
                Worker::Skipping => true,
                Worker::Starting { task } => !self.starts.contains_key(&task),
                Worker::Waiting { task, old } => self.has_come_up(rollout, &task, &old),
            };
            if done && config.delay.is_zero() {
                rollout.workers[at] = Worker::Idle;
            } else if done {
                rollout.workers[at] = Worker::Delaying { until: after(self.now, config.delay) };
                self.later(config.delay, Due::Rollout { service: service.to_owned() });
            }
        }
    }

    fn has_come_up(&mut self, rollout: &mut Rollout, id: &str, old: &[String]) -> bool {
        let Some(task) = self.tasks.get(id) else { return true };
        if task.state < State::Running {
            return false;
        }
        let runs = task.state == State::Running;
        rollout.made.insert(id.to_owned(), Some(self.now));
        if runs {
            for task in old {
                self.want(task, State::Shutdown);
            }
        }
        true
    }

    /// Gives the next slot to a worker that has nothing to do.
    fn hand_out(&mut self, service: &str, rollout: &mut Rollout, config: UpdateConfig) {
        let Some(service) = self.services.get(service).cloned() else {
            rollout.queue.clear();
            return;
        };
        let Some(place) = rollout.queue.pop_front() else { return };
        let Some(worker) = rollout.workers.iter().position(|worker| matches!(worker, Worker::Idle)) else { return };
        let up_to_date =
            |id: &&String| self.tasks.get(*id).is_some_and(|task| task.is_wanted() && !is_outdated(task, &service));
        let work = match place.tasks.iter().find(up_to_date).cloned() {
            Some(task) => self.keep_only(&task, &place.tasks),
            None => self.replace(&service, rollout, place, config.start_first),
        };
        rollout.workers[worker] = work;
    }

    /// A task of the new spec is there already: the others go.
    fn keep_only(&mut self, task: &str, tasks: &[String]) -> Worker {
        let others: Vec<String> = tasks.iter().filter(|id| *id != task).cloned().collect();
        for id in &others {
            self.want(id, State::Shutdown);
        }
        if self.tasks.get(task).is_some_and(|task| task.desired < State::Running) {
            self.start_later(task, Duration::ZERO, others.last().cloned());
        }
        Worker::Starting { task: task.to_owned() }
    }

    fn replace(&mut self, service: &Service, rollout: &mut Rollout, place: Place, start_first: bool) -> Worker {
        let Place { slot, tasks: old, wanted } = place;
        if !start_first && wanted && !old.iter().any(|id| self.is_wanted(id)) {
            // They have ended and been replaced in the meantime: there is nothing to do here.
            return Worker::Skipping;
        }
        let task = self.make_task(service, slot, State::Ready);
        rollout.made.insert(task.clone(), None);
        let last = if start_first { None } else { old.last().cloned() };
        if !start_first {
            for id in &old {
                self.want(id, State::Shutdown);
            }
        }
        self.start_later(&task, Duration::ZERO, last);
        Worker::Waiting { task, old: if start_first { old } else { Vec::new() } }
    }

    /// Looks at a task that ended. The answer is whether the rollout stops because of it.
    fn judge(&mut self, service: &str, rollout: &mut Rollout, config: UpdateConfig, task: &str) -> bool {
        let in_time = match rollout.made.get(task) {
            None => false,
            Some(None) => true,
            Some(Some(up)) => self.now <= after(*up, config.monitor),
        };
        if !in_time || !rollout.failed.insert(task.to_owned()) {
            return false;
        }
        #[allow(clippy::cast_precision_loss)] // counts of tasks
        let ratio = rollout.failed.len() as f64 / rollout.dirty as f64;
        if ratio <= config.max_failure_ratio {
            return false;
        }
        let because = format!("due to failure or early termination of task {task}");
        match config.action {
            FailureAction::Continue => return false,
            FailureAction::Pause => {
                let what = if rollout.rolling_back { "rollback" } else { "update" };
                self.pause_update(service, format!("{what} paused {because}"));
            }
            FailureAction::Rollback if rollout.rolling_back => {
                self.pause_update(service, format!("rollback paused {because}"));
            }
            FailureAction::Rollback => self.roll_back(service, format!("update rolled back {because}")),
        }
        true
    }

    fn start_update(&mut self, service: &str) {
        let started = self.now;
        self.write_service(service, |service| {
            service.update = Some(UpdateStatus {
                state: UpdateState::Updating,
                started,
                completed: None,
                message: "update in progress".into(),
            });
        });
    }

    fn complete_update(&mut self, service: &str) {
        let now = self.now;
        self.write_service(service, |service| {
            if let Some(update) = &mut service.update {
                let rolling_back = update.state == UpdateState::RollbackStarted;
                let (state, message) = match rolling_back {
                    true => (UpdateState::RollbackCompleted, "rollback completed"),
                    false => (UpdateState::Completed, "update completed"),
                };
                update.state = state;
                update.message = message.into();
                update.completed = Some(now);
            }
        });
        // What the rollout left behind, such as two tasks in one slot, is put in order.
        self.later(Duration::from_millis(2), Due::Reconcile { service: service.to_owned() });
    }

    fn pause_update(&mut self, service: &str, message: String) {
        self.write_service(service, |service| {
            if let Some(update) = &mut service.update {
                let rolling_back = update.state == UpdateState::RollbackStarted;
                update.state = if rolling_back { UpdateState::RollbackPaused } else { UpdateState::Paused };
                update.message = message;
            }
        });
    }

    /// Puts the previous spec back. From here on there is no previous one.
    fn roll_back(&mut self, id: &str, message: String) {
        if self.services.get(id).is_none_or(|service| service.previous.is_none()) {
            return;
        }
        self.write_service(id, |service| {
            if let (Some(previous), Some(update)) = (service.previous.take(), &mut service.update) {
                service.current = previous;
                update.state = UpdateState::RollbackStarted;
                update.message = message;
            }
        });
        self.later(Duration::from_millis(2), Due::Reconcile { service: id.to_owned() });
    }
}

/// Whether a task was made of another spec than its service's present one.
fn is_outdated(task: &Task, service: &Service) -> bool {
    task.spec_version != service.current.version && task.spec != service.task_spec()
}
