//! Commands in containers, through Portainer.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::capability::{Exec, check_command};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{ContainerId, EnvironmentId, ExecId, TaskId, quoted};
use crate::model::{Container, ExecCreated, ExecState, read, read_list};
use crate::policy::Permit;
use crate::transport::{Node, Read, Transport, Write};

/// Gives leave for the mutations that a command takes. Whoever holds a gate implements it: nobody outside can make a permit.
#[async_trait]
pub trait Leave: Send + Sync {
    /// Leave for one mutation, once its intent stands in the audit trail. `words` say what is done.
    ///
    /// # Errors
    /// `Denied` and `NeedsApproval` from the guardrails, `Audit` from the sink.
    async fn take(&self, words: &str) -> Result<Permit>;

    /// How the mutation that leave was taken for has gone.
    async fn tell(&self, words: &str, outcome: &Result<()>);
}

/// Runs commands by plain requests: prepare, start without waiting, ask for the exit code until there is one.
///
/// It reaches the containers of the node that the environment's endpoint is on, or of any node where Portainer's agents run.
pub struct ContainerExec<'a> {
    /// The way to Portainer.
    pub transport: &'a dyn Transport,
    /// The environment.
    pub environment: EnvironmentId,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Leave for each mutation.
    pub leave: &'a dyn Leave,
}

/// A container, and the node that it is on where that has to be said.
pub(crate) struct Reached {
    id: ContainerId,
    node: Node,
}

/// The running container of a task, if this environment reaches it.
///
/// # Errors
/// `NotFound` if it does not, and those of [`Transport::read`].
pub(crate) async fn container_of(
    transport: &dyn Transport,
    environment: EnvironmentId,
    task: &TaskId,
) -> Result<Reached> {
    let body = transport.read(&Read::containers_of(environment, task)).await?.body;
    let found: Vec<Container<'_>> = read_list("the list of containers", &body)?;
    let running = found.into_iter().find(|container| container.state.as_str() == "running");
    match running {
        Some(container) => Ok(Reached {
            node: container.node().map_or(Node::Manager, |name| Node::Named(name.to_owned())),
            id: container.id.parse()?,
        }),
        None => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "no running container of task {task} can be reached: this environment reaches those that the account may see, \
                 on its own node, or with agents on any"
            ),
        )),
    }
}

impl ContainerExec<'_> {
    async fn prepare(&self, container: &Reached, command: &[String], words: &str) -> Result<ExecId> {
        let write = Write::create_exec(self.environment, &container.node, &container.id, command);
        let body = self.write(write, &format!("prepare {words}")).await?;
        read::<ExecCreated<'_>>("the answer to a new command", &body)?.id.parse()
    }

    async fn write(&self, write: Write, words: &str) -> Result<Bytes> {
        let permit = self.leave.take(words).await?;
        let (outcome, body) = match self.transport.write(write, permit).await {
            Ok(response) => (Ok(()), response.body),
            Err(error) => (Err(error), Bytes::new()),
        };
        self.leave.tell(words, &outcome).await;
        outcome.map(|()| body)
    }

    /// The exit code, once there is one.
    async fn ended(&self, node: &Node, id: &ExecId, words: &str, deadline: Duration) -> Result<i64> {
        let begun = self.clock.now().mono;
        loop {
            let body = self.transport.read(&Read::exec(self.environment, node, id)).await?.body;
            if let Some(code) = read::<ExecState>("the state of a command", &body)?.ended() {
                return Ok(code);
            }
            let spent = self.clock.now().mono.saturating_sub(begun);
            let left = deadline.saturating_sub(spent);
            if left.is_zero() {
                let text = format!("{words} has not ended within {} s, and may still run", deadline.as_secs_f64());
                return Err(Error::new(ErrorKind::Timeout, text));
            }
            let pause = (spent / 8).clamp(Duration::from_millis(50), Duration::from_secs(1));
            self.clock.sleep(pause.min(left)).await;
        }
    }
}

#[async_trait]
impl Exec for ContainerExec<'_> {
    async fn run(&self, task: &TaskId, command: &[String], deadline: Duration) -> Result<i64> {
        check_command(command)?;
        // Its arguments are not shown: they may be anything.
        let words = format!("the command {} in task {task}", quoted(command.first().map_or("", String::as_str)));
        let container = container_of(self.transport, self.environment, task).await?;
        let id = self.prepare(&container, command, &words).await?;
        let node = &container.node;
        self.write(Write::start_exec(self.environment, node, &id), &format!("start {words}")).await?;
        self.ended(node, &id, &words, deadline).await
    }
}
