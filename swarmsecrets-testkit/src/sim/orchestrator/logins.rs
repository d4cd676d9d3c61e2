//! Programs that log in somewhere with what they mount, and end if they cannot.

use std::time::Duration;

use crate::sim::agenda::Due;
use crate::sim::spec;
use crate::sim::task::State;
use crate::sim::world::{Lockout, World};

/// About how long after a change of passwords a program that logs in again does so.
const NEXT_LOGIN: Duration = Duration::from_secs(2);

impl World {
    /// A program logs in. One that cannot ends.
    pub(crate) fn log_in(&mut self, id: &str) {
        let is_up = |state: State| matches!(state, State::Starting | State::Running);
        let Some(task) = self.tasks.get(id).filter(|task| is_up(task.state) && !task.stopping) else { return };
        let Some((target, version)) = self.shut_to(id) else { return };
        let code = self.program_of(id).refusal_code();
        self.lockouts.push(Lockout { service: task.service.clone(), target, version });
        self.exit(id, code);
    }

    /// Passwords were changed somewhere: whoever logs in again will do so.
    pub(crate) fn passwords_changed(&mut self) {
        let up = self.tasks.iter().filter(|(_, task)| task.state == State::Running && !task.stopping);
        let again: Vec<String> =
            up.filter(|(id, _)| self.program_of(id).logs_in_again()).map(|(id, _)| id.clone()).collect();
        for task in again {
            let delay = self.dice.about(NEXT_LOGIN);
            self.later(delay, Due::LogIn { task });
        }
    }

    /// The target with whose version the program of a task cannot log in now, if there is one. The version is empty where
    /// nothing is mounted.
    fn shut_to(&self, id: &str) -> Option<(String, String)> {
        let mounted = spec::secrets(&self.tasks.get(id)?.spec);
        let at = |target: &str| mounted.iter().find(|one| one.target.as_deref() == Some(target));
        let program = self.program_of(id);
        let target = program.locked_out(|target| self.vault.value(&at(target)?.id))?;
        Some((target.to_owned(), at(target).map(|one| one.id.clone()).unwrap_or_default()))
    }
}
