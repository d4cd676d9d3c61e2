//! From what was read to the usage graph, in one walk over each list.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::findings::{Uses, findings};
use super::grouping::group;
use super::owners::People;
use super::stacks::read_stacks;
use super::{
    Account, Consumer, Inventory, InventoryFinding, InventoryFindingKind, LogicalSecret, NameScheme, SecretReference,
    SecretVersion, ServiceNode, Snapshot, StackNode, Visibility, services, tasks,
};
use crate::error::Result;
use crate::ids::{ClusterId, UserId, quoted};
use crate::model::{Driver, Secret, Swarm, User, for_each, id_of, read};
use crate::parallel;

impl Inventory {
    /// Makes the usage graph of what was read, in time linear in its size.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if an answer is not what the API says, quoting nothing of it.
    pub fn build(mut snapshot: Snapshot) -> Result<Self> {
        let people = People::read(snapshot.users.as_deref(), snapshot.teams.as_deref())?;
        let account = account(&snapshot, &people)?;
        let cluster = cluster(&snapshot.swarm)?;
        let (services, versions) =
            parallel::both(|| services::read(&snapshot.services), || versions(&snapshot.secrets, &people));
        let (mut services, versions) = (services?, versions?);
        // What has been read is let go of at once: the graph and the services' bytes are enough to hold.
        snapshot.secrets = Bytes::new();
        let unseen = tasks::summarize(&snapshot.tasks, &mut services)?;
        snapshot.tasks = Bytes::new();
        let services: Vec<Arc<ServiceNode>> = services.into_iter().map(Arc::new).collect();
        let stacks = read_stacks(&snapshot, &services, account.administrator)?;
        let visibility = visibility(&account, &stacks);
        let (mut secrets, ambiguous) = group(versions);
        let loose = connect(&mut secrets, &services, visibility == Visibility::Full);
        let living = tasks::living(&services, &unseen);
        let uses = Uses::new(&living, &stacks, &visibility, snapshot.taken_at);
        for secret in &mut secrets {
            let found = findings(secret, &uses);
            secret.findings.extend(found);
            secret.findings.shrink_to_fit();
        }
        Ok(Self {
            environment: snapshot.environment,
            cluster,
            account,
            taken_at: snapshot.taken_at,
            simulated: snapshot.simulated,
            visibility,
            secrets,
            services,
            stacks,
            ambiguous,
            findings: loose,
            strays: unseen,
            raw: snapshot.services.clone(),
            networks: snapshot.networks.take(),
        })
    }
}

fn account(snapshot: &Snapshot, people: &People) -> Result<Account> {
    let user: User<'_> = read("the account", &snapshot.me)?;
    let administrator = user.is_administrator();
    let teams = snapshot.teams.as_ref().filter(|_| !administrator).map(|_| people.teams());
    Ok(Account { id: UserId(user.id), name: user.username.to_string(), administrator, teams })
}

fn cluster(swarm: &[u8]) -> Result<ClusterId> {
    let swarm: Swarm<'_> = read("the swarm", swarm)?;
    id_of(&swarm.id, "the swarm")
}

fn visibility(account: &Account, stacks: &[StackNode]) -> Visibility {
    let mut reasons = Vec::new();
    if !account.administrator {
        let who = quoted(&account.name);
        reasons.push(format!(
            "the account {who} is no Portainer administrator and sees only what it or its teams may see"
        ));
    }
    for stack in stacks {
        if let Some(why) = &stack.unreadable {
            reasons.push(format!("the file of stack {} is not known: {why}", quoted(&stack.name)));
        }
    }
    if reasons.is_empty() { Visibility::Full } else { Visibility::Partial { reason: reasons.join("; ") } }
}

fn versions(body: &[u8], people: &People) -> Result<Vec<SecretVersion>> {
    let mut versions = Vec::new();
    for_each("the list of secrets", body, |secret: Secret<'_>| {
        versions.push(version(&secret, people)?);
        Ok(())
    })?;
    Ok(versions)
}

