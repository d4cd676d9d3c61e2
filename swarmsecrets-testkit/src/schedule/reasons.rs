//! The reasons for which a person may be asked when nothing goes wrong any more. Each is held against what is recorded.

use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::plan::Strategy;
use swarmsecrets_core::rotation::{ConsumerReport, Report};

use super::begun::{Begun, Pair};
use super::logins;
use super::manner::Said;
use super::people;
use super::providers;
use super::scene::SECRETS;
use super::stage::{Live, Stage};
use super::truth::{all_on_old, healthy};
use super::watch::By;
use crate::credential::Fault;

/// What a report says first.
pub(super) fn said(report: &Report) -> String {
    report.warnings.iter().take(2).cloned().collect::<Vec<_>>().join(" | ")
}

/// The reason why a person is asked, if there is one.
pub(super) fn of(stage: &Stage, id: &RotationId, report: &Report) -> Option<&'static str> {
    let live = stage.live();
    let begun = live.begun.get(id)?;
    let said = said(report);
    if said.contains("need both versions") {
        let changed = providers::is_left(stage, &live, begun);
        let later = has_later(&live, begun).then_some("a later rotation has changed the password meanwhile");
        let changed =
            changed.then_some("others have changed the service in which commands are to run, or it does not work");
        return later.or(changed);
    }
    let commands = said.contains("cannot list tasks") || said.contains("in which commands change the password of");
    if commands && providers::is_gone(stage, begun) {
        return Some("the service in which commands are to run is gone");
    }
    if said.contains("cannot be removed: it is used by a later rotation") {
        return has_later(&live, begun).then_some("a later rotation comes from the new version");
    }
    if said.contains("cannot be removed: it is used by") || said.contains("cannot be ended: it is used by") {
        return used_by_others(&live, begun).then_some("others use the new version");
    }
    if said.contains("names the new one and could not be written") {
        let names = |file: &str| begun.pairs().any(|pair| file.contains(pair.new_name.as_str()));
        let stacks = stage.swarm.portainer().state().stacks().to_vec();
        let mut named = stacks.iter().filter(|stack| names(&people::filled(stack)));
        let by_hand = named.any(|stack| {
            stack.git_config.is_some() || live.edited || pointed(stage, &live, &format!("{}_", stack.name))
        });
        return by_hand.then_some("people have edited, stopped or patched what is to be put back");
    }
    if said.contains("it cannot be undone") {
        let ours = By::Rotation(id.to_string());
        let mut removed = begun.plan.replaced().filter_map(|old| live.watch.removed.get(old.id.as_str()));
        return removed.any(|by| *by != ours).then_some("others have removed the old version");
    }
    if let Some(reason) = said.contains("password of").then(|| password(stage, &live, begun, &said)).flatten() {
        return Some(reason);
    }
    if begun.plan.strategy == Strategy::Revoke && report.secrets.iter().any(|s| s.previous.is_some()) {
        return revoked(stage, &live, id, begun, report);
    }
    if said.contains("nobody can tell whether") {
        return unsure(&live, id, begun, report).then_some("the probe of a consumer cannot tell");
    }
    if said.contains("could not be put back") {
        let failed: Vec<&ConsumerReport> = report.consumers.iter().filter(|said| said.outcome == "failed").collect();
        let removed = begun.plan.replaced().any(|old| live.watch.removed.contains_key(old.id.as_str()));
        let others = |c: &ConsumerReport| live.watch.changes(c.id.as_str()).last() == Some(&By::Person);
        let broken = |c: &ConsumerReport| live.broken.contains(c.id.as_str()) || !healthy(stage, c.id.as_str());
        let justified = failed.iter().all(|c| removed || others(c) || broken(c));
        return (!failed.is_empty() && justified).then_some("a consumer is not healthy on the old version either");
    }
    None
}

/// Whether a person has pointed a service of a stack somewhere, by what its name begins with.
fn pointed(stage: &Stage, live: &Live, stack: &str) -> bool {
    let world = stage.swarm.engine().world();
    let mut services = world.services.values().filter(|service| service.name().starts_with(stack));
    services.any(|service| live.watch.person_at(&service.id).is_some())
}

/// Whether every consumer in doubt has a probe that has said last that it cannot tell.
fn unsure(live: &Live, id: &RotationId, begun: &Begun, report: &Report) -> bool {
    let mut doubts = report.consumers.iter().filter(|said| said.outcome == "inconclusive").peekable();
    let told = |said: &ConsumerReport| live.looks.last(id, said.id.as_str()) == Some(Said::Inconclusive);
    doubts.peek().is_some() && !begun.lost && doubts.all(told)
}

/// Whether a new version is used, and by none but services whose references people were the last to change, beside the one
/// in which commands are to end its password.
fn used_by_others(live: &Live, begun: &Begun) -> bool {
    let provides = |service: &str| providers::besides(begun).any(|one| one.service == service);
    let by_person = |service: &str| live.watch.changes(service).last() == Some(&By::Person);
    begun.pairs().filter_map(|pair| pair.new).any(|new| {
        let users = live.watch.users(new);
        users.iter().any(|service| by_person(service))
            && users.iter().all(|service| by_person(service) || provides(service))
    })
}

