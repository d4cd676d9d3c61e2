//! The services in whose containers commands change passwords: which one it is, what must be mounted there and when, and what
//! no rule of other services is for. The commands themselves are played by the systems in memory.

use serde_json::Value;
use swarmsecrets_core::credential::{Account, Provider};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::inventory::{Inventory, SecretReference, ServiceMode};
use swarmsecrets_core::journal::Access;
use swarmsecrets_core::plan::{PlannedConsumer, Strategy};
use swarmsecrets_core::rotation::{Outcome, Progress, Report, Stage, State, Versions};

use super::begun::{Begun, Pair};
use super::scene::{SECRETS, Scene};
use super::stage::Live;
use super::truth::Verdict;
use super::watch::By;
use crate::sim::Dice;

/// The account of a system, with the service in whose container its password is changed, in a world that has such a one.
pub(super) fn provided(account: Account, inventory: &Inventory, scene: &Scene, secret: usize) -> Account {
    Account { provider: choose(inventory, scene, secret), ..account }
}

/// A service that a plan takes: it has one task, mounts the current version at one target, and has room beside that. It is
/// the system itself, and so does not log in there.
fn choose(inventory: &Inventory, scene: &Scene, secret: usize) -> Option<Provider> {
    if Dice::new(scene.seed ^ 0x9a0f_1de5 ^ secret as u64).percent(50) {
        return None;
    }
    let secret = inventory.secrets.iter().find(|one| one.name == SECRETS[secret])?;
    let current = secret.current().id.as_str();
    let mounts = || secret.consumers.iter().filter(|mount| mount.reference().id == current);
    let fits = mounts().find(|mount| {
        let (service, beside) = (mount.service(), SecretReference::beside(&mount.reference().target));
        let once = mounts().filter(|other| other.service().id == service.id).count() == 1;
        let free = service.references.iter().all(|reference| reference.target != beside);
        once && free && service.mode == ServiceMode::Replicated(1) && !scene.logs_in(&service.name)
    })?;
    Some(Provider { service: fits.service().name.clone(), commands: "of the plan".into() })
}

/// Where a service has the old version of a secret beside the new one, while commands there need both.
pub(super) struct Beside<'a> {
    /// The service's id.
    pub(super) service: &'a str,
    pub(super) target: &'a str,
    /// The target of the old version.
    pub(super) beside: String,
    pub(super) pair: Pair<'a>,
    /// The logical secret.
    secret: &'a str,
}

/// Those of a rotation.
pub(super) fn besides(begun: &Begun) -> impl Iterator<Item = Beside<'_>> {
    begun.plan.secrets.iter().enumerate().filter_map(|(n, secret)| {
        let name = &secret.provider()?.service;
        let consumer = begun.plan.consumers.iter().find(|consumer| consumer.service == *name)?;
        let target = consumer.mounts.iter().find(|mount| mount.secret == n)?.target.as_str();
        let (service, pair, beside) = (consumer.id.as_str(), begun.pair(n), SecretReference::beside(target));
        Some(Beside { service, target, beside, pair, secret: &secret.secret })
    })
}

impl Beside<'_> {
    /// Whether a service has both versions, each at its target.
    fn has_both(&self, references: &[(String, String)]) -> bool {
        let at = |target: &str, id: Option<&str>| references.iter().any(|(t, v)| t == target && Some(v.as_str()) == id);
        at(self.target, self.pair.new) && at(&self.beside, Some(self.pair.old_id()))
    }

    /// Whether this is our old version beside the new one.
    fn is(&self, service: &str, target: &str, version: &str) -> bool {
        (self.service, self.beside.as_str(), self.pair.old_id()) == (service, target, version)
    }
}

/// Whether a version that a service has at a target is there for commands: nothing logs in with it, and it is no use of it.
pub(super) fn is_beside(live: &Live, service: &str, target: &str, version: &str) -> bool {
    live.begun.values().flat_map(besides).any(|one| one.is(service, target, version))
}

/// Whether a service need not be able to log in with a version: it is beside another one, or the service is the system itself,
/// which has the new version before it is set, and until the old one is given back.
pub(super) fn is_exempt(live: &Live, service: &str, target: &str, version: &str) -> bool {
    let has_new = |one: &Beside<'_>| (one.service, one.target, one.pair.new) == (service, target, Some(version));
    is_beside(live, service, target, version) || live.begun.values().flat_map(besides).any(|one| has_new(&one))
}

