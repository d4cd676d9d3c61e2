//! What the nodes do: a task goes from state to state until it is where it should be.

use std::time::Duration;

use crate::sim::agenda::Due;
use crate::sim::program::{Run, Stored};
use crate::sim::spec::{self, HealthCheck};
use crate::sim::task::{Container, LogLine, State, Task};
use crate::sim::world::World;

/// How long a container takes to stop that heeds SIGTERM, or was not started yet.
const STOP: Duration = Duration::from_millis(500);
const STOP_BEFORE_START: Duration = Duration::from_millis(60);

/// About how long a task stays in a state before it goes on. Starting takes as long as the program says.
fn about(state: State) -> Duration {
    Duration::from_millis(match state {
        State::New => 5,
        State::Preparing => 250,
        _ => 50,
    })
}

impl World {
    /// Sees to it that a task goes where it should be: on towards running, or to its end.
    pub(crate) fn attend(&mut self, id: &str) {
        let Some(task) = self.tasks.get(id) else { return };
        if task.desired.is_an_end() {
            self.end(id);
        } else if task.state < task.desired && task.state < State::Starting {
            let from = task.state;
            let delay = self.dice.about(about(from));
            self.later(delay, Due::Step { task: id.to_owned(), from });
        }
    }

    /// Changes where a task should be.
    pub(crate) fn want(&mut self, id: &str, desired: State) {
        if self.tasks.get(id).is_some_and(|task| task.desired < desired) {
            self.write_task(id, |task| task.desired = desired);
            self.attend(id);
        }
    }

    /// A task moves on from `from`.
    pub(crate) fn step(&mut self, id: &str, from: State) {
        let Some(task) = self.tasks.get(id) else { return };
        // `Starting` goes on by itself: its container runs already.
        let held_back = from < State::Starting && task.state >= task.desired;
        if task.state != from || task.desired.is_an_end() || held_back || task.stopping {
            return;
        }
        let Some(next) = from.next() else { return };
        match next {
            State::Assigned => self.assign(id),
            State::Starting => self.launch(id),
            State::Running => self.report_running(id),
            _ => {
                self.set_state(id, next, None);
                self.attend(id);
            }
        }
    }

    /// The scheduler gives a task a node: the one with the fewest tasks among those that suit it.
    fn assign(&mut self, id: &str) {
        let Some(task) = self.tasks.get(id) else { return };
        let node = task.node.clone().or_else(|| self.best_node(task));
        if let Some(node) = node {
            self.write_task(id, |task| task.node = Some(node));
            self.set_state(id, State::Assigned, None);
            self.attend(id);
        } else {
            let nodes = self.nodes.len();
            let why = format!("no suitable node (scheduling constraints not satisfied on {nodes} nodes)");
            self.write_task(id, |task| task.error = Some(why));
        }
    }

    fn best_node(&self, task: &Task) -> Option<String> {
        let load = |node: &str, of: Option<&str>| {
            let here = |other: &&Task| other.node.as_deref() == Some(node) && !other.state.is_terminal();
            self.tasks.values().filter(here).filter(|other| of.is_none_or(|of| other.service == of)).count()
        };
        let suitable = self.nodes.values().filter(|node| node.suits(&task.spec));
        suitable
            .min_by_key(|node| (load(&node.id, Some(&task.service)), load(&node.id, None), node.id.clone()))
            .map(|node| node.id.clone())
    }

    /// The container is started: from here on it goes as its program says.
    fn launch(&mut self, id: &str) {
        let container = Container { id: self.dice.container_id(), exit_code: 0, pid: self.dice.pid() };
        self.set_state(id, State::Starting, Some(container));
        let Some(task) = self.tasks.get(id) else { return };
        let task_id = id.to_owned();
        if let Some(missing) = spec::secrets(&task.spec).into_iter().find(|one| !self.vault.holds(&one.id)) {
            let why = format!(
                "starting container failed: unable to get secret from secret store: secret {} could not be found",
                missing.id
            );
            let delay = self.dice.about(STOP);
            self.later(delay, Due::CannotStart { task: task_id, why });
            return;
        }
        let (run, check) = (self.run_of(task), HealthCheck::of(&task.spec));
        let up = self.dice.about(run.start);
        if let Some(ending) = run.ends {
            // A program that ends at once still runs first: the engine tells that it started, then that it ended.
            let delay = up + ending.after.max(Duration::from_millis(50));
            self.later(delay, Due::Exit { task: task_id.clone(), code: ending.code });
        }
        if let Some(first) = self.program_of(id).first_login() {
            self.later(up + first, Due::LogIn { task: task_id.clone() });
        }
        match check {
            Some(check) if !run.healthy => {
                let verdict = up + check.start_period + check.interval * check.retries;
                self.later(verdict, Due::Unhealthy { task: task_id });
            }
            Some(check) => self.later(up + check.interval, Due::Step { task: task_id, from: State::Starting }),
            None => self.later(up, Due::Step { task: task_id, from: State::Starting }),
        }
    }

    fn report_running(&mut self, id: &str) {
        self.set_state(id, State::Running, None);
        let lines = self.program_of(id).greeting().to_vec();
        self.log(id, lines);
        if let Some(service) = self.tasks.get(id).map(|task| task.service.clone()) {
            self.drive_rollout(&service);
        }
    }