/// Whether a service that a person has changed names a version, or has tasks that are meant to run on it.
fn used_by_persons(stage: &Stage, live: &Live, version: &str) -> bool {
    let world = stage.swarm.engine().world();
    let wanted = world.tasks.values().filter(|task| task.is_wanted() && !task.state.is_terminal());
    let on_it = wanted.filter(|task| crate::sim::task_secrets(&task.spec).iter().any(|id| id == version));
    let mut services = live.watch.users(version).into_iter().chain(on_it.map(|task| task.service.as_str()));
    services.any(|service| live.watch.changes(service).contains(&By::Person))
}

/// Whether there is a version that another rotation made from one of this, or was until a rotation after it replaced it.
fn has_later(live: &Live, begun: &Begun) -> bool {
    let ours: Vec<&str> = begun.pairs().filter_map(|pair| pair.new).collect();
    live.begun.iter().any(|(id, other)| {
        let maker = By::Rotation(id.to_string());
        let withdrawn = |version: &str| live.watch.removed.get(version).is_none_or(|by| *by == maker);
        let stood = |version: &str| live.watch.secrets.contains_key(version) || !withdrawn(version);
        other.pairs().any(|other| ours.contains(&other.old_id()) && other.new.is_some_and(stood))
    })
}

/// A revocation that has left something behind: a consumer that does not work and is off the leaked value all the same, or
/// the old version, as something uses it.
fn revoked(stage: &Stage, live: &Live, id: &RotationId, begun: &Begun, report: &Report) -> Option<&'static str> {
    let failed = report.consumers.iter().filter(|said| said.outcome == "failed");
    let mut left = failed.clone().filter(|said| all_on_old(live, begun, said.id.as_str()));
    // Somebody else's change, or Swarm's own rollback where the service asks for it.
    let others = |said: &ConsumerReport| {
        live.watch.changes(said.id.as_str()).last().is_some_and(|by| matches!(by, By::Person | By::Engine))
    };
    let removed = begun.pairs().filter_map(|pair| live.watch.removed.get(pair.new?)).any(|by| *by == By::Person);
    if removed {
        return Some("revoked: others have removed the new version");
    }
    if left.any(|said| !others(said)) {
        return None;
    }
    let kept = begun.pairs().any(|pair| {
        let mounts =
            |task: &crate::sim::Task| crate::sim::task_secrets(&task.spec).iter().any(|id| id == pair.old_id());
        let world = stage.swarm.engine().world();
        let alive = world.tasks.values().any(|task| !task.state.is_terminal() && mounts(task));
        live.watch.secrets.contains_key(pair.old_id()) && (alive || !live.watch.users(pair.old_id()).is_empty())
    });
    match (failed.count(), kept) {
        (_, true) => Some("revoked: something uses the old version"),
        (1.., false) => Some("revoked: a consumer did not get healthy with the new value"),
        (0, false) => unsure(live, id, begun, report).then_some("revoked: the probe of a consumer cannot tell"),
    }
}

/// A password that could not be set, ended or restored, because of what its system did or who still uses it.
fn password(stage: &Stage, live: &Live, begun: &Begun, said: &str) -> Option<&'static str> {
    let number = |name: &str| SECRETS.iter().position(|stem| *stem == name);
    let secrets: Vec<usize> = begun.plan.secrets.iter().filter_map(|secret| number(&secret.secret)).collect();
    let met = |fault: fn(&Fault) -> bool| live.denied.iter().any(|(n, _, what)| secrets.contains(n) && fault(what));
    // Swarm's labels do not tell that a password is still open, and so the next rotation may begin.
    if has_later(live, begun) {
        return Some("a later rotation has changed the password meanwhile");
    }
    // A system that was asked by two in the wrong order may be left with other passwords than both think.
    let late = |pair: Pair<'_>| {
        [Some(pair.old_id()), pair.new].into_iter().flatten().any(|version| live.belated.shut.contains(version))
    };
    if begun.pairs().any(late) {
        return Some("another change of the password came late");
    }
    if said.contains("nobody knows whether the new one was set") {
        let is_dead = |pair: Pair<'_>| {
            let old = pair.old.map_or("", |old| old.name.as_str());
            logins::of(&live.watch.values, &stage.systems, old, pair.old_id()) == Some(false)
        };
        return begun.pairs().any(is_dead).then_some("the password that was to come back is not the one that serves");
    }
    if said.contains("still logs in") {
        return met(|fault| *fault == Fault::DoNothing)
            .then_some("a system said that a password was ended and did nothing");
    }
    if said.contains("could not be ended") || said.contains("could not be restored") {
        return met(|fault| matches!(fault, Fault::Refuse(_) | Fault::DoNothing))
            .then_some("a system refused, or had lied");
    }
    if said.contains("was not ended") || said.contains("is not ended again") {
        let others = begun.pairs().any(|pair| used_by_persons(stage, live, pair.old_id()));
        return (others || said.contains("the file of stack"))
            .then_some("others use the old version: its password stays");
    }
    said.contains("it cannot be undone").then_some("a password was ended: there is no way back")
}