/// What commands need: both versions, each at its target. A person may have changed the service since the world was looked
/// at, or removed it.
pub(super) fn ready(live: &Live, who: usize, rotation: &RotationId, secret: usize) -> Verdict {
    let Some(begun) = live.begun.get(rotation) else { return Ok(()) };
    for one in besides(begun).filter(|one| one.secret == SECRETS[secret]) {
        let Some(references) = live.watch.references(one.service) else { continue };
        let looked = live.processes[who].listed;
        let person = live.watch.person_at(one.service);
        let excused = person.is_some_and(|at| looked.is_none_or(|looked| at >= looked));
        if !one.has_both(references) && !excused {
            return Err(format!("commands for secret {secret} run without both versions at {}", one.target));
        }
    }
    Ok(())
}

/// Whether a service has lost what commands in it need.
pub(super) fn lacks(live: &Live, rotation: &RotationId, service: &str) -> bool {
    let Some(begun) = live.begun.get(rotation) else { return false };
    let references = live.watch.references(service).map_or(&[][..], Vec::as_slice);
    besides(begun).any(|one| one.service == service && !one.has_both(references))
}

/// Whether commands run in a consumer.
pub(super) fn provides(state: &State, consumer: &PlannedConsumer) -> bool {
    state.plan.secrets.iter().filter_map(|secret| secret.provider()).any(|one| one.service == consumer.service)
}

/// Whether a service is a provider that has moved before any password was ended: even a revocation may take it back, where no
/// new password could be set.
pub(super) fn goes_back(state: &State, service: &str) -> bool {
    let moved = state.plan.consumers.iter().find(|planned| planned.id.as_str() == service);
    let ended = |version: &Versions| (Access::Revoking..=Access::Closed).contains(&version.access);
    moved.is_some_and(|planned| provides(state, planned)) && !state.versions.iter().any(ended)
}

/// A provider is updated before the first command and after the last one, and whenever it has lost what commands need. After
/// the last one of a revocation that is beside all others, who wait for their new password.
pub(super) fn in_turn(state: &State, progress: &Progress, lacks: bool) -> Verdict {
    let revoked = state.plan.strategy == Strategy::Revoke && state.versions.iter().any(|v| v.access == Access::Closed);
    match (state.stage, progress) {
        (Stage::Update, Progress::Begun) if revoked => Ok(()),
        (Stage::Credential | Stage::Close, Progress::Begun) => Ok(()),
        (Stage::Credential | Stage::Close | Stage::Undo, _) if lacks => Ok(()),
        (stage, progress) => Err(format!("a provider is updated in {stage:?} without need ({progress:?})")),
    }
}

/// What an update changes beside new versions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Apart {
    /// The specs without it.
    pub(super) served: String,
    pub(super) sent: String,
    /// Whether it changes anything there.
    pub(super) changes: bool,
}

/// Takes what a provider has beside new versions from both specs: the old version of the plan may come there, with the file
/// attributes of the new one, or go.
pub(super) fn apart(begun: &Begun, service: &str, served: &str, sent: &str) -> Result<Apart, String> {
    let mut apart = Apart { served: served.to_owned(), sent: sent.to_owned(), changes: false };
    for one in besides(begun).filter(|one| one.service == service) {
        let (before, was) = cut(&apart.served, &one.beside);
        let (after, is) = cut(&apart.sent, &one.beside);
        match (was, is) {
            (was, is) if was == is => {}
            (None, Some(added)) if Some(&added) == wanted(&one, sent).as_ref() => {}
            (Some(gone), None) if gone["SecretID"] == one.pair.old_id() => {}
            (was, is) => return Err(format!("it changes what stands at {} from {was:?} to {is:?}", one.beside)),
        }
        let changes = apart.changes || (before.len() < apart.served.len()) != (after.len() < apart.sent.len());
        apart = Apart { served: before, sent: after, changes };
    }
    Ok(apart)
}

