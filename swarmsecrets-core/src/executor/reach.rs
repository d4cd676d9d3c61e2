//! Whether commands reach the containers that they are for.

use crate::error::{Error, ErrorKind, Result};
use crate::exec::container_of;
use crate::ids::{EnvironmentId, quoted};
use crate::model::{TaskState, parse_tasks};
use crate::plan::{Content, PlannedConsumer, PlannedSecret};
use crate::transport::{Read, TaskFilter, Transport};

/// Checks that the commands that change the passwords of a plan reach their containers, so that a person learns it before
/// anything is done. The inventory does not tell: the account may not see the container, or another node may run it.
///
/// # Errors
/// `Refused` if such a container cannot be reached, and those of [`Transport::read`].
pub async fn check_reach(transport: &dyn Transport, environment: EnvironmentId, plan: &Content) -> Result<()> {
    for secret in &plan.secrets {
        let Some(consumer) = provider_of(plan, secret) else { continue };
        reach(transport, environment, consumer).await.map_err(|error| {
            let kind = if error.kind() == ErrorKind::NotFound { ErrorKind::Refused } else { error.kind() };
            let (service, why) = (quoted(&consumer.service), error.message());
            Error::new(kind, format!("no command can change the password of `{}` in {service}: {why}", secret.secret))
        })?;
    }
    Ok(())
}

async fn reach(transport: &dyn Transport, environment: EnvironmentId, consumer: &PlannedConsumer) -> Result<()> {
    let tasks = tasks_of(transport, environment, consumer).await?;
    let no_task = || Error::new(ErrorKind::NotFound, "it runs no task");
    let task = tasks.iter().find(|task| runs(task)).ok_or_else(no_task)?;
    container_of(transport, environment, &task.id).await.map(drop)
}

pub(super) async fn tasks_of(
    transport: &dyn Transport,
    environment: EnvironmentId,
    consumer: &PlannedConsumer,
) -> Result<Vec<TaskState>> {
    let of = TaskFilter::Of(vec![consumer.id.clone()]);
    parse_tasks(&transport.read(&Read::tasks(environment, &of)).await?.body)
}

/// The service in whose container commands change the password of a secret.
pub(super) fn provider_of<'p>(plan: &'p Content, secret: &PlannedSecret) -> Option<&'p PlannedConsumer> {
    let provider = secret.provider()?;
    plan.consumers.iter().find(|consumer| consumer.service == provider.service)
}

pub(super) fn runs(task: &TaskState) -> bool {
    task.desired == "running" && task.state == "running"
}
