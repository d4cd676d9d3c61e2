//! Forgetting tasks: the last five of each slot are kept.

use crate::sim::task::{Slot, State};
use crate::sim::world::World;

/// How many tasks of a slot the Swarm remembers.
const LIMIT: usize = 5;

impl World {
    /// Forgets the oldest tasks of a slot that have ended.
    pub(crate) fn forget_history(&mut self, service: &str, slot: &Slot) {
        let mut tasks: Vec<_> =
            self.tasks.values().filter(|task| task.service == service && task.slot == *slot).collect();
        let surplus = tasks.len().saturating_sub(LIMIT);
        tasks.sort_by_key(|task| (task.created, task.version));
        let old: Vec<String> =
            tasks.iter().filter(|task| task.state.is_terminal()).take(surplus).map(|task| task.id.clone()).collect();
        for id in old {
            self.tasks.remove(&id);
        }
    }

    /// Removes a task for good. A service that lost one is looked at again.
    pub(crate) fn drop_task(&mut self, id: &str) {
        self.starts.remove(id);
        if let Some(task) = self.tasks.remove(id)
            && self.services.contains_key(&task.service)
        {
            self.reconcile(&task.service);
        }
    }

    /// Stops all tasks of a service that is no more, and removes them.
    pub(crate) fn remove_tasks_of(&mut self, service: &str) {
        let tasks: Vec<String> =
            self.tasks.values().filter(|task| task.service == service).map(|task| task.id.clone()).collect();
        for id in tasks {
            self.want(&id, State::Remove);
        }
        self.rollouts.remove(service);
    }
}
