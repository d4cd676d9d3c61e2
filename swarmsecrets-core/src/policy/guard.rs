//! A policy in force: with its kill switch at hand.

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::counters::{Beginning, Counters, Held};
use super::decision::Decision;
use super::document::OnKill;
use super::file::Policy;
use super::past::{PastValues, ValuesOf};
use super::permit::Direction;
use super::selector::Act;
use super::words::WordLists;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{PolicyDigest, RotationId, quoted};
use crate::inventory::Labels;
use crate::secret::SecretValue;

/// Stops everything while it is on: a file that an operator makes, say.
#[async_trait]
pub trait KillSwitch: Send + Sync {
    /// Whether it is on.
    ///
    /// # Errors
    /// If that cannot be told. Then it counts as on.
    async fn is_on(&self) -> Result<bool>;
}

/// The labels of the Swarm itself, read anew each time.
#[async_trait]
pub(crate) trait SwarmLabels: Send + Sync {
    /// # Errors
    /// If they cannot be read. Then a switch that is a label counts as on.
    async fn read(&self) -> Result<Labels>;
}

/// What stands for the policies in force in approvals: the SHA-256 over `swarmsecrets policies 1`, a line feed, and the digest of
/// each and a line feed, in order.
#[must_use]
pub fn in_force(guards: &[Guard]) -> PolicyDigest {
    let begun = Sha256::new().chain_update("swarmsecrets policies 1\n");
    let sha =
        guards.iter().fold(begun, |sha, guard| sha.chain_update(guard.policy.digest().as_str()).chain_update("\n"));
    PolicyDigest::from_sha256(sha.finalize().into())
}

/// A policy in force.
#[derive(Clone)]
pub struct Guard {
    name: String,
    policy: Arc<Policy>,
    with: Equipment,
}

/// What a policy in force works with.
#[derive(Clone, Default)]
pub struct Equipment {
    /// The kill switch that it names.
    pub switch: Option<Arc<dyn KillSwitch>>,
    /// What its limits are counted by.
    pub counters: Option<Arc<dyn Counters>>,
    /// What knows which values secrets have had.
    pub past: Option<Arc<dyn PastValues>>,
    /// The lists of words that it names, by their files.
    pub words: WordLists,
}

impl Guard {
    /// Puts a policy in force that names no kill switch and no list of words, and remembers nothing. Its own name, such as its file's, is for people.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if it does.
    pub fn new(name: &str, policy: Policy) -> Result<Self> {
        Self::equipped(name, policy, Equipment::default())
    }

    /// Puts a policy in force with the kill switch that it names, and nothing else.
    #[must_use]
    pub fn with_switch(name: &str, policy: Policy, switch: Arc<dyn KillSwitch>) -> Self {
        let with = Equipment { switch: Some(switch), ..Equipment::default() };
        Self { name: name.to_owned(), policy: Arc::new(policy), with }
    }

    /// Puts a policy in force with all that it needs.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if something is missing.
    pub fn equipped(name: &str, policy: Policy, with: Equipment) -> Result<Self> {
        let missing =
            |what: &str| Err(Error::new(ErrorKind::Settings, format!("the policy {what}, and none is at hand")));
        if policy.kill_switch().is_some_and(|named| named.file.is_some()) && with.switch.is_none() {
            return missing("names a kill switch");
        }
        if policy.has_limits() && with.counters.is_none() {
            return missing("has limits that need a memory");
        }
        if policy.has_history() && with.past.is_none() {
            return missing("compares values with those before, which needs a memory");
        }
        if let Some(file) = policy.dictionaries().find(|file| !with.words.contains_key(*file)) {
            return missing(&format!("names the list of words {}", quoted(file)));
        }
        Ok(Self { name: name.to_owned(), policy: Arc::new(policy), with })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// As [`Policy::judge_value`], with the lists that are at hand.
    #[must_use]
    pub fn judge_value(&self, act: &Act<'_>, value: &SecretValue) -> Decision {
        self.policy.judge_value(act, value, &self.with.words)
    }

    /// What knows which values secrets have had.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] if nothing does.
    pub(crate) fn past(&self) -> Result<&dyn PastValues> {
        self.with.past.as_deref().ok_or_else(|| {
            let text =
                "denied by policy: it compares values with those before, and nothing that remembers them is at hand";
            Error::new(ErrorKind::Denied, text)
        })
    }

    /// A rotation never made the version that it had a value remembered for.
    ///
    /// # Errors
    /// Those of [`PastValues::forget`].
    pub(crate) async fn forget(&self, of: &ValuesOf, rotation: &RotationId) -> Result<()> {
        match &self.with.past {
            Some(past) if self.policy.has_history() => past.forget(of, rotation).await,
            _ => Ok(()),
        }
    }

    /// Whether the switches leave this direction open.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] if not.
    pub(crate) async fn check_switch(&self, direction: Direction, labels: &dyn SwarmLabels) -> Result<()> {
        let Some(named) = self.policy.kill_switch() else { return Ok(()) };
        if direction == Direction::Restore && named.on_kill == OnKill::Restore {
            return Ok(());
        }
        if let (Some(file), Some(switch)) = (&named.file, &self.with.switch) {
            off(&quoted(file), switch.is_on().await)?;
        }
        match &named.label {
            Some(label) => {
                let carried = labels.read().await.map(|labels| labels.get(label).is_some());
                off(&format!("{} among the labels of the swarm", quoted(label)), carried)
            }
            None => Ok(()),
        }
    }

    /// Whether its switch has a rotation that is under way put back.
    pub(crate) fn restores(&self) -> bool {
        self.policy.kill_switch().is_some_and(|named| named.on_kill == OnKill::Restore)
    }

    /// Counts a rotation, if the limits have room for it.
    ///
    /// # Errors
    /// Those of [`Counters::begin`].
    pub(crate) async fn count(&self, beginning: Beginning) -> Result<Option<Box<dyn Held>>> {
        if beginning.tallies.is_empty() {
            return Ok(None);
        }
        match &self.with.counters {
            Some(counters) => counters.begin(beginning).await.map(Some),
            None => {
                let text = "denied by policy: it has limits, and nothing that counts is at hand";
                Err(Error::new(ErrorKind::Denied, text))
            }
        }
    }

    /// A rotation is not in hand any more.
    ///
    /// # Errors
    /// Those of [`Counters::end`].
    pub(crate) async fn end(&self, rotation: &RotationId, simulated: bool) -> Result<()> {
        match &self.with.counters {
            Some(counters) if self.policy.has_limits() => counters.end(rotation, simulated).await,
            _ => Ok(()),
        }
    }
}

/// What cannot be told counts as on.
fn off(what: &str, on: Result<bool>) -> Result<()> {
    match on {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::new(ErrorKind::Denied, format!("the kill switch {what} is on"))),
        Err(error) => {
            let text = format!("whether the kill switch {what} is on cannot be told, so it counts as on");
            Err(Error::new(ErrorKind::Denied, text).with_source(error))
        }
    }
}
