//! Who can log in to the systems behind secrets, with what they mount.

use std::collections::{BTreeMap, BTreeSet};

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::Way;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::{PlannedSecret, Strategy};
use swarmsecrets_core::rotation::{Outcome, Report};

use super::begun::Begun;
use super::providers;
use super::scene::SECRETS;
use super::stage::{Live, Stage};
use super::truth::Verdict;
use super::watch::By;
use crate::credential::{FakeCredential, Fault, Step};
use crate::sim::{World, task_references};

/// The system behind a version, if there is one that holds two passwords: whoever mounts it can always log in.
pub(super) fn system<'a>(systems: &'a [Option<FakeCredential>], name: &str) -> Option<&'a FakeCredential> {
    let number = SECRETS.iter().position(|stem| name.starts_with(stem))?;
    systems.get(number)?.as_ref()
}

/// Whether the password of a version logs in, if there is a system behind it.
pub(super) fn works(live: &Live, version: &str, systems: &[Option<FakeCredential>]) -> Option<bool> {
    let (name, _) = live.watch.secrets.get(version)?;
    of(&live.watch.values, systems, name, version)
}

/// The same for a version that may be gone by now.
pub(super) fn of(
    values: &BTreeMap<String, SecretValue>,
    systems: &[Option<FakeCredential>],
    name: &str,
    version: &str,
) -> Option<bool> {
    Some(system(systems, name)?.logs_in(values.get(version)?))
}

/// The versions of a secret that log in now, by id, also those that are gone.
pub(super) fn of_secret(live: &Live, system: &FakeCredential, secret: usize) -> BTreeSet<String> {
    let stem = SECRETS.get(secret).copied().unwrap_or_default();
    let works = |id: &&String| live.watch.values.get(*id).is_some_and(|value| system.logs_in(value));
    let versions = live.watch.names.iter().filter(|(_, name)| name.starts_with(stem)).map(|(id, _)| id);
    versions.filter(works).cloned().collect()
}

/// Every task that is meant to run can log in with what it mounts, old or new. What a person has pointed somewhere is that
/// person's, a value that is revoked ends at once, and in a system with one password whoever has not moved yet waits.
pub(super) fn everybody_can(live: &Live, world: &World, systems: &[Option<FakeCredential>]) -> Verdict {
    if systems.iter().all(Option::is_none) {
        return Ok(());
    }
    for task in world.tasks.values().filter(|task| task.is_wanted() && !task.state.is_terminal()) {
        let references = task_references(&task.spec);
        if live.watch.is_a_persons(&task.service, &references) {
            continue;
        }
        for (target, version) in references {
            let Some((name, _)) = live.watch.secrets.get(&version) else { continue };
            let Some(system) = system(systems, name).filter(|system| way(system).holds_two()) else { continue };
            let shut = live.watch.values.get(&version).is_some_and(|value| !system.logs_in(value));
            let exempt = || providers::is_exempt(live, &task.service, &target, &version);
            if shut && why_shut(live, &task.service, &version).is_none() && !exempt() {
                let service = world.services.get(&task.service).map_or("a removed service", |service| service.name());
                return Err(format!("a task of {service} cannot log in with {name}, which it mounts"));
            }
        }
    }
    Ok(())
}

/// Why it is nobody's fault that a service cannot log in with a version, by what is recorded.
pub(super) fn why_shut(live: &Live, service: &str, version: &str) -> Option<&'static str> {
    let name = live.watch.names.get(version).map_or("", String::as_str);
    let by_a_person = live.watch.given_by(service, version) == Some(&By::Person);
    [
        (by_a_person, "a person has pointed the service there"),
        (live.watch.moved_late.contains(service), "the service's update came late"),
        (live.watch.persons.contains(version), "a person made the version: its value is no password"),
        // Nobody can find out that a system lied when the value is gone after a crash.
        (live.met(name, Step::Set, Fault::DoNothing), "the system said that it was set and did nothing"),
        (live.ended.contains(version), "the value is revoked"),
        (live.belated.shut.contains(version), "another change of the password came late"),
        (live.is_shut_from_elsewhere(version), "another host began from a rotation of which it has no journal"),
    ]
    .into_iter()
    .find_map(|(is, why)| is.then_some(why))
}

impl Live {
    /// Whether the password of a version was ended by a rotation that began from what another one, on a host of its own, had made
    /// of it: labels do not tell that a password is open, and a journal that both share would.
    fn is_shut_from_elsewhere(&self, version: &str) -> bool {
        let ender = self.belated.shut_by.get(version).and_then(|rotation| self.begun.get(rotation));
        let mut made = self.begun.values().flat_map(Begun::pairs).filter(|pair| pair.old_id() == version);
        let is_of = |new: &str| ender.is_some_and(|ender| ender.pairs().any(|pair| pair.old_id() == new));
        !self.one_host && made.any(|pair| pair.new.is_some_and(is_of))
    }

    /// Whether the system behind a version has met this fault.
    fn met(&self, version: &str, step: Step, fault: Fault) -> bool {
        let number = SECRETS.iter().position(|stem| version.starts_with(stem));
        self.denied.iter().any(|(secret, at, what)| Some(*secret) == number && (*at, *what) == (step, fault))
    }
}

pub(super) fn way(system: &FakeCredential) -> Way {
    use swarmsecrets_core::credential::CredentialSetter as _;
    system.account().way
}