    /// The program of a container ends by itself.
    pub(crate) fn exit(&mut self, id: &str, code: i64) {
        let Some(task) = self.tasks.get(id).filter(|task| is_up(task)) else { return };
        let told_to_stop = task.stopping;
        let lines = self.program_of(id).last_words().to_vec();
        self.log(id, lines);
        match code {
            _ if told_to_stop => self.finish(id, State::Shutdown, code, None),
            0 => self.finish(id, State::Complete, 0, None),
            _ => self.finish(id, State::Failed, code, Some(format!("task: non-zero exit ({code})"))),
        }
    }

    pub(crate) fn cannot_start(&mut self, id: &str, why: &str) {
        if self.tasks.get(id).is_some_and(is_up) {
            self.finish(id, State::Failed, 128, Some(why.to_owned()));
        }
    }

    /// The health check failed for the last time: the container is stopped, and then the task has failed.
    pub(crate) fn unhealthy(&mut self, id: &str) {
        if self.tasks.get(id).is_some_and(|task| is_up(task) && !task.stopping) {
            let lines = self.program_of(id).last_words().to_vec();
            self.log(id, lines);
            let delay = self.stop_time(id);
            self.later(delay, Due::Killed { task: id.to_owned() });
        }
    }

    pub(crate) fn killed(&mut self, id: &str) {
        if self.tasks.get(id).is_some_and(|task| is_up(task) && !task.stopping) {
            let why = "task: non-zero exit (137): dockerexec: unhealthy container".to_owned();
            self.finish(id, State::Failed, 137, Some(why));
        }
    }

    /// Stops the container of a task that should not run any more.
    fn end(&mut self, id: &str) {
        let Some(task) = self.tasks.get(id) else { return };
        if task.state.is_terminal() {
            if task.desired == State::Remove {
                self.drop_task(id);
            }
        } else if !task.stopping {
            let delay =
                if task.state < State::Starting { self.dice.about(STOP_BEFORE_START) } else { self.stop_time(id) };
            if let Some(task) = self.tasks.get_mut(id) {
                task.stopping = true;
            }
            self.later(delay, Due::Stopped { task: id.to_owned() });
        }
    }

    pub(crate) fn stopped(&mut self, id: &str) {
        let Some(task) = self.tasks.get(id).filter(|task| !task.state.is_terminal()) else { return };
        let killed = task.state >= State::Starting && self.program_of(id).ignores_sigterm();
        self.finish(id, State::Shutdown, if killed { 137 } else { 0 }, None);
    }

    fn stop_time(&mut self, id: &str) -> Duration {
        let grace = self.tasks.get(id).map(|task| spec::stop_grace_period(&task.spec)).unwrap_or_default();
        if self.program_of(id).ignores_sigterm() { grace } else { self.dice.about(STOP).min(grace) }
    }

    /// A task has come to its end, whatever that is.
    fn finish(&mut self, id: &str, state: State, code: i64, error: Option<String>) {
        let now = self.now;
        self.write_task(id, |task| {
            task.state = state;
            task.since = now;
            // A failed task keeps the message of the state in which it failed.
            if state != State::Failed {
                task.message = state.message().to_owned();
            }
            task.error = error;
            if let Some(container) = &mut task.container {
                container.exit_code = code;
                container.pid = 0;
            }
        });
        self.starts.remove(id);
        self.after_the_end(id);
    }

    fn set_state(&mut self, id: &str, state: State, container: Option<Container>) {
        let now = self.now;
        self.write_task(id, |task| {
            task.state = state;
            task.since = now;
            task.message = state.message().to_owned();
            task.error = None;
            if container.is_some() {
                task.container = container;
            }
        });
    }

    fn log(&mut self, id: &str, lines: Vec<String>) {
        let at = self.now;
        if let Some(task) = self.tasks.get_mut(id) {
            task.log.extend(lines.into_iter().map(|text| LogLine { at, text }));
        }
    }

    fn run_of(&self, task: &Task) -> Run {
        let mounted = spec::secrets(&task.spec);
        self.program_of(&task.id).run(|target, values| {
            let here = mounted.iter().filter(|one| one.target.as_deref() == Some(target));
            here.into_iter().any(|one| values.iter().any(|value| self.vault.reads(&one.id, value)))
        })
    }

    /// What the container of a task does: by the name of its service, else by its image.
    pub(super) fn program_of(&self, task: &str) -> Stored {
        let runs = || crate::sim::Program::runs().stored(&self.vault);
        let Some(task) = self.tasks.get(task) else { return runs() };
        let name = self.services.get(&task.service).map(|service| service.name()).unwrap_or_default();
        let image = spec::text(&task.spec["ContainerSpec"]["Image"]);
        let told = self.programs.get(name).or_else(|| self.programs.get(image));
        match told {
            Some(program) => program.clone(),
            None if task.iteration.is_some() => Stored::job(&self.vault),
            None => runs(),
        }
    }
}

/// Whether a task has a container that was started and has not ended.
fn is_up(task: &Task) -> bool {
    matches!(task.state, State::Starting | State::Running)
}
