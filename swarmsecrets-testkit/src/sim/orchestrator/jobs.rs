//! Services that run to an end.

use crate::sim::service::Service;
use crate::sim::task::{Slot, State, Task};
use crate::sim::world::World;

impl World {
    /// Starts as many tasks of a job as may run at once, until it has completed as often as it should.
    pub(crate) fn reconcile_job(&mut self, service: &Service, concurrent: u64, total: u64) {
        self.remove_old_iterations(service);
        let (mut free, mut running, mut completed) = ((0..total).collect::<Vec<_>>(), 0, 0);
        for task in self.tasks.values().filter(|task| is_of_this_iteration(task, service)) {
            match task.state {
                State::Complete => completed += 1,
                _ if task.desired <= State::Complete && !task.state.is_terminal() => running += 1,
                _ => {}
            }
            // A slot whose task failed has a replacement already, or gets none.
            free.retain(|number| Slot::Number(*number) != task.slot);
        }
        let wanted = concurrent.saturating_sub(running).min(total.saturating_sub(completed + running));
        for number in free.into_iter().take(usize::try_from(wanted).unwrap_or(usize::MAX)) {
            self.make_task(service, Slot::Number(number), State::Complete);
        }
    }

    /// Starts a task of a job on each node that has had none.
    pub(crate) fn reconcile_global_job(&mut self, service: &Service) {
        self.remove_old_iterations(service);
        let spec = service.task_spec();
        let nodes: Vec<String> =
            self.nodes.values().filter(|node| node.suits(&spec)).map(|node| node.id.clone()).collect();
        for node in nodes {
            let slot = Slot::Node(node);
            if !self.tasks.values().any(|task| is_of_this_iteration(task, service) && task.slot == slot) {
                self.make_task(service, slot, State::Complete);
            }
        }
    }

    fn remove_old_iterations(&mut self, service: &Service) {
        let old: Vec<String> = self
            .tasks
            .values()
            .filter(|task| task.service == service.id && !is_of_this_iteration(task, service))
            .map(|task| task.id.clone())
            .collect();
        for id in old {
            // Not through `want`: removing the last old task would come back here.
            self.write_task(&id, |task| task.desired = State::Remove);
            if self.tasks.get(&id).is_some_and(|task| task.state.is_terminal()) {
                self.tasks.remove(&id);
            } else {
                self.attend(&id);
            }
        }
    }
}

fn is_of_this_iteration(task: &Task, service: &Service) -> bool {
    task.service == service.id && task.iteration == service.job.as_ref().map(|job| job.iteration)
}
