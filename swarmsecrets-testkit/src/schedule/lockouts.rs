//! Programs that could not log in with what they mount: each must be accounted for.

use swarmsecrets_core::rotation::{Outcome, Report};

use super::begun::Begun;
use super::logins;
use super::providers;
use super::stage::{Live, Stage};
use super::truth::Verdict;
use super::watch::By;
use crate::credential::FakeCredential;
use crate::sim::{Lockout, World, secret_references};

/// Takes in the programs that have ended as they could not log in.
pub(super) fn met(live: &mut Live, world: &World, systems: &[Option<FakeCredential>], out: &[Lockout]) -> Verdict {
    for lockout in out {
        let Lockout { service, target, version } = lockout;
        let put_back = || swarm_put_back(live, service).then_some("a person has pointed the service there");
        let waits = || waits(live, systems, version).then_some("one password: the service is not moved yet");
        let moved = || elsewhere(live, service, target, version).then_some("a person has pointed it at another secret");
        let why = logins::why_shut(live, service, version).or_else(put_back).or_else(waits).or_else(moved);
        let Some(why) = why else {
            let service = world.services.get(service).map_or("a removed service", |service| service.name());
            let name = live.watch.names.get(version).map_or("nothing", String::as_str);
            return Err(format!("a program of {service} has ended: it could not log in with {name}, which it mounts"));
        };
        *live.tally.locked_out.entry(why).or_default() += 1;
    }
    Ok(())
}

/// Whether what a person has done to a service since a rotation last changed it was put back by Swarm itself, as it failed.
fn swarm_put_back(live: &Live, service: &str) -> bool {
    let changes = live.watch.changes(service);
    let since = changes.iter().rposition(|by| matches!(by, By::Rotation(_))).map_or(0, |at| at + 1);
    changes[since..].contains(&By::Person) && changes.last() == Some(&By::Engine)
}

/// Whether the version is one of a rotation in a system with one password, where whoever has not moved yet waits.
fn waits(live: &Live, systems: &[Option<FakeCredential>], version: &str) -> bool {
    let name = live.watch.names.get(version).map_or("", String::as_str);
    let one = logins::system(systems, name).is_some_and(|system| !logins::way(system).holds_two());
    one && live.begun.values().any(|begun| is_of(begun, version))
}

/// Whether a rotation changes the password from this version or to it.
fn is_of(begun: &Begun, version: &str) -> bool {
    let secrets = begun.plan.secrets.iter().zip(begun.pairs());
    let mut changed = secrets.filter(|(planned, _)| planned.credential.is_some()).map(|(_, pair)| pair);
    changed.any(|pair| pair.old_id() == version || pair.new == Some(version))
}

/// Whether a person has put a version of another secret where the program logs in with this one.
fn elsewhere(live: &Live, service: &str, target: &str, version: &str) -> bool {
    let stem = |name: &str| super::scene::SECRETS.iter().position(|stem| name.starts_with(stem));
    let first = live.watch.first_at(service, target).map(stem);
    first != live.watch.names.get(version).map(|name| stem(name)) && live.watch.changes(service).contains(&By::Person)
}

/// Whether a person has put versions of other secrets where a service's programs log in.
pub(super) fn is_misled(live: &Live, service: &str) -> bool {
    let mut references = live.watch.references(service).into_iter().flatten();
    references.any(|(target, version)| elsewhere(live, service, target, version))
}

/// Whether nobody is left who cannot log in, once nothing went wrong any more: what the last reports leave half-way is a
/// person's to mend, and was said.
pub(super) fn nobody_is_left<'a>(stage: &Stage, reports: impl Iterator<Item = &'a Report> + Clone) -> Verdict {
    let world = stage.swarm.engine().world();
    let live = stage.live();
    for service in world.services.values() {
        for (target, version) in secret_references(&service.current.spec) {
            let name = live.watch.names.get(&version).map_or("", String::as_str);
            let shut = logins::of(&live.watch.values, &stage.systems, name, &version) == Some(false);
            let exempt = || providers::is_exempt(&live, &service.id, &target, &version);
            if !shut || logins::why_shut(&live, &service.id, &version).is_some() || exempt() {
                continue;
            }
            let half = |report: &Report| {
                let begun = report.rotation.as_ref().and_then(|id| live.begun.get(id));
                report.outcome == Outcome::NeedsHuman && begun.is_some_and(|begun| is_of(begun, &version))
            };
            // Without its journal, what is more than an exchange of references is left to a person.
            let lost = || live.begun.values().any(|begun| begun.lost && is_of(begun, &version));
            if !reports.clone().any(half) && !lost() {
                return Err(format!("{} is left with {name}, which does not log in", service.name()));
            }
        }
    }
    Ok(())
}

/// The services whose programs cannot log in now, by id.
pub(super) fn shut_out(stage: &Stage) -> Vec<String> {
    let world = stage.swarm.engine().world();
    let live = stage.live();
    let shut = |version: &str| {
        let name = live.watch.names.get(version).map_or("", String::as_str);
        logins::of(&live.watch.values, &stage.systems, name, version) == Some(false)
    };
    let services = world.services.values();
    let exempt = |service: &str, target: &str, version: &str| providers::is_exempt(&live, service, target, version);
    let left = services.filter(|one| {
        let mut references = secret_references(&one.current.spec).into_iter();
        references.any(|(target, version)| shut(&version) && !exempt(&one.id, &target, &version))
    });
    left.map(|service| service.id.clone()).collect()
}