fn version(secret: &Secret<'_>, people: &People) -> Result<SecretVersion> {
    let driver = |d: &Option<Driver<'_>>| d.as_ref().map(|d| d.name.to_string()).filter(|name| !name.is_empty());
    Ok(SecretVersion {
        id: id_of(&secret.id, "a secret")?,
        name: id_of(&secret.spec.name, "a secret (its name)")?,
        version: 1,
        scheme: NameScheme::Plain,
        created: secret.created_at,
        labels: secret.spec.labels.to_labels(),
        owner: secret.portainer.resource_control.as_ref().map(|control| people.owner(control)),
        driver: driver(&secret.spec.driver),
        templating: driver(&secret.spec.templating),
    })
}

/// Gives each logical secret its consumers, and says which references point at nothing. What points at no logical secret
/// at all is given back.
fn connect(secrets: &mut [LogicalSecret], services: &[Arc<ServiceNode>], full: bool) -> Vec<InventoryFinding> {
    let (links, loose) = links(secrets, services, full);
    let mut counts = vec![0; secrets.len()];
    links.iter().for_each(|link| counts[link.secret] += 1);
    for (secret, count) in secrets.iter_mut().zip(counts) {
        secret.consumers.reserve_exact(count);
    }
    for Link { secret, service, reference, finding } in links {
        secrets[secret].consumers.push(Consumer::new(Arc::clone(service), reference));
        secrets[secret].findings.extend(finding);
    }
    for secret in secrets {
        secret.consumers.sort_by(|a, b| by_name(a).cmp(&by_name(b)));
    }
    loose
}

fn by_name(consumer: &Consumer) -> (&str, &str) {
    (&consumer.service().name, &consumer.reference().target)
}

/// That a service uses a logical secret.
struct Link<'a> {
    /// Its place.
    secret: usize,
    service: &'a Arc<ServiceNode>,
    /// Its place among the service's references.
    reference: usize,
    finding: Option<InventoryFinding>,
}

fn links<'a>(
    secrets: &[LogicalSecret],
    services: &'a [Arc<ServiceNode>],
    full: bool,
) -> (Vec<Link<'a>>, Vec<InventoryFinding>) {
    let all = || secrets.iter().enumerate().flat_map(|(at, s)| s.versions.iter().map(move |v| (at, v)));
    let by_id: HashMap<&str, (usize, &str)> = all().map(|(at, v)| (v.id.as_str(), (at, v.name.as_str()))).collect();
    // Needed only for a reference whose id nobody knows.
    let by_name = LazyCell::new(|| all().map(|(at, v)| (v.name.as_str(), at)).collect::<HashMap<&str, usize>>());
    let (mut links, mut loose) = (Vec::new(), Vec::new());
    for service in services {
        for (at, reference) in service.references.iter().enumerate() {
            let place = match by_id.get(reference.id.as_str()) {
                Some((place, name)) if *name == reference.name => Some((*place, None)),
                Some((place, name)) => Some((*place, Some(misnamed(service, reference, name)))),
                None => by_name.get(reference.name.as_str()).map(|p| (*p, Some(dangling(service, reference)))),
            };
            match place {
                Some((secret, finding)) => links.push(Link { secret, service, reference: at, finding }),
                // On a partial view it may simply be a secret that the account does not see.
                None if full => loose.push(dangling(service, reference)),
                None => {}
            }
        }
    }
    (links, loose)
}

fn misnamed(service: &ServiceNode, reference: &SecretReference, name: &str) -> InventoryFinding {
    let (who, said, is) = (quoted(&service.name), quoted(&reference.name), quoted(name));
    let text = format!("service {who} refers to {said} by the id of {is}");
    InventoryFinding { kind: InventoryFindingKind::Dangling, text }
}

fn dangling(service: &ServiceNode, reference: &SecretReference) -> InventoryFinding {
    let (who, said, id) = (quoted(&service.name), quoted(&reference.name), quoted(&reference.id));
    let text = format!("service {who} refers to {said} by the id {id}, which no secret has");
    InventoryFinding { kind: InventoryFindingKind::Dangling, text }
}
