//! What must hold at every moment, whoever did what: looked at after each step, in the simulated Engine itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::inventory::label;

use crate::sim::{Task, World, secret_references};

/// Whose hand a change was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Nobody's: it was so at the beginning.
    Scene,
    /// The Engine's own, as time passed.
    Engine,
    /// A person's.
    Person,
    /// A rotation's.
    Rotation(String),
    /// A rotation's, after its process had given up on it.
    Late(String),
}

impl By {
    /// Whose hand it was, late or not.
    fn in_time(&self) -> Self {
        match self {
            Self::Late(rotation) => Self::Rotation(rotation.clone()),
            by => by.clone(),
        }
    }
}

/// The references of a service: target and secret id.
pub(super) type References = Vec<(String, String)>;

/// The world as it was at the last look, and what has changed since the beginning.
#[derive(Default)]
pub(super) struct Watch {
    /// The last write and the last event: if both are the same, nothing has changed.
    seen: (u64, usize),
    services: BTreeMap<String, References>,
    /// By id: the name, and the rotation that made it.
    pub(super) secrets: BTreeMap<String, (String, Option<String>)>,
    /// The names of all versions that were ever there, by id.
    pub(super) names: BTreeMap<String, String>,
    /// By service and target: the name of the version that was mounted there first.
    first: BTreeMap<(String, String), String>,
    /// The versions that people made: their values were never passwords.
    pub(super) persons: BTreeSet<String>,
    /// The values of all versions that were ever there, by id.
    pub(super) values: BTreeMap<String, SecretValue>,
    /// The services that were updated by what arrived late.
    pub(super) moved_late: BTreeSet<String>,
    /// When a person last changed the references of a service.
    by_people: BTreeMap<String, Duration>,
    /// The references that people have given a service.
    pointed: BTreeSet<(String, References)>,
    /// Who gave a service a version last, by both.
    given: BTreeMap<(String, String), By>,
    /// By service: who made it, changed its references or removed it, in order.
    history: BTreeMap<String, Vec<By>>,
    /// The versions that each rotation ever made, by rotation and name.
    pub(super) made: BTreeMap<(String, String), BTreeSet<String>>,
    /// The versions that arrived after their process had given up on them, and that no process has found since.
    pub(super) late: BTreeSet<String>,
    /// All that ever arrived so.
    pub(super) came_late: BTreeSet<String>,
    /// The services whose tasks the account sees; none if it sees all.
    pub(super) sight: Option<BTreeSet<String>>,
    /// The secrets that are gone, and whose hand it was.
    pub(super) removed: BTreeMap<String, By>,
}

impl Watch {
    /// Takes in what has changed since the last look. `by` did it, unless `only` says that it was to that service alone.
    /// Says whether anything has.
    pub(super) fn look(&mut self, world: &World, by: &By, only: Option<&str>, at: Duration) -> Result<bool, String> {
        let now = (world.index, world.events.len());
        if std::mem::replace(&mut self.seen, now) == now {
            return Ok(false);
        }
        self.secrets(world, by)?;
        self.services(world, by, only, at)?;
        Ok(true)
    }

    fn secrets(&mut self, world: &World, by: &By) -> Result<(), String> {
        for (id, secret) in &world.secrets {
            if self.secrets.contains_key(id) {
                continue;
            }
            let rotation = secret.spec["Labels"][label::ROTATION].as_str().map(str::to_owned);
            if let Some(rotation) = &rotation {
                let made = self.made.entry((rotation.clone(), secret.name().to_owned())).or_default();
                made.insert(id.clone());
                // One that arrived late, after the first had been withdrawn, is for the oracle to judge.
                if made.iter().filter(|id| world.secrets.contains_key(*id)).count() > 1 {
                    return Err(format!("rotation {rotation} made a second version, {}", secret.name()));
                }
            }
            match by {
                By::Late(_) => {
                    self.late.insert(id.clone());
                    self.came_late.insert(id.clone());
                }
                By::Person => drop(self.persons.insert(id.clone())),
                _ => {}
            }
            self.values.extend(world.vault.value(id).map(|value| (id.clone(), value.clone())));
            self.names.insert(id.clone(), secret.name().to_owned());
            self.secrets.insert(id.clone(), (secret.name().to_owned(), rotation));
        }
        let gone: Vec<String> = self.secrets.keys().filter(|id| !world.secrets.contains_key(*id)).cloned().collect();
        for id in gone {
            let (name, maker) = self.secrets.remove(&id).unwrap_or_default();
            if let By::Rotation(rotation) | By::Late(rotation) = by {
                self.unused(world, &id, &name, maker.as_ref() == Some(rotation))?;
            }
            self.removed.insert(id, by.in_time());
        }
        Ok(())
    }

