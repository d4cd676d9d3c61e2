//! What arrives after its sender has given up on it, or after another process has taken over from it.

use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::CredentialSetter as _;
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::ids::RotationId;

use super::logins;
use super::stage::{Live, Stage};
use crate::credential::{FakeCredential, Step};
use crate::portainer::PortainerRequest;

/// Something that is carried out later, when nobody waits for it any more.
pub(super) struct Late {
    pub(super) at: Duration,
    pub(super) what: Parcel,
}

/// What it is.
pub(super) enum Parcel {
    /// A mutation of the Swarm.
    Request { user: &'static str, request: PortainerRequest, by: String },
    /// A change of a password.
    Call(SetterCall),
}

/// A call that changes a password, as it was sent.
#[derive(Clone)]
pub(super) struct SetterCall {
    /// The secret, by number.
    pub(super) secret: usize,
    pub(super) rotation: RotationId,
    pub(super) asks: Asks,
    /// How many calls had been carried out when its process last looked whether it may send it.
    pub(super) sent: usize,
}

/// What it asks for, with the values.
#[derive(Clone)]
pub(super) enum Asks {
    Set { current: SecretValue, next: SecretValue },
    Revoke { old: SecretValue },
    Undo { current: SecretValue },
}

/// A change of a password that was carried out.
pub(super) struct Reached {
    secret: usize,
    rotation: RotationId,
    step: Step,
}

/// What came late has done to passwords, by the ids of versions.
#[derive(Default)]
pub(super) struct Belated {
    /// Those that log in since, although something else had been done to the password meanwhile.
    pub(super) opened: BTreeSet<String>,
    /// Those that do not log in since.
    pub(super) shut: BTreeSet<String>,
    /// By version that does not log in: the rotation whose call has ended it, late or not.
    pub(super) shut_by: BTreeMap<String, RotationId>,
}

impl SetterCall {
    pub(super) fn step(&self) -> Step {
        match self.asks {
            Asks::Set { .. } => Step::Set,
            Asks::Revoke { .. } => Step::Revoke,
            Asks::Undo { .. } => Step::Undo,
        }
    }

    async fn on(&self, system: &FakeCredential) -> Result<()> {
        match &self.asks {
            Asks::Set { current, next } => system.set(&self.rotation, current, next).await,
            Asks::Revoke { old } => system.revoke(&self.rotation, old).await,
            Asks::Undo { current } => system.undo(&self.rotation, current).await,
        }
    }

    /// Whether something else has been done to the password since it was sent: nothing tells a system that this one is older.
    fn is_overtaken(&self, reached: &[Reached]) -> bool {
        let same = |other: &Reached| other.rotation == self.rotation && other.step == self.step();
        reached.iter().skip(self.sent).any(|other| other.secret == self.secret && !same(other))
    }
}

/// A system in memory answers at once.
fn at_once<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    match std::pin::pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(Error::new(ErrorKind::Protocol, "the made-up system waits for something")),
    }
}

impl Stage {
    /// Carries a call out. If it is late, what it does to a password that has changed since is nobody's fault, and noted.
    pub(super) fn carry_out(&self, call: &SetterCall, late: Option<&'static str>) -> Result<()> {
        let Some(system) = self.systems.get(call.secret).and_then(Option::as_ref) else {
            return Err(Error::new(ErrorKind::Protocol, "there is no such system"));
        };
        let (before, carried) = (logins::of_secret(&self.live(), system, call.secret), system.done());
        let done = at_once(call.on(system));
        let mut live = self.live();
        let after = logins::of_secret(&live, system, call.secret);
        let changed = before.symmetric_difference(&after).cloned().collect();
        live.came(call, late, &changed, &after);
        if system.done() > carried {
            let (secret, rotation, step) = (call.secret, call.rotation.clone(), call.step());
            live.reached.push(Reached { secret, rotation, step });
        }
        done
    }
}

impl Live {
    /// Notes which versions log in or do not since a call, if it was late and nothing holds it back; what was done in time
    /// since is no belated thing any more.
    fn came(
        &mut self,
        call: &SetterCall,
        late: Option<&'static str>,
        changed: &BTreeSet<String>,
        works: &BTreeSet<String>,
    ) {
        if let Some(how) = late {
            *self.tally.late_calls.entry((call.step(), how)).or_default() += 1;
        }
        let excused = late.is_some() && call.is_overtaken(&self.reached);
        for version in changed {
            self.belated.opened.remove(version);
            self.belated.shut.remove(version);
            self.belated.shut_by.remove(version);
            if !works.contains(version) {
                self.belated.shut_by.insert(version.clone(), call.rotation.clone());
            }
            if excused {
                let into = if works.contains(version) { &mut self.belated.opened } else { &mut self.belated.shut };
                into.insert(version.clone());
            }
        }
        if excused && !changed.is_empty() {
            let why = "a password was changed by a call that came after another one";
            *self.tally.excused.entry(why).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::scene::Scene;
    use swarmsecrets_core::credential::Way;

    /// A world in which the first secret opens a system that holds two passwords, the id of its version, and both values.
    fn stage() -> (Stage, String, SecretValue, SecretValue) {
        let holds_two = |scene: &Scene| scene.systems[0] == Some(Way::HoldsTwo);
        let scene = (0..).map(Scene::of).find(holds_two).unwrap();
        let stage = Stage::of(&scene, false).unwrap();
        let id = stage.swarm.engine().secret_id(crate::schedule::scene::SECRETS[0]).unwrap();
        let current = stage.live().watch.values[&id].clone();
        (stage, id, current, SecretValue::new(b"made-up-late-value".to_vec()).unwrap())
    }

    fn call(rotation: u8, asks: Asks, sent: usize) -> SetterCall {
        SetterCall { secret: 0, rotation: RotationId::from_random([rotation; 10]), asks, sent }
    }

    #[test]
    fn only_what_comes_after_another_change_is_excused() {
        for between in [false, true] {
            let (stage, id, current, next) = stage();
            let set = call(1, Asks::Set { current: current.clone(), next: next.clone() }, 0);
            stage.carry_out(&set, None).unwrap();
            // Only an undo that was sent before another rotation's set has an excuse to shut it.
            if between {
                stage.carry_out(&call(2, set.asks.clone(), 1), None).unwrap();
            }
            let undo = call(1, Asks::Undo { current: next.clone() }, 1);
            stage.carry_out(&undo, Some("it was late")).unwrap();
            assert!(!stage.systems[0].as_ref().unwrap().logs_in(&current));
            assert_eq!(stage.live().belated.shut.contains(&id), between);
            assert_eq!(stage.live().belated.shut_by.get(&id), Some(&undo.rotation));
            stage.check_logins();
            let used = stage.live().watch.users(&id).into_iter().any(|service| {
                stage.swarm.engine().world().tasks.values().any(|task| task.service == service && task.is_wanted())
            });
            assert_eq!(stage.violation().is_some(), used && !between, "{:?}", stage.violation());
            // What is done in time afterwards is held against the rules again.
            stage.carry_out(&call(3, Asks::Undo { current }, 3), None).unwrap();
            assert!(!stage.live().belated.shut.contains(&id));
        }
    }
}
