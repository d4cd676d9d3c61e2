//! What will happen in a world, and when.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::task::State;

/// Something that is going to happen. Whoever handles it checks first whether it still makes sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Due {
    /// The orchestrator looks at a service.
    Reconcile { service: String },
    /// A task moves on from a state.
    Step { task: String, from: State },
    /// The program of a task ends by itself.
    Exit { task: String, code: i64 },
    /// The program of a task logs in with what it mounts.
    LogIn { task: String },
    /// A task's container cannot be started.
    CannotStart { task: String, why: String },
    /// The health check has failed as often as it may.
    Unhealthy { task: String },
    /// An unhealthy container has been killed.
    Killed { task: String },
    /// A container that was told to stop has stopped.
    Stopped { task: String },
    /// A task may start now, unless it waits for another one to stop.
    Start { task: String },
    /// A rollout goes on: a delay or the monitoring period is over.
    Rollout { service: String },
}

/// One entry of the agenda.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    at: Timestamp,
    due: Due,
}

/// What is due, in order of time; what is due at one moment happens in the order in which it was put down.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Agenda(VecDeque<Entry>);

impl Agenda {
    /// Puts something down.
    pub(crate) fn put(&mut self, at: Timestamp, due: Due) {
        let place = self.0.partition_point(|entry| entry.at <= at);
        self.0.insert(place, Entry { at, due });
    }

    /// Takes the first thing that is due at `now` or before.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        if self.0.front()?.at > now {
            return None;
        }
        self.0.pop_front().map(|entry| (entry.at, entry.due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_in_order_of_time_then_of_entry() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let start = |task: &str| Due::Start { task: task.into() };
        let mut agenda = Agenda::default();
        for (second, task) in [(5, "c"), (3, "a"), (3, "b"), (9, "d")] {
            agenda.put(at(second), start(task));
        }
        let mut seen = Vec::new();
        while let Some((_, Due::Start { task })) = agenda.take(at(5)) {
            seen.push(task);
        }
        assert_eq!(seen, ["a", "b", "c"]);
    }
}
