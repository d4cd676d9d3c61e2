//! What the Swarm does by itself: it makes, replaces and removes tasks until the world is as the specs say.
//!
//! `reconcile` compares a service with its tasks, `jobs` does so for jobs, `rollout` replaces tasks of an old spec,
//! `restart` replaces tasks that ended, `agent` is what the nodes do with a task,
//! `logins` is what programs do that log in somewhere, `history` forgets old ones.

mod agent;
mod history;
mod jobs;
mod logins;
mod reconcile;
mod restart;
mod rollout;

pub(crate) use rollout::Rollout;

use super::agenda::Due;
use super::world::World;

impl World {
    /// Lets one thing on the agenda happen.
    pub(crate) fn happen(&mut self, due: Due) {
        match due {
            Due::Reconcile { service } => self.reconcile(&service),
            Due::Step { task, from } => self.step(&task, from),
            Due::Exit { task, code } => self.exit(&task, code),
            Due::LogIn { task } => self.log_in(&task),
            Due::CannotStart { task, why } => self.cannot_start(&task, &why),
            Due::Unhealthy { task } => self.unhealthy(&task),
            Due::Killed { task } => self.killed(&task),
            Due::Stopped { task } => self.stopped(&task),
            Due::Start { task } => self.start_if_free(&task),
            Due::Rollout { service } => self.drive_rollout(&service),
        }
    }
}
