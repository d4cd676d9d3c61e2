//! `/services`.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, Refused, body, empty, flag, json_with, ok, parameter};
use super::filters::Filters;
use crate::engine::EngineRequest;
use crate::sim::agenda::Due;
use crate::sim::event::Event;
use crate::sim::service::{JobStatus, Service, Specified, UpdateState, UpdateStatus};
use crate::sim::spec::{self, Mode, Reference};
use crate::sim::task::State;
use crate::sim::world::World;

/// How long the orchestrator takes to see a change: until then an update has no status.
const NOTICE: Duration = Duration::from_millis(10);

pub(crate) fn list(world: &World, request: &EngineRequest) -> Answer {
    let filters = Filters::of(request, &["id", "name", "label", "mode", "runtime"])?;
    let with_status = flag(request, "status");
    let list: Vec<Value> = world
        .services
        .values()
        .filter(|service| filters.any("id", |id| service.id.starts_with(id)))
        .filter(|service| filters.any("name", |name| service.name().starts_with(name)))
        .filter(|service| filters.any("mode", |mode| mode_name(service.mode()) == mode))
        .filter(|service| filters.labels(&service.current.spec["Labels"]))
        .map(|service| {
            let mut json = service.to_json();
            if with_status {
                json["ServiceStatus"] = status(world, service);
            }
            json
        })
        .collect();
    ok(&list)
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Replicated(_) => "replicated",
        Mode::Global => "global",
        Mode::ReplicatedJob { .. } => "replicated-job",
        Mode::GlobalJob => "global-job",
    }
}

fn status(world: &World, service: &Service) -> Value {
    let tasks = || world.tasks.values().filter(|task| task.service == service.id);
    let nodes = || world.nodes.values().filter(|node| node.suits(&service.current.spec["TaskTemplate"])).count() as u64;
    let desired = match service.mode() {
        Mode::Replicated(replicas) => replicas,
        Mode::ReplicatedJob { concurrent, .. } => concurrent,
        Mode::Global | Mode::GlobalJob => nodes(),
    };
    json!({
        "RunningTasks": tasks().filter(|task| task.state == State::Running && !task.desired.is_an_end()).count(),
        "DesiredTasks": desired,
        "CompletedTasks": tasks().filter(|task| task.state == State::Complete && service.job.is_some()).count(),
    })
}

/// Finds a service by id, by name, or by the beginning of its id.
pub(crate) fn find<'a>(world: &'a World, wanted: &str) -> Result<&'a Service, Refused> {
    let by_name = || world.services.values().find(|service| service.name() == wanted);
    if let Some(service) = world.services.get(wanted).or_else(by_name) {
        return Ok(service);
    }
    let mut like = world.services.values().filter(|service| service.id.starts_with(wanted));
    match (like.next(), like.count()) {
        (None, _) => Err(Refused::new(404, format!("service {wanted} not found"))),
        (Some(service), 0) => Ok(service),
        (Some(_), more) => {
            Err(Refused::new(400, format!("service {wanted} is ambiguous ({} matches found)", more + 1)))
        }
    }
}

pub(crate) fn inspect(world: &World, id: &str) -> Answer {
    ok(&find(world, id)?.to_json())
}

pub(crate) fn create_from(world: &mut World, request: &EngineRequest) -> Answer {
    let id = create(world, body(request)?)?;
    Ok(json_with(201, &json!({"ID": id})))
}

/// Makes a service. The answer is its id.
pub(crate) fn create(world: &mut World, mut spec: Value) -> Result<String, Refused> {
    check(world, &spec)?;
    let name = spec::text(&spec["Name"]).to_owned();
    if world.services.values().any(|service| service.name() == name) {
        let why = format!("name conflicts with an existing object: service {name} already exists");
        return Err(Refused::rpc("AlreadyExists", why));
    }
    spec::normalise(&mut spec);
    let id = world.dice.swarm_id();
    let (version, now) = (world.next_version(), world.now);
    let job = Mode::of(&spec).is_job().then_some(JobStatus { iteration: 0, last_execution: now });
    let service = Service {
        id: id.clone(),
        version,
        created: now,
        updated: now,
        current: Specified { spec, version },
        previous: None,
        update: None,
        job,
        restarts: std::collections::BTreeMap::new(),
    };
    world.services.insert(id.clone(), service);
    world.record(Event::new(now, "service", "create", &id, &name));
    // Not at once: a task is created some moments after its service.
    world.later(Duration::from_micros(500), Due::Reconcile { service: id.clone() });
    Ok(id)
}

pub(crate) fn update(world: &mut World, id: &str, request: &EngineRequest) -> Answer {
    let spec: Value = body(request)?;
    let given = parameter(request, "version").unwrap_or_default();
    let version: u64 = given.parse().map_err(|_| Refused::new(400, format!("invalid service version '{given}'")))?;
    let service = find(world, id)?.clone();
    if parameter(request, "registryAuthFrom") == Some("previous-spec") && service.previous.is_none() {
        return Err(Refused::new(500, "service does not have a previous spec"));
    }
    check(world, &spec)?;
    if parameter(request, "rollback") == Some("previous") {
        roll_back(world, &service, version)?;
    } else {
        replace(world, &service.id, version, spec)?;
    }
    ok(&json!({"Warnings": null}))
}

