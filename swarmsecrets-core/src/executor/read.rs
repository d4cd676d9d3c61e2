//! Reads a Swarm through Portainer: the input of the usage graph.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::clock::Clock;
use crate::error::{ErrorKind, Result};
use crate::ids::{EnvironmentId, StackId};
use crate::inventory::{Inventory, Snapshot};
use crate::model::{Stack, Version, read_list};
use crate::transport::{Read, TaskFilter, Transport};

/// Reads everything that the account may see, and makes the usage graph of it.
///
/// Services are read a second time at the end: if one has moved in between, tasks and services are read anew, three times
/// at most. After that the plan's preconditions are the fence.
///
/// # Errors
/// As [`Transport::read`]; `Protocol` if an answer is not what the API says.
pub async fn read_inventory(
    transport: &dyn Transport,
    environment: EnvironmentId,
    clock: &dyn Clock,
) -> Result<Inventory> {
    let me = transport.read(&Read::me()).await?.body;
    let swarm = transport.read(&Read::swarm(environment)).await?.body;
    let users = if_allowed(transport, &Read::users()).await?;
    let teams = if_allowed(transport, &Read::teams()).await?;
    let nodes = if_allowed(transport, &Read::nodes(environment)).await?;
    let stacks = transport.read(&Read::stacks()).await?.body;
    let stack_files = files(transport, &stacks, environment).await?;
    // What a redeploy would change can be told with them only.
    let networks = match stack_files.is_empty() {
        true => None,
        false => if_allowed(transport, &Read::networks(environment)).await?,
    };
    let secrets = transport.read(&Read::secrets(environment)).await?.body;
    let (tasks, services) = settled(transport, environment).await?;
    Inventory::build(Snapshot {
        environment,
        taken_at: clock.now().wall,
        simulated: transport.simulated(),
        me,
        swarm,
        users,
        teams,
        nodes,
        stacks,
        stack_files,
        networks,
        secrets,
        tasks,
        services,
    })
}

async fn if_allowed(transport: &dyn Transport, request: &Read) -> Result<Option<Bytes>> {
    match transport.read(request).await {
        Ok(response) => Ok(Some(response.body)),
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files of the Swarm stacks of this environment. One that cannot be read is kept as such: it may name any secret.
async fn files(
    transport: &dyn Transport,
    stacks: &[u8],
    environment: EnvironmentId,
) -> Result<Vec<(StackId, Result<Bytes, String>)>> {
    let mut files = Vec::new();
    for stack in swarm_stacks(stacks, environment)? {
        let file = match transport.read(&Read::stack_file(stack)).await {
            Ok(response) => Ok(response.body),
            Err(error) if error.kind() == ErrorKind::Unauthorized => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        files.push((stack, file));
    }
    Ok(files)
}

async fn settled(transport: &dyn Transport, environment: EnvironmentId) -> Result<(Bytes, Bytes)> {
    const TRIES: u32 = 3;
    let mut before = transport.read(&Read::services(environment)).await?.body;
    let mut tries = 0;
    loop {
        let tasks = transport.read(&Read::tasks(environment, &TaskFilter::All)).await?.body;
        let services = transport.read(&Read::services(environment)).await?.body;
        tries += 1;
        // Where nothing moves, the bytes are the same, and need not be read to know that.
        if services == before || tries == TRIES || versions(&services)? == versions(&before)? {
            return Ok((tasks, services));
        }
        before = services;
    }
}

/// The Swarm stacks (type 1) of this environment.
fn swarm_stacks(stacks: &[u8], environment: EnvironmentId) -> Result<Vec<StackId>> {
    let stacks: Vec<Stack<'_>> = read_list("the list of stacks", stacks)?;
    let ours = stacks.iter().filter(|s| s.is_swarm_of(environment));
    Ok(ours.map(|s| StackId(s.id)).collect())
}

fn versions(services: &[u8]) -> Result<BTreeMap<String, u64>> {
    #[derive(Deserialize)]
    struct Service {
        #[serde(rename = "ID")]
        id: String,
        #[serde(rename = "Version", default)]
        version: Version,
    }
    let services: Vec<Service> = read_list("the list of services", services)?;
    Ok(services.into_iter().map(|s| (s.id, s.version.index)).collect())
}
