//! Which values a secret has had, by their fingerprints: old versions are removed, and what they held must not come back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, hex, quoted};
use crate::keys::FingerprintKey;
use crate::secret::SecretValue;

/// As far as any policy can look back. So many rotations are remembered whatever a policy asks, so that it can ask for more later.
pub const LONGEST_HISTORY: u32 = 100;

/// How many values of one rotation are remembered: each time that it goes on before its version was made, a value is generated anew.
const OF_ONE_ROTATION: usize = 16;

/// Whose values they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValuesOf {
    /// The Swarm.
    pub cluster: String,
    /// The logical secret.
    pub secret: String,
    /// Whether the world is simulated. What was there is not remembered elsewhere.
    pub simulated: bool,
}

impl ValuesOf {
    /// What stands for the secret and its Swarm in names of files: the SHA-256 over `swarmsecrets values 1`, the Swarm and the secret, with
    /// line feeds between, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let sha = Sha256::new().chain_update("swarmsecrets values 1\n").chain_update(&self.cluster);
        hex(&sha.chain_update("\n").chain_update(&self.secret).finalize())
    }

    /// What is said to a value that is one of the last so many. Nothing of it is told.
    pub(crate) fn refusal(&self, last: u32) -> Error {
        let which = if last == 1 {
            "the last one that it had".to_owned()
        } else {
            format!("one of the last {last} that it had")
        };
        let text = format!("denied by policy: the new value of {} is {which}: take another", quoted(&self.secret));
        Error::new(ErrorKind::Denied, text)
    }
}

/// What a value is known by: whoever has the key can tell it from others, and nobody else anything of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownValue {
    /// Which key its fingerprint was made with.
    pub key: String,
    /// Its fingerprint.
    pub fingerprint: String,
}

impl KnownValue {
    /// What a value is known by, by this key.
    #[must_use]
    pub fn of(key: &FingerprintKey, value: &SecretValue) -> Self {
        Self { key: key.id(), fingerprint: key.of(value) }
    }
}

/// The values that one secret has had. Whoever keeps it for longer than one process writes it down before the version is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// Oldest first.
    given: Vec<Given>,
}

/// What one rotation gave, or may have given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    rotation: RotationId,
    /// Newest first.
    values: Vec<KnownValue>,
}

impl Past {
    /// Whether a value is one of those that the last so many rotations gave, but for the one that asks.
    #[must_use]
    pub fn holds(&self, value: &KnownValue, last: u32, asks: Option<&RotationId>) -> bool {
        self.others(asks, last).any(|given| given.values.contains(value))
    }

    /// How many of these rotations gave a value that is known by another key, and so cannot be compared.
    #[must_use]
    pub fn unknown(&self, value: &KnownValue, last: u32, asks: Option<&RotationId>) -> usize {
        self.others(asks, last).filter(|given| given.values.iter().any(|known| known.key != value.key)).count()
    }

    /// Remembers a value that a rotation is about to give, unless it is one of those that the last so many others gave. A rotation may
    /// give its own value again, as it does when it goes on after a crash.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] if it is; nothing of it is told.
    pub fn remember(&mut self, of: &ValuesOf, rotation: &RotationId, value: KnownValue, last: u32) -> Result<()> {
        if self.holds(&value, last, Some(rotation)) {
            return Err(of.refusal(last));
        }
        // What is never made is forgotten again, and must not have pushed out one of those that count.
        let others = self.given.iter().filter(|given| given.rotation != *rotation).count();
        let mut over = others.saturating_sub(LONGEST_HISTORY as usize);
        self.given.retain(|given| {
            let goes = over > 0 && given.rotation != *rotation;
            over -= usize::from(goes);
            !goes
        });
        match self.given.iter_mut().find(|given| given.rotation == *rotation) {
            Some(own) if own.values.contains(&value) => {}
            Some(own) => {
                own.values.truncate(OF_ONE_ROTATION - 1);
                own.values.insert(0, value);
            }
            None => self.given.push(Given { rotation: rotation.clone(), values: vec![value] }),
        }
        Ok(())
    }

    /// A rotation never made its version: what it was to give, nobody has. Tells whether anything was remembered of it.
    pub fn forget(&mut self, rotation: &RotationId) -> bool {
        let before = self.given.len();
        self.given.retain(|given| given.rotation != *rotation);
        self.given.len() < before
    }

    /// Its text, which [`Past::from_json`] reads back.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be written.
    pub fn to_json(&self, of: &ValuesOf) -> Result<Vec<u8>> {
        let kept = Kept { schema: SCHEMA, cluster: of.cluster.clone(), secret: of.secret.clone(), past: self.clone() };
        let failed = |e| Error::new(ErrorKind::Io, "the values of before cannot be written").with_source(e);
        serde_json::to_vec(&kept).map_err(failed)
    }

    /// Reads it from its text.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it is none, or another secret's.
    pub fn from_json(of: &ValuesOf, text: &[u8]) -> Result<Self> {
        let bad =
            || Error::new(ErrorKind::Io, "it holds no values of this secret and version: it was damaged or changed");
        let kept: Kept = serde_json::from_slice(text).map_err(|e| bad().with_source(e))?;
        let same = kept.schema == SCHEMA && kept.cluster == of.cluster && kept.secret == of.secret;
        if same { Ok(kept.past) } else { Err(bad()) }
    }

    fn others(&self, asks: Option<&RotationId>, last: u32) -> impl Iterator<Item = &Given> {
        self.given.iter().rev().filter(move |given| Some(&given.rotation) != asks).take(last as usize)
    }
}

/// The version of the text.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    schema: u32,
    cluster: String,
    secret: String,
    past: Past,
}

/// Remembers which values secrets have had, whichever process gave them and whenever. [`Past`] decides.
#[async_trait]
pub trait PastValues: Send + Sync {
    /// What a secret has had.
    ///
    /// # Errors
    /// If that cannot be told. Then nothing must be begun.
    async fn past(&self, of: &ValuesOf) -> Result<Past>;

    /// Remembers a value that is about to be given, and returns when that is durable. Of two rotations that give one value at the same
    /// time, one succeeds.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] if it is one of the last so many, as [`Past::remember`] says it. With any other error it may be remembered
    /// or not, and must not be given.
    async fn remember(&self, of: &ValuesOf, rotation: &RotationId, value: KnownValue, last: u32) -> Result<()>;

    /// A rotation never made its version; returns when that is durable. One of which nothing is remembered is no error.
    ///
    /// # Errors
    /// If that cannot be written down.
    async fn forget(&self, of: &ValuesOf, rotation: &RotationId) -> Result<()>;
}

/// Remembers as long as it lives, for tests and simulations. Clones share what they remember.
#[derive(Clone, Debug, Default)]
pub struct MemoryPast(Arc<Mutex<BTreeMap<ValuesOf, Past>>>);

impl MemoryPast {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<ValuesOf, Past>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PastValues for MemoryPast {
    async fn past(&self, of: &ValuesOf) -> Result<Past> {
        Ok(self.locked().get(of).cloned().unwrap_or_default())
    }

    async fn remember(&self, of: &ValuesOf, rotation: &RotationId, value: KnownValue, last: u32) -> Result<()> {
        self.locked().entry(of.clone()).or_default().remember(of, rotation, value, last)
    }

    async fn forget(&self, of: &ValuesOf, rotation: &RotationId) -> Result<()> {
        self.locked().entry(of.clone()).or_default().forget(rotation);
        Ok(())
    }
}