/// Gives a service another spec.
pub(crate) fn replace(world: &mut World, id: &str, version: u64, mut spec: Value) -> Result<(), Refused> {
    let service = find(world, id)?;
    if service.name() != spec::text(&spec["Name"]) {
        return Err(Refused::rpc("Unimplemented", "renaming services is not supported"));
    }
    spec::normalise(&mut spec);
    if !service.mode().is_like(Mode::of(&spec)) {
        return Err(Refused::rpc("Unimplemented", "service mode change is not allowed"));
    }
    if service.version != version {
        return Err(Refused::out_of_sequence());
    }
    let (id, now, spec_version) = (service.id.clone(), world.now, world.index + 1);
    world.write_service(&id, |service| {
        let next = Specified { spec, version: spec_version };
        service.previous = Some(std::mem::replace(&mut service.current, next));
        service.update = None;
        run_again(service, now);
    });
    world.later(NOTICE, Due::Reconcile { service: id });
    Ok(())
}

fn roll_back(world: &mut World, service: &Service, version: u64) -> Result<(), Refused> {
    if service.previous.is_none() {
        let why = format!("service {} does not have a previous spec", service.id);
        return Err(Refused::rpc("FailedPrecondition", why));
    }
    if service.version != version {
        return Err(Refused::out_of_sequence());
    }
    let now = world.now;
    world.write_service(&service.id, |service| {
        if let Some(previous) = service.previous.take() {
            service.previous = Some(std::mem::replace(&mut service.current, previous));
        }
        service.update = Some(UpdateStatus {
            state: UpdateState::RollbackStarted,
            started: now,
            completed: None,
            message: "manually requested rollback".into(),
        });
        run_again(service, now);
    });
    world.later(NOTICE, Due::Reconcile { service: service.id.clone() });
    Ok(())
}

/// A job runs again whenever its service is updated.
fn run_again(service: &mut Service, now: jiff::Timestamp) {
    if let Some(job) = &mut service.job {
        job.iteration += 1;
        job.last_execution = now;
    }
}

pub(crate) fn delete(world: &mut World, id: &str) -> Answer {
    let id = find(world, id)?.id.clone();
    remove(world, &id);
    empty(200)
}

/// Removes a service and its tasks.
pub(crate) fn remove(world: &mut World, id: &str) {
    if let Some(service) = world.services.remove(id) {
        world.record(Event::new(world.now, "service", "remove", id, service.name()));
        world.remove_tasks_of(id);
    }
}

/// Refuses a spec that Swarm does not take.
fn check(world: &World, spec: &Value) -> Result<(), Refused> {
    let name = spec::text(&spec["Name"]);
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    let ends = [name.bytes().next(), name.bytes().last()];
    if name.is_empty() {
        return Err(Refused::invalid("meta: name must be provided"));
    }
    if name.len() > 63 {
        return Err(Refused::invalid("name must be 63 characters or fewer"));
    }
    if !name.bytes().all(inside) || !ends.iter().flatten().all(u8::is_ascii_alphanumeric) {
        return Err(Refused::invalid("name must be valid as a DNS name component"));
    }
    if spec::text(&spec["TaskTemplate"]["ContainerSpec"]["Image"]).is_empty() {
        return Err(Refused::invalid("ContainerSpec: image reference must be provided"));
    }
    let (secrets, configs) = (spec::secrets(&spec["TaskTemplate"]), spec::configs(&spec["TaskTemplate"]));
    check_targets("secret", &secrets)?;
    check_targets("config", &configs)?;
    check_existence("secret", &secrets, |one| world.secrets.get(&one.id).is_some_and(|is| is.name() == one.name))?;
    check_existence("config", &configs, |one| world.configs.get(&one.id).is_some_and(|is| is.name() == one.name))
}

fn check_targets(what: &str, references: &[Reference]) -> Result<(), Refused> {
    for (at, one) in references.iter().enumerate() {
        if one.id.is_empty() || one.name.is_empty() {
            return Err(Refused::invalid(format!("malformed {what} reference")));
        }
        let Some(target) = one.target.as_deref().filter(|target| !target.is_empty()) else { continue };
        if let Some(other) = references[..at].iter().find(|other| other.target.as_deref() == Some(target)) {
            let why =
                format!("{what} references '{}' and '{}' have a conflicting target: '{target}'", other.name, one.name);
            return Err(Refused::invalid(why));
        }
    }
    Ok(())
}

fn check_existence(what: &str, references: &[Reference], exists: impl Fn(&Reference) -> bool) -> Result<(), Refused> {
    let missing: Vec<&str> = references.iter().filter(|one| !exists(one)).map(|one| one.name.as_str()).collect();
    match missing.len() {
        0 => Ok(()),
        1 => Err(Refused::invalid(format!("{what} not found: {}", missing[0]))),
        _ => Err(Refused::invalid(format!("{what}s not found: {}", missing.join(", ")))),
    }
}