/// Whether the passwords are where the end of a rotation says: the old one ended if and only if all are on the new version.
pub(super) fn ended(stage: &Stage, live: &Live, id: &RotationId, begun: &Begun, report: &Report) -> Verdict {
    for (n, planned) in begun.plan.secrets.iter().enumerate().filter(|(_, planned)| planned.credential.is_some()) {
        let Some(system) = system(&stage.systems, &planned.secret) else { continue };
        let pair = begun.pair(n);
        if live.watch.persons.contains(pair.old_id()) {
            continue;
        }
        let works = |version: Option<&str>| {
            version.and_then(|version| live.watch.values.get(version)).map(|value| system.logs_in(value))
        };
        let (old, new) = (works(Some(pair.old_id())), works(pair.new));
        let others = Others::of(live, id, planned, pair.new);
        let wrong = |why: &str| Err(format!("{why} of {}", planned.secret));
        let is_shut = |version: &str| live.belated.shut.contains(version);
        match report.outcome {
            Outcome::Applied
                if old == Some(true)
                    && !set_again(live, id, pair.old_id())
                    && !live.belated.opened.contains(pair.old_id()) =>
            {
                return wrong("the old password logs in");
            }
            Outcome::Applied | Outcome::AwaitingPatch
                if new == Some(false) && !others.later && !pair.new.is_some_and(is_shut) =>
            {
                return wrong("the new password does not log in");
            }
            Outcome::AwaitingPatch
                if begun.plan.strategy == Strategy::Overlap
                    && !others.later
                    && old == Some(false)
                    && !is_shut(pair.old_id())
                    && way(system).holds_two() =>
            {
                return wrong("a stack's file waits, and the old password does not log in");
            }
            Outcome::RolledBack | Outcome::NotStarted | Outcome::Conflict if !others.beside => {
                let lied = live.met(&planned.secret, Step::Undo, Fault::DoNothing);
                let dead = begun.dead.iter().any(|id| id == pair.old_id());
                // Whoever removed it has put an older one in its place.
                let there = live.watch.secrets.contains_key(pair.old_id());
                if old == Some(false) && there && !lied && !dead && !is_shut(pair.old_id()) {
                    return wrong("it was undone, and the old password does not log in");
                }
                // An undo is not tried out: a system that lies about it is believed.
                let again = pair.new.is_some_and(|new| set_again(live, id, new));
                let opened = pair.new.is_some_and(|new| live.belated.opened.contains(new));
                if new == Some(true) && !again && !lied && !opened {
                    return wrong("it was undone, and the new password logs in");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether another rotation has made a version of the same value.
fn set_again(live: &Live, id: &RotationId, version: &str) -> bool {
    let value = |version: &str| live.watch.values.get(version).map(SecretValue::expose);
    let others = live.begun.iter().filter(|(other, _)| *other != id).flat_map(|(_, begun)| begun.pairs());
    let mut others = others.filter_map(|pair| pair.new).filter(|other| *other != version);
    others.any(|other| value(other).is_some() && value(other) == value(version))
}

/// What other rotations have done to a password.
struct Others {
    /// One began from our new version.
    later: bool,
    /// One began from the version that ours began from.
    beside: bool,
}

impl Others {
    fn of(live: &Live, id: &RotationId, planned: &PlannedSecret, new: Option<&str>) -> Self {
        let others = live.begun.iter().filter(|(other, _)| *other != id).map(|(_, begun)| begun);
        let from: Vec<(&str, bool)> =
            others.flat_map(Begun::pairs).map(|pair| (pair.old_id(), pair.new.is_some())).collect();
        let old = planned.previous.as_ref().map_or("", |old| old.id.as_str());
        Self {
            later: from.iter().any(|(version, made)| Some(*version) == new && *made),
            beside: from.iter().any(|(version, made)| *version == old && *made),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::lockouts;
    use crate::schedule::scene::Scene;

    #[test]
    fn a_password_that_is_ended_while_it_is_used_is_found() {
        let (mut used, mut found) = (0, 0);
        for seed in 0..60 {
            let scene = Scene::of(seed);
            let stage = Stage::of(&scene, false).unwrap();
            assert_eq!(stage.violation(), None, "seed {seed}");
            let two = |secret: &usize| scene.systems[*secret].is_some_and(Way::holds_two);
            used += usize::from(scene.services.iter().flat_map(|s| &s.mounts).any(|(secret, _)| two(secret)));
            stage.systems.iter().flatten().for_each(FakeCredential::drop_users);
            stage.check_logins();
            found += usize::from(stage.violation().is_some());
        }
        assert!(found > 5 && found <= used + 6, "{found} of {used}");
    }

    #[test]
    fn a_program_that_cannot_log_in_is_found() {
        let (mut ended, mut left) = (0, 0);
        for seed in (0..200).filter(|seed| Scene::of(*seed).has_logins()) {
            let stage = Stage::of(&Scene::of(seed), false).unwrap();
            let reports = || std::iter::empty::<&Report>();
            assert_eq!(lockouts::nobody_is_left(&stage, reports()), Ok(()), "seed {seed}");
            stage.systems.iter().flatten().for_each(FakeCredential::drop_users);
            stage.swarm.engine().passwords_changed();
            stage.swarm.engine().run_for(std::time::Duration::from_secs(60));
            let mut live = stage.live();
            let mut world = stage.swarm.engine().world();
            let out = std::mem::take(&mut world.lockouts);
            ended += usize::from(!out.is_empty());
            let met = lockouts::met(&mut live, &world, &stage.systems, &out);
            assert_eq!(met.is_err(), !out.is_empty(), "seed {seed}: {met:?}");
            drop((live, world));
            left += usize::from(lockouts::nobody_is_left(&stage, reports()).is_err());
        }
        assert!(ended > 5 && left > ended, "{ended}, {left}");
    }
}
