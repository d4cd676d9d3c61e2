//! What the secrets of a plan held before: new values must not be the same, where a policy asks for that.

use super::progress::Progress;
use super::run::Executor;
use super::values::Values;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, SecretName, quoted};
use crate::inventory::{Inventory, label};
use crate::journal::End;
use crate::plan::{Content, Plan, PlannedSecret};
use crate::policy::{Act, KnownValue, ValuesOf};
use crate::rotation::{Ending, Report, Stage, State};

/// What is known of the secrets of a plan before it is carried out, in their order.
#[derive(Default)]
pub(super) struct Earlier {
    secrets: Vec<Before>,
    /// The rotation that asks: what it gave itself is not before it.
    own: Option<RotationId>,
}

/// What is known of one secret.
struct Before {
    of: ValuesOf,
    /// From how many of the last values each of the policies wants a new one to differ, in the order of the policies.
    lasts: Vec<u32>,
    /// The fingerprints of the versions that are there, newest first; none where a version carries no label.
    versions: Vec<Option<String>>,
    /// The version that is replaced, and its fingerprint.
    replaced: Option<(SecretName, String)>,
}

impl Before {
    /// By the labels of the versions that are there.
    fn check(&self, value: &KnownValue) -> Result<()> {
        if let Some((name, _)) = self.replaced.as_ref().filter(|(_, fingerprint)| *fingerprint == value.fingerprint) {
            let text = format!(
                "the new value of {} is what `{name}` holds already: take another, as nothing would be changed",
                quoted(&self.of.secret)
            );
            return Err(Error::new(ErrorKind::Denied, text));
        }
        let same = |last: &&u32| {
            let mut seen = self.versions.iter().take(**last as usize).flatten();
            seen.any(|fingerprint| *fingerprint == value.fingerprint)
        };
        self.lasts.iter().find(same).map_or(Ok(()), |last| Err(self.of.refusal(*last)))
    }

    fn is_asked_for(&self) -> bool {
        self.lasts.iter().any(|last| *last > 0)
    }

    /// Without a key nobody can tell what was before.
    fn without_key(&self) -> Result<()> {
        if !self.is_asked_for() {
            return Ok(());
        }
        let text = format!(
            "denied by policy: the new value of {} must differ from those of before, which are known by keyed fingerprints, and there is no key: let SWARMSECRETS_FINGERPRINT_KEY_FILE name a file with one (16 bytes or more; in Python, hand it over as `fingerprint_key`)",
            quoted(&self.of.secret)
        );
        Err(Error::new(ErrorKind::Denied, text))
    }
}

