//! Comparing a service with its tasks.

use std::collections::BTreeMap;

use crate::sim::service::{Service, UpdateState};
use crate::sim::spec::Mode;
use crate::sim::task::{Slot, State, Task};
use crate::sim::world::World;

impl World {
    /// Makes, updates and removes tasks until a service has those that its spec asks for.
    pub(crate) fn reconcile(&mut self, id: &str) {
        let Some(service) = self.services.get(id).cloned() else { return };
        match service.mode() {
            Mode::Replicated(replicas) => self.reconcile_replicated(&service, replicas),
            Mode::Global => self.reconcile_global(&service),
            Mode::ReplicatedJob { concurrent, total } => self.reconcile_job(&service, concurrent, total),
            Mode::GlobalJob => self.reconcile_global_job(&service),
        }
    }

    fn reconcile_replicated(&mut self, service: &Service, replicas: u64) {
        let (mut live, dead) = self.live_and_dead_slots(service);
        let surplus = live.len().saturating_sub(usize::try_from(replicas).unwrap_or(usize::MAX));
        for _ in 0..surplus {
            if let Some((_, tasks)) = live.pop_last() {
                for task in tasks {
                    self.want(&task, State::Remove);
                }
            }
        }
        self.update(service, live.clone());
        let mut number = 0;
        for _ in live.len() as u64..replicas {
            number += 1;
            while live.contains_key(&Slot::Number(number)) {
                number += 1;
            }
            self.make_task(service, Slot::Number(number), State::Running);
        }
        for slot in dead.iter().filter(|slot| !matches!(slot, Slot::Number(n) if *n <= number)) {
            self.tasks.retain(|_, task| task.service != service.id || task.slot != *slot || !task.state.is_terminal());
        }
    }

    fn reconcile_global(&mut self, service: &Service) {
        let spec = service.task_spec();
        let wanted: Vec<String> =
            self.nodes.values().filter(|node| node.suits(&spec)).map(|node| node.id.clone()).collect();
        let (mut live, _) = self.live_and_dead_slots(service);
        let elsewhere: Vec<Slot> =
            live.keys().filter(|slot| !wanted.iter().any(|node| **slot == Slot::Node(node.clone()))).cloned().collect();
        for slot in elsewhere {
            for task in live.remove(&slot).into_iter().flatten() {
                self.want(&task, State::Shutdown);
            }
        }
        self.update(service, live.clone());
        for node in wanted {
            let slot = Slot::Node(node);
            if !live.contains_key(&slot) {
                self.make_task(service, slot, State::Running);
            }
        }
    }

    /// The slots with a task that is wanted, or whose last task ended for good, with those tasks; and the other ones.
    pub(crate) fn live_and_dead_slots(&self, service: &Service) -> (BTreeMap<Slot, Vec<String>>, Vec<Slot>) {
        let mut slots: BTreeMap<Slot, Vec<&Task>> = BTreeMap::new();
        for task in self.tasks.values().filter(|task| task.service == service.id) {
            slots.entry(task.slot.clone()).or_default().push(task);
        }
        let (mut live, mut dead) = (BTreeMap::new(), Vec::new());
        for (slot, tasks) in slots {
            let updatable = self.updatable(service, &tasks);
            if updatable.is_empty() {
                dead.push(slot);
            } else {
                live.insert(slot, updatable);
            }
        }
        (live, dead)
    }

    fn updatable(&self, service: &Service, tasks: &[&Task]) -> Vec<String> {
        let wanted: Vec<String> = tasks.iter().filter(|task| task.is_wanted()).map(|task| task.id.clone()).collect();
        let rolling_back = service.update.as_ref().is_some_and(|update| update.state == UpdateState::RollbackStarted);
        if !wanted.is_empty() || rolling_back {
            return wanted;
        }
        let newest = tasks.iter().max_by_key(|task| (task.created, task.version));
        match newest {
            Some(task) if task.desired < State::Remove && !self.may_restart(task, service) => vec![task.id.clone()],
            _ => Vec::new(),
        }
    }
}