    fn services(&mut self, world: &World, by: &By, only: Option<&str>, at: Duration) -> Result<(), String> {
        let hand = |id: &str| if only.is_none_or(|only| only == id) { by.in_time() } else { By::Engine };
        for (id, service) in &world.services {
            let now = secret_references(&service.current.spec);
            if self.services.get(id) == Some(&now) {
                continue;
            }
            if let Some((target, missing)) = now.iter().find(|(_, secret)| !world.secrets.contains_key(secret)) {
                return Err(format!(
                    "service {} names at {target} the secret {missing}, which is gone",
                    service.name()
                ));
            }
            for (target, version) in &now {
                let name = self.names.get(version).cloned().unwrap_or_default();
                self.first.entry((id.clone(), target.clone())).or_insert(name);
            }
            if let By::Person = by {
                self.pointed.insert((id.clone(), now.clone()));
            }
            let before = self.services.insert(id.clone(), now.clone()).unwrap_or_default();
            for (_, version) in now.into_iter().filter(|reference| !before.contains(reference)) {
                self.given.insert((id.clone(), version), hand(id));
            }
            if let By::Late(_) = by {
                self.moved_late.insert(id.clone());
            }
            if let By::Person = by {
                self.by_people.insert(id.clone(), at);
            }
            self.history.entry(id.clone()).or_default().push(hand(id));
        }
        let gone: Vec<String> = self.services.keys().filter(|id| !world.services.contains_key(*id)).cloned().collect();
        for id in gone {
            self.services.remove(&id);
            let by = hand(&id);
            self.history.entry(id).or_default().push(by);
        }
        Ok(())
    }

    /// The references of a service now; none if it is gone.
    pub(super) fn references(&self, service: &str) -> Option<&References> {
        self.services.get(service)
    }

    /// The name of the version that a service mounted first at a target.
    pub(super) fn first_at(&self, service: &str, target: &str) -> Option<&str> {
        self.first.get(&(service.to_owned(), target.to_owned())).map(String::as_str)
    }

    /// When a person last changed the references of a service.
    pub(super) fn person_at(&self, service: &str) -> Option<Duration> {
        self.by_people.get(service).copied()
    }

    /// Who gave a service a version last.
    pub(super) fn given_by(&self, service: &str, version: &str) -> Option<&By> {
        self.given.get(&(service.to_owned(), version.to_owned()))
    }

    /// Whether a task has references that a person gave its service, and that it has no more: its end is on its way.
    pub(super) fn is_a_persons(&self, service: &str, task: &References) -> bool {
        self.references(service) != Some(task) && self.pointed.contains(&(service.to_owned(), task.clone()))
    }

    /// The services that name a secret now.
    pub(super) fn users(&self, secret: &str) -> Vec<&str> {
        let uses = |references: &References| references.iter().any(|(_, id)| id == secret);
        self.services.iter().filter(|(_, references)| uses(references)).map(|(id, _)| id.as_str()).collect()
    }

    /// Whether a rotation has ever changed a service's references.
    pub(super) fn touched(&self, service: &str, rotation: &str) -> bool {
        self.changes(service).contains(&By::Rotation(rotation.to_owned()))
    }

    /// Who changed a service's references, in order; the first one made it.
    pub(super) fn changes(&self, service: &str) -> &[By] {
        self.history.get(service).map_or(&[], Vec::as_slice)
    }

    /// An old version must go after the last task that the account sees has ended; a new one that is withdrawn, once no task is meant to run on it.
    fn unused(&self, world: &World, id: &str, name: &str, withdrawn: bool) -> Result<(), String> {
        let holds = |task: &&Task| {
            if withdrawn { task.is_wanted() && !task.state.is_terminal() } else { !task.state.is_terminal() }
        };
        // Neither the account nor the Engine's check sees a task of a hidden service that somebody moved elsewhere.
        let moved = |service: &str| self.changes(service).iter().any(|by| *by != By::Scene);
        let hidden = |service: &str| self.sight.as_ref().is_some_and(|sight| !sight.contains(service));
        let seen = |task: &&Task| !(hidden(&task.service) && moved(&task.service));
        let mounts = |task: &&Task| crate::sim::task_secrets(&task.spec).iter().any(|secret| secret == id);
        match world.tasks.values().filter(holds).filter(seen).find(mounts) {
            None => Ok(()),
            Some(task) => {
                let service = world.services.get(&task.service).map_or("a removed service", |s| s.name());
                Err(format!(
                    "{name} was removed while a task of {service} uses it ({:?}, wanted {:?})",
                    task.state, task.desired
                ))
            }
        }
    }
}
