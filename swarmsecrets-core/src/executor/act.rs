//! Where actions become requests. The one place that a mutation is sent from.

use super::made::Made;
use super::parts::Parts;
use super::read::read_inventory;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SecretName, ServiceId};
use crate::inventory::label;
use crate::inventory::{Labels, Owner};
use crate::model::{Created, Secret, ServiceState, parse_tasks, read, read_list};
use crate::policy::Permit;
use crate::rotation::{Answer, Change, FoundVersion, Look, Reply, StackSource};
use crate::transport::{Read, TaskFilter, Transport, Write};

/// Looks at something.
pub(super) async fn look(parts: &Parts<'_>, transport: &dyn Transport, look: &Look) -> Reply {
    let answer = match look {
        Look::Version(name) => version(parts, transport, name).await.map(Answer::Version),
        Look::Service(id) => service(parts, transport, id).await.map(|s| Answer::Service(Box::new(s))),
        Look::Rollout(id) => rollout(parts, transport, id).await,
        Look::Login { .. } => Err(Error::new(ErrorKind::Invalid, "a login is no request of Portainer's")),
        Look::Baseline(_) | Look::Health(_) => {
            Err(Error::new(ErrorKind::Invalid, "what a probe is asked is no request of Portainer's"))
        }
        Look::World | Look::Stacks(_) => {
            read_inventory(transport, parts.environment, parts.clock).await.map(|w| Answer::World(Box::new(w)))
        }
    };
    match answer {
        Ok(answer) => Reply::Done(answer),
        Err(error) if error.is_retryable() => Reply::Unknown(error),
        Err(error) => Reply::Refused(error),
    }
}

async fn version(parts: &Parts<'_>, transport: &dyn Transport, name: &SecretName) -> Result<Option<FoundVersion>> {
    let body = transport.read(&Read::secret_named(parts.environment, name)).await?.body;
    let found: Vec<Secret<'_>> = read_list("the list of secrets", &body)?;
    // The filter is the Engine's; a server that does not know it answers with more.
    let Some(secret) = found.iter().find(|s| s.spec.name.as_str() == name.as_str()) else { return Ok(None) };
    let rotation = secret.spec.labels.get(label::ROTATION).map(str::to_owned);
    Ok(Some(FoundVersion {
        id: secret.id.as_str().parse()?,
        rotation,
        owner: secret.portainer.resource_control.as_ref().map(Owner::of),
    }))
}

async fn service(parts: &Parts<'_>, transport: &dyn Transport, id: &ServiceId) -> Result<ServiceState> {
    ServiceState::parse(&transport.read(&Read::service(parts.environment, id)).await?.body)
}

async fn rollout(parts: &Parts<'_>, transport: &dyn Transport, id: &ServiceId) -> Result<Answer> {
    // Tasks first: a service that is read after its tasks can only be newer than they are.
    let of = TaskFilter::Of(vec![id.clone()]);
    let tasks = parse_tasks(&transport.read(&Read::tasks(parts.environment, &of)).await?.body)?;
    let service = service(parts, transport, id).await?;
    Ok(Answer::Rollout(Box::new(service), tasks))
}

/// Sends a mutation. A value is needed for [`Change::Create`] alone.
pub(super) async fn change(
    parts: &Parts<'_>,
    transport: &dyn Transport,
    change: &Change,
    permit: Permit,
    made: Result<Option<Made>>,
) -> Reply {
    let request = match request(parts, change, made) {
        Ok(request) => request,
        Err(error) => return Reply::Refused(error),
    };
    let creates = matches!(change, Change::Create { .. });
    match transport.write(request, permit).await {
        Ok(response) if creates => match created(&response.body) {
            Ok(found) => Reply::Done(Answer::Created(found)),
            Err(error) => Reply::Unknown(error),
        },
        Ok(_) => Reply::Done(Answer::Taken),
        Err(error) if error.is_unknown() || (error.is_retryable() && !creates) => Reply::Unknown(error),
        Err(error) => Reply::Refused(error),
    }
}

fn request(parts: &Parts<'_>, change: &Change, made: Result<Option<Made>>) -> Result<Write> {
    let environment = parts.environment;
    Ok(match change {
        Change::Create { name, labels, .. } => create(parts, name, labels, made?.as_ref())?,
        Change::Own { control, owner, .. } => Write::set_owner(*control, owner),
        Change::Update { service, name, version, spec, .. } => {
            Write::update_service(environment, service, name, *version, spec.as_raw())
        }
        Change::Credential { .. } => {
            return Err(Error::new(ErrorKind::Invalid, "a password is not changed through Portainer"));
        }
        Change::Stack { id, name, source: StackSource::File(file), variables, prune, .. } => {
            Write::put_stack(environment, *id, name, file, variables, *prune)
        }
        Change::Stack { id, name, source: StackSource::Repository { reference, .. }, variables, prune, .. } => {
            Write::redeploy_from_git(environment, *id, name, reference, variables, *prune)
        }
        Change::Remove { id, name, .. } => Write::delete_secret(environment, id, name),
    })
}

fn create(parts: &Parts<'_>, name: &SecretName, labels: &Labels, made: Option<&Made>) -> Result<Write> {
    let made = made.ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("`{name}` was never made, and its value is kept nowhere"))
    })?;
    let fingerprint = made.fingerprint.as_deref().map(|fingerprint| (label::FINGERPRINT, fingerprint));
    Ok(Write::create_secret(parts.environment, name, &labels.with(fingerprint), &made.value))
}

fn created(body: &[u8]) -> Result<FoundVersion> {
    let created: Created<'_> = read("the answer to a create", body)?;
    Ok(FoundVersion {
        id: created.id.as_str().parse()?,
        rotation: None,
        owner: created.portainer.resource_control.as_ref().map(Owner::of),
    })
}
