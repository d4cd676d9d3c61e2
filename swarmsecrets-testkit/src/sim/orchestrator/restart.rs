//! Replacing tasks that ended, and starting tasks that waited for others to end.

use std::time::Duration;

use crate::sim::agenda::Due;
use crate::sim::clock::after;
use crate::sim::service::Service;
use crate::sim::spec::RestartPolicy;
use crate::sim::task::{Slot, State, Task};
use crate::sim::world::{DelayedStart, World};

impl World {
    /// Makes a task of a service's present spec.
    pub(crate) fn make_task(&mut self, service: &Service, slot: Slot, desired: State) -> String {
        let id = self.dice.swarm_id();
        let node = match &slot {
            Slot::Node(node) => Some(node.clone()),
            Slot::Number(_) => None,
        };
        let task = Task {
            id: id.clone(),
            service: service.id.clone(),
            slot,
            node,
            spec: service.task_spec(),
            spec_version: service.current.version,
            version: self.next_version(),
            created: self.now,
            updated: self.now,
            state: State::New,
            desired,
            since: self.now,
            message: State::New.message().to_owned(),
            error: None,
            container: None,
            iteration: service.job.as_ref().map(|job| job.iteration),
            stopping: false,
            log: Vec::new(),
        };
        self.tasks.insert(id.clone(), task);
        self.attend(&id);
        id
    }

    /// Starts a task after a delay, and after another task has stopped.
    pub(crate) fn start_later(&mut self, task: &str, delay: Duration, waits_for: Option<String>) {
        let waits_for = waits_for.filter(|id| self.tasks.get(id).is_some_and(|task| !task.state.is_terminal()));
        let not_before = after(self.now, delay);
        self.starts.insert(task.to_owned(), DelayedStart { not_before, after: waits_for });
        self.later(delay, Due::Start { task: task.to_owned() });
    }

    /// Starts a task if nothing holds it back any more.
    pub(crate) fn start_if_free(&mut self, id: &str) {
        let Some(start) = self.starts.get(id) else { return };
        let stopped = |id: &String| self.tasks.get(id).is_none_or(|task| task.state.is_terminal());
        if start.not_before > self.now || !start.after.as_ref().is_none_or(stopped) {
            return;
        }
        self.starts.remove(id);
        let is_job = self.tasks.get(id).is_some_and(|task| task.iteration.is_some());
        self.want(id, if is_job { State::Complete } else { State::Running });
        if let Some(service) = self.tasks.get(id).map(|task| task.service.clone()) {
            self.drive_rollout(&service);
        }
    }

    /// Everything that follows from the end of a task.
    pub(crate) fn after_the_end(&mut self, id: &str) {
        let waiting: Vec<String> = self
            .starts
            .iter()
            .filter(|(_, start)| start.after.as_deref() == Some(id))
            .map(|(id, _)| id.clone())
            .collect();
        for one in waiting {
            self.start_if_free(&one);
        }
        let Some(task) = self.tasks.get(id).cloned() else { return };
        if task.desired == State::Remove {
            self.drop_task(id);
            return;
        }
        let ended_by_itself = task.desired <= State::Complete;
        if ended_by_itself && let Some(service) = self.services.get(&task.service).cloned() {
            self.restart(&task, &service);
        }
        self.tell_rollout(&task);
        self.forget_history(&task.service, &task.slot);
    }

    fn restart(&mut self, task: &Task, service: &Service) {
        let is_job = task.iteration.is_some();
        if is_job && task.state == State::Complete {
            self.reconcile(&service.id);
            return;
        }
        self.write_task(&task.id, |task| task.desired = State::Shutdown);
        if is_job && task.iteration != service.job.as_ref().map(|job| job.iteration) {
            return;
        }
        if !self.may_restart(task, service) {
            return;
        }
        let replacement = self.make_task(service, task.slot.clone(), State::Ready);
        self.count_restart(service, &task.slot);
        self.start_later(&replacement, RestartPolicy::of(&task.spec).delay, Some(task.id.clone()));
    }

    /// Whether a task that ended is replaced by its restart policy.
    pub(crate) fn may_restart(&self, task: &Task, service: &Service) -> bool {
        let policy = RestartPolicy::of(&task.spec);
        let wanted = if task.state == State::Complete { policy.on_success } else { policy.on_failure };
        if !wanted || policy.max_attempts == 0 {
            return wanted;
        }
        let done = service.restarts.get(&slot_key(&task.slot));
        done.is_none_or(|done| done.spec_version != task.spec_version || done.count < policy.max_attempts)
    }

    fn count_restart(&mut self, service: &Service, slot: &Slot) {
        let version = service.current.version;
        if let Some(service) = self.services.get_mut(&service.id) {
            let restarts = service.restarts.entry(slot_key(slot)).or_default();
            if restarts.spec_version != version {
                restarts.spec_version = version;
                restarts.count = 0;
            }
            restarts.count += 1;
        }
    }
}

fn slot_key(slot: &Slot) -> String {
    match slot {
        Slot::Number(number) => number.to_string(),
        Slot::Node(node) => node.clone(),
    }
}
