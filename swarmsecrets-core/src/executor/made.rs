//! What a new version is made of.

use super::run::{Executor, Run};
use crate::error::{ErrorKind, Result};
use crate::plan::ValueRecipe;
use crate::policy::KnownValue;
use crate::secret::SecretValue;

/// A value, ready to be sent.
pub(super) struct Made {
    pub(super) value: SecretValue,
    /// Its fingerprint, for the label, where a key is at hand.
    pub(super) fingerprint: Option<String>,
}

impl Executor<'_> {
    /// The value of a new version, remembered where a policy asks for it: before it is sent, so that nothing that was given is
    /// ever unknown. Inside is what keeps the version from being made.
    ///
    /// # Errors
    /// If it cannot be remembered. Then nothing is sent.
    pub(super) async fn make(&self, run: &mut Run<'_, '_>, secret: usize) -> Result<Result<Option<Made>>> {
        let value = match self.value(run, secret) {
            Ok(Some(value)) => value,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let known = self.fingerprint_key.map(|key| KnownValue::of(key, &value));
        match self.remember(&run.rotation.state().rotation, &run.earlier, secret, known.as_ref()).await {
            Err(error) if error.kind() == ErrorKind::Denied => Ok(Err(error)),
            Err(error) => Err(error),
            Ok(()) => Ok(Ok(Some(Made { value, fingerprint: known.map(|known| known.fingerprint) }))),
        }
    }

    /// The value of a new version: handed over, or generated, and then with the password in its place.
    fn value(&self, run: &mut Run<'_, '_>, secret: usize) -> Result<Option<SecretValue>> {
        let plan = &run.rotation.state().plan;
        let (Some(planned), Some(supply)) = (plan.secrets.get(secret), run.supply.as_deref_mut()) else {
            return Ok(None);
        };
        match &planned.recipe {
            ValueRecipe::Supplied | ValueRecipe::Source(_) => Ok(supply.values.of(plan, &planned.secret).cloned()),
            ValueRecipe::Generate(spec) => {
                let made = || self.passwords.next_value(planned, spec.generate(supply.random)?);
                run.fresh.once(secret, made).map(Some)
            }
        }
    }
}