/// The reference that belongs beside the new version, as that is in a spec.
fn wanted(one: &Beside<'_>, spec: &str) -> Option<Value> {
    let spec: Value = serde_json::from_str(spec).ok()?;
    let all = spec["TaskTemplate"]["ContainerSpec"]["Secrets"].as_array()?.clone();
    let mut main = all
        .into_iter()
        .find(|r| r["File"]["Name"] == one.target && Some(&r["SecretID"]) == one.pair.new.map(Value::from).as_ref())?;
    main["File"]["Name"] = one.beside.clone().into();
    main["SecretID"] = one.pair.old_id().into();
    main["SecretName"] = one.pair.old?.name.as_str().into();
    Some(main)
}

/// A spec without its reference at a target, all else as it stands there; and the reference.
fn cut(text: &str, target: &str) -> (String, Option<Value>) {
    let whole = || (text.to_owned(), None);
    let Some(at) = text.find(&format!("\"Name\":\"{target}\"")) else { return whole() };
    // The target stands in an object of the reference's.
    let mut depth = 2;
    let Some(start) = text[..at].rfind(|c| {
        depth += match c {
            '}' => 1,
            '{' => -1,
            _ => 0,
        };
        depth == 0
    }) else {
        return whole();
    };
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    let Some(Ok(reference)) = values.next() else { return whole() };
    let (before, after) = (&text[..start], &text[start + values.byte_offset()..]);
    let rest = match before.strip_suffix(',') {
        Some(before) => format!("{before}{after}"),
        None => format!("{before}{}", after.strip_prefix(',').unwrap_or(after)),
    };
    (rest, Some(reference))
}

/// Whether commands cannot get both versions, as a person has pointed their service elsewhere, or it does not work.
pub(super) fn is_left(stage: &super::stage::Stage, live: &Live, begun: &Begun) -> bool {
    besides(begun).any(|one| {
        live.watch.changes(one.service).last() == Some(&By::Person) || !super::truth::healthy(stage, one.service)
    })
}

/// Whether nothing is left beside new versions when a rotation says that it is over. What people have made of a service is
/// theirs, and without its journal a rotation does not know of it.
pub(super) fn left(live: &Live, begun: &Begun, report: &Report) -> Verdict {
    let over = matches!(report.outcome, Outcome::Applied | Outcome::RolledBack | Outcome::NotStarted);
    for one in besides(begun).filter(|_| over && !begun.lost) {
        let references = live.watch.references(one.service).into_iter().flatten();
        let mut ours = references.filter(|(target, id)| one.is(one.service, target, id));
        if ours.next().is_some()
            && !live.watch.changes(one.service).contains(&By::Person)
            && !is_anothers(live, begun, one.service)
        {
            return Err(format!("the old version is left at {}", one.beside));
        }
    }
    Ok(())
}

/// Whether a service has what the commands of another rotation need: that may be the same old version at the same target.
fn is_anothers(live: &Live, begun: &Begun, service: &str) -> bool {
    let references = live.watch.references(service).map_or(&[][..], Vec::as_slice);
    let others = live.begun.values().filter(|other| !std::ptr::eq(*other, begun));
    others.flat_map(besides).any(|one| one.service == service && one.has_both(references))
}

/// Whether a service in which commands are to run is not there any more.
pub(super) fn is_gone(stage: &super::stage::Stage, begun: &Begun) -> bool {
    let world = stage.swarm.engine().world();
    besides(begun).any(|one| !world.services.contains_key(one.service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_cut_out_of_a_spec_and_nothing_else() {
        let one = |id: &str, at: &str| format!(r#"{{"File":{{"Name":"{at}","UID":"0"}},"SecretID":"{id}"}}"#);
        let spec = |all: &[String]| format!(r#"{{"Env":["{{}}"],"Secrets":[{}],"Odd":0.10}}"#, all.join(","));
        let (a, b, old) = (one("n", "a"), one("n", "b"), one("o", "a.previous"));
        for all in [vec![old.clone(), a.clone(), b.clone()], vec![a.clone(), old.clone(), b.clone()]] {
            let (rest, found) = cut(&spec(&all), "a.previous");
            assert_eq!(rest, spec(&[a.clone(), b.clone()]));
            assert_eq!(found.unwrap()["SecretID"], "o");
        }
        assert_eq!(cut(&spec(&[a.clone(), b.clone(), old.clone()]), "a.previous").0, spec(&[a.clone(), b]));
        assert_eq!(cut(&spec(&[old]), "a.previous").0, spec(&[]));
        assert_eq!(cut(&spec(std::slice::from_ref(&a)), "a.previous"), (spec(&[a]), None));
    }
}
