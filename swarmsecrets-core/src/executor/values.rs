//! Values that are handed over for a plan.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{quoted, ticked};
use crate::keys::FingerprintKey;
use crate::plan::{Content, PlannedSecret, ValueRecipe};
use crate::secret::SecretValue;

/// The values of new versions, where they are handed over.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// For the one secret that takes a value.
    sole: Option<SecretValue>,
    named: BTreeMap<String, SecretValue>,
    /// Those that were fetched from sources.
    fetched: BTreeMap<String, SecretValue>,
}

impl Values {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sole.is_none() && self.named.is_empty() && self.fetched.is_empty()
    }

    /// One value, for the one secret of a plan that takes a value.
    #[must_use]
    pub fn one(value: SecretValue) -> Self {
        Self { sole: Some(value), ..Self::default() }
    }

    /// Values by the names of their logical secrets.
    #[must_use]
    pub fn named(values: impl IntoIterator<Item = (String, SecretValue)>) -> Self {
        Self { named: values.into_iter().collect(), ..Self::default() }
    }

    /// The fingerprints of the values that are handed over for a plan, by the names of their secrets.
    #[must_use]
    pub fn fingerprints(&self, plan: &Content, key: &FingerprintKey) -> BTreeMap<String, String> {
        let names = plan.secrets.iter().filter(|s| s.recipe == ValueRecipe::Supplied).map(|s| &s.secret);
        names.filter_map(|name| Some((name.clone(), key.of(self.of(plan, name)?)))).collect()
    }

    /// Checks that every secret of a plan that takes a value has one, and that no value is left over.
    ///
    /// # Errors
    /// `Invalid`, with the secrets whose value is missing, or whose value nobody asked for.
    pub fn check(&self, plan: &Content) -> Result<()> {
        let takes = |s: &&PlannedSecret| s.recipe == ValueRecipe::Supplied;
        let missing: Vec<&str> = plan
            .secrets
            .iter()
            .filter(takes)
            .map(|s| s.secret.as_str())
            .filter(|name| self.of(plan, name).is_none())
            .collect();
        if !missing.is_empty() {
            let text = format!(
                "the plan needs a value for {} and none was handed over: give it with --value-file",
                ticked(missing)
            );
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        if self.sole.is_some() && !plan.secrets.iter().any(|s| takes(&s)) {
            return Err(Error::new(ErrorKind::Invalid, "the plan takes no value: leave it out"));
        }
        let asked = |name: &str| plan.secrets.iter().filter(takes).any(|s| s.secret == name);
        match self.named.keys().find(|name| !asked(name)) {
            Some(name) => {
                let text = format!("the plan takes no value for {}: leave it out", quoted(name));
                Err(Error::new(ErrorKind::Invalid, text))
            }
            None => Ok(()),
        }
    }

    /// Takes what a source has given for a logical secret.
    pub(super) fn fetched(&mut self, secret: &str, value: SecretValue) {
        self.fetched.insert(secret.to_owned(), value);
    }

    /// Whether a source has given the value for a logical secret.
    pub(super) fn has_fetched(&self, secret: &str) -> bool {
        self.fetched.contains_key(secret)
    }

    /// The value for a logical secret of a plan: handed over or fetched, as the plan has it. What is handed over takes no place of
    /// what a source gives, whose version the plan has pinned.
    pub(crate) fn of(&self, plan: &Content, secret: &str) -> Option<&SecretValue> {
        match &plan.secrets.iter().find(|planned| planned.secret == secret)?.recipe {
            ValueRecipe::Supplied => {
                let mut takers = plan.secrets.iter().filter(|s| s.recipe == ValueRecipe::Supplied);
                let sole = matches!((takers.next(), takers.next()), (Some(_), None));
                self.named.get(secret).or(self.sole.as_ref().filter(|_| sole))
            }
            ValueRecipe::Source(_) => self.fetched.get(secret),
            ValueRecipe::Generate(_) => None,
        }
    }
}

impl From<Option<SecretValue>> for Values {
    fn from(value: Option<SecretValue>) -> Self {
        value.map(Self::one).unwrap_or_default()
    }
}
