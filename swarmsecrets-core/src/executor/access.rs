//! The steps of a password: by a setter, or by commands in a container of the service that holds it; and whose turn it is.

use std::collections::BTreeSet;

use super::reach::{provider_of, runs, tasks_of};
use super::run::{Executor, Run};
use crate::credential::Place;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, SecretName, TaskId};
use crate::journal::CredentialStep;
use crate::model::TaskState;
use crate::plan::{Plan, PlannedSecret};
use crate::policy::Direction;
use crate::rotation::{Answer, Login, Reply, Stage, State, Which};
use crate::secret::SecretValue;

impl Executor<'_> {
    /// Checks that no password of a plan is in the hands of a rotation that has not come to its end: what its version holds
    /// may not be what logs in. Labels do not tell that; the journal does, where it is at hand. A rotation that has begun
    /// itself does not count.
    pub(super) async fn nobody_changes_passwords_of(&self, plan: &Plan, ours: Option<&RotationId>) -> Result<()> {
        let with_password = |s: &&PlannedSecret| s.credential.is_some();
        let old: BTreeSet<&SecretName> =
            plan.secrets.iter().filter(with_password).filter_map(|s| Some(&s.previous.as_ref()?.name)).collect();
        if old.is_empty() {
            return Ok(());
        }
        let made = |state: &State| {
            let secrets = state.plan.secrets.iter().zip(&state.versions);
            let mut made = secrets.filter(|(_, v)| v.may_be_there()).map(|(planned, _)| &planned.next.name);
            // Where its new version was removed, the one from which it began is the current one again.
            let began = state.has_open_password() && state.plan.replaced().any(|version| old.contains(&version.name));
            began || state.stage != Stage::Grace && made.any(|name| old.contains(name))
        };
        let in_the_way = |state: &State| {
            let here = state.plan.environment == plan.environment && state.plan.cluster == plan.cluster;
            here && Some(&state.rotation) != ours && made(state)
        };
        let Some(open) = self.unfinished().await?.into_iter().find(in_the_way) else { return Ok(()) };
        let id = &open.rotation;
        let text = format!(
            "rotation `{id}` made the current version, or began from it, and has not come to its end, nor has its password: `swarmsecrets resume {id}` or `swarmsecrets rollback {id}` first, or `swarmsecrets close {id}` once it is seen to by hand"
        );
        Err(Error::new(ErrorKind::Conflict, text))
    }

    /// Does one step of a password. Commands take leave as any mutation does, and where that is withheld the run ends.
    pub(super) async fn change_password(
        &self,
        run: &Run<'_, '_>,
        secret: usize,
        step: CredentialStep,
    ) -> Result<Reply> {
        let state = run.rotation.state();
        let direction = if step == CredentialStep::Undo { Direction::Restore } else { Direction::Forward };
        // Another one may have begun at the same time, and somebody have taken its version away, whose name fences it.
        if state.first_set == Some(secret)
            && let Err(error) = self.nobody_changes_passwords_of(&state.plan, Some(&state.rotation)).await
        {
            return Ok(Reply::Refused(error));
        }
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