impl Executor<'_> {
    /// What is known of the secrets of a plan, from the world as it is and by what the policies ask. A rotation that was begun
    /// before does not count itself.
    pub(super) fn earlier(&self, plan: &Plan, world: &Inventory, own: Option<&RotationId>) -> Earlier {
        let asked = self.asked(plan, world);
        let before = |(n, planned): (usize, &PlannedSecret)| {
            let acts: Vec<&Act<'_>> = asked.iter().filter_map(|acts| acts.get(n)).collect();
            let last = |policy: &crate::policy::Policy| acts.iter().map(|act| policy.history(act)).max().unwrap_or(0);
            // All acts on a secret tell the same versions, oldest first.
            let versions = acts.first().map(|act| act.versions.as_slice()).unwrap_or_default();
            let others = versions
                .iter()
                .rev()
                .filter(|(_, labels)| own.is_none_or(|own| labels.get(label::ROTATION) != Some(own.as_str())));
            let replaced = planned.previous.as_ref().and_then(|previous| {
                let (_, labels) = versions.iter().find(|(name, _)| *name == previous.name.as_str())?;
                Some((previous.name.clone(), labels.get(label::FINGERPRINT)?.to_owned()))
            });
            Before {
                of: self.values_of(plan, planned),
                lasts: self.guards.iter().map(|guard| last(guard.policy())).collect(),
                versions: others.map(|(_, labels)| labels.get(label::FINGERPRINT).map(str::to_owned)).collect(),
                replaced,
            }
        };
        Earlier { secrets: plan.secrets.iter().enumerate().map(before).collect(), own: own.cloned() }
    }

    fn values_of(&self, plan: &Content, planned: &PlannedSecret) -> ValuesOf {
        ValuesOf {
            cluster: plan.cluster.to_string(),
            secret: planned.secret.clone(),
            simulated: self.parts.transport.simulated(),
        }
    }

    /// Checks that values can be compared at all, where a policy asks for it.
    ///
    /// # Errors
    /// `Denied` without a key, with the variable that names one.
    pub(super) fn can_compare(&self, earlier: &Earlier) -> Result<()> {
        match self.fingerprint_key {
            Some(_) => Ok(()),
            None => earlier.secrets.iter().try_for_each(Before::without_key),
        }
    }

    /// Checks the values that are in hand. What is generated is checked when it is made.
    ///
    /// # Errors
    /// As [`Executor::can_compare`]; `Denied` for a value that was before, and those of the memory.
    pub(super) async fn check_earlier(&self, plan: &Content, values: &Values, earlier: &Earlier) -> Result<()> {
        self.can_compare(earlier)?;
        let Some(key) = self.fingerprint_key else { return Ok(()) };
        for (planned, before) in plan.secrets.iter().zip(&earlier.secrets) {
            let Some(value) = values.of(plan, &planned.secret) else { continue };
            let value = KnownValue::of(key, value);
            before.check(&value)?;
            for (guard, last) in self.guards.iter().zip(&before.lasts).filter(|(_, last)| **last > 0) {
                let past = guard.past()?.past(&before.of).await?;
                if past.holds(&value, *last, earlier.own.as_ref()) {
                    return Err(before.of.refusal(*last));
                }
                self.tell_unknown(before, past.unknown(&value, *last, earlier.own.as_ref()));
            }
        }
        Ok(())
    }

    /// Whoever has exchanged the key should know what that means.
    fn tell_unknown(&self, before: &Before, unknown: usize) {
        if unknown > 0 {
            let name = quoted(&before.of.secret);
            let message =
                format!("{unknown} of the last values of {name} are known by another key, and cannot be compared");
            self.parts.observer.tell(&Progress::Trouble { message: &message });
        }
    }

    /// Remembers the value of a version that is about to be made, wherever a policy asks for that.
    ///
    /// # Errors
    /// `Denied` if it was before, or if there is no key to tell by. With any other error it may be remembered or not.
    pub(super) async fn remember(
        &self,
        rotation: &RotationId,
        earlier: &Earlier,
        secret: usize,
        value: Option<&KnownValue>,
    ) -> Result<()> {
        let no_such = || Error::new(ErrorKind::Denied, "what the secret held before is not known");
        let before = earlier.secrets.get(secret).ok_or_else(no_such)?;
        let Some(value) = value else { return before.without_key() };
        before.check(value)?;
        for (guard, last) in self.guards.iter().zip(&before.lasts).filter(|(_, last)| **last > 0) {
            guard.past()?.remember(&before.of, rotation, value.clone(), *last).await?;
        }
        Ok(())
    }

    /// Forgets the values of versions that certainly were never made: they may be tried again. What was made and put back was in
    /// the hands of services, and stays remembered.
    pub(super) async fn forget_unmade(&self, state: &State, report: &mut Report) {
        let Stage::Ended(Ending::Stopped(End::NotStarted | End::Conflict | End::RolledBack)) = state.stage else {
            return;
        };
        let secrets = state.plan.secrets.iter().zip(&state.versions);
        for (planned, _) in secrets.filter(|(_, version)| version.created.is_none()) {
            let of = self.values_of(&state.plan, planned);
            for guard in self.guards {
                if let Err(error) = guard.forget(&of, &state.rotation).await {
                    let name = quoted(&planned.secret);
                    report.warnings.push(format!("the value that {name} was never given stays remembered: {error}"));
                }
            }
        }
    }
}
