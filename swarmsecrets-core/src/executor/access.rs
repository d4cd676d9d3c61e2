//! The steps of a password: by a setter, or by commands in a container of the service that holds it.

use super::reach::{provider_of, runs, tasks_of};
use super::run::{Executor, Run};
use crate::credential::Place;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::TaskId;
use crate::journal::CredentialStep;
use crate::model::TaskState;
use crate::policy::Direction;
use crate::rotation::{Answer, Login, Reply, State, Which};
use crate::secret::SecretValue;

impl Executor<'_> {
    /// Does one step of a password. Commands take leave as any mutation does, and where that is withheld the run ends.
    pub(super) async fn change_password(
        &self,
        run: &Run<'_, '_>,
        secret: usize,
        step: CredentialStep,
    ) -> Result<Reply> {
        let state = run.rotation.state();
        let direction = if step == CredentialStep::Undo { Direction::Restore } else { Direction::Forward };
        let task = match self.task_with_both(state, secret).await {
            Ok(task) => task,
            Err(error) => return Ok(Reply::Refused(error)),
        };
        let leave = self.leave(run, direction);
        let exec = self.exec(&leave);
        let place = task.as_ref().map(|task| Place { exec: &exec, task });
        let (planned, next) = (&state.plan.secrets[secret], new_value(run, secret));
        let reply = self.passwords.change(&state.rotation, planned, step, next, place).await;
        leave.withheld().map_or(Ok(reply), Err)
    }

    /// Sees whether a password logs in.
    pub(super) async fn log_in(&self, run: &Run<'_, '_>, secret: usize, which: Which) -> Result<Reply> {
        let state = run.rotation.state();
        let direction = if state.undo.is_some() { Direction::Restore } else { Direction::Forward };
        let task = match self.task_with_both(state, secret).await {
            Ok(task) => task,
            Err(error) => return Ok(Reply::Done(Answer::Login(Login::Unclear(error)))),
        };
        let leave = self.leave(run, direction);
        let exec = self.exec(&leave);
        let place = task.as_ref().map(|task| Place { exec: &exec, task });
        let reply = self.passwords.log_in(&state.plan.secrets[secret], which, new_value(run, secret), place).await;
        leave.withheld().map_or(Ok(reply), Err)
    }

    /// The task that runs with the old version and the new one, if commands change the password and there is one.
    async fn task_with_both(&self, state: &State, secret: usize) -> Result<Option<TaskId>> {
        let no_such = || Error::new(ErrorKind::Journal, "the plan has no such secret");
        let planned = state.plan.secrets.get(secret).ok_or_else(no_such)?;
        let Some(consumer) = provider_of(&state.plan, planned) else { return Ok(None) };
        let tasks = tasks_of(&self.transport, self.parts.environment, consumer).await?;
        let old = planned.previous.as_ref().map(|previous| previous.id.as_str());
        let new = state.versions.get(secret).and_then(|v| v.created.as_ref()).map(|created| created.id.as_str());
        let mounts = |task: &TaskState, id: Option<&str>| task.secrets.iter().any(|(secret, _)| Some(&**secret) == id);
        let both = |task: &&TaskState| runs(task) && mounts(task, old) && mounts(task, new);
        Ok(tasks.iter().find(both).map(|task| task.id.clone()))
    }
}

/// The new value of a secret, if it was generated in this run or is handed over.
fn new_value<'r>(run: &'r Run<'_, '_>, secret: usize) -> Option<&'r SecretValue> {
    let plan = &run.rotation.state().plan;
    let supplied = || run.supply.as_ref()?.values.of(plan, &plan.secrets.get(secret)?.secret);
    run.fresh.get(secret).or_else(supplied)
}
