//! The Swarm's own labels, as kill switches read them.

use async_trait::async_trait;

use super::run::Executor;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::EnvironmentId;
use crate::inventory::Labels;
use crate::model::{Swarm, read};
use crate::policy::SwarmLabels;
use crate::transport::{Read, Transport};

/// Reads them each time that it is asked: a switch that was turned is seen at the next step.
#[derive(Clone, Copy)]
pub(super) struct OfSwarm<'r> {
    transport: &'r dyn Transport,
    environment: EnvironmentId,
}

#[async_trait]
impl SwarmLabels for OfSwarm<'_> {
    async fn read(&self) -> Result<Labels> {
        let answer = self.transport.read(&Read::swarm(self.environment)).await?;
        let swarm: Swarm<'_> = read("the swarm", &answer.body)?;
        let missing = || Error::new(ErrorKind::Protocol, "the answer does not tell the labels of the swarm");
        Ok(swarm.spec.ok_or_else(missing)?.labels.to_labels())
    }
}

impl Executor<'_> {
    pub(super) fn swarm_labels(&self) -> OfSwarm<'_> {
        OfSwarm { transport: &self.transport, environment: self.parts.environment }
    }
}
