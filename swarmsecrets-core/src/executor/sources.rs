//! Fetches the values of new versions that stand in sources.

use super::progress::Progress;
use super::run::Executor;
use super::values::Values;
use crate::error::{ErrorKind, Result};
use crate::plan::{Content, ValueRecipe};
use crate::rotation::State;
use crate::source::{SourceVersion, Sources};

impl Executor<'_> {
    /// The same executor, which also fetches values from these sources, for plans that say so.
    #[must_use]
    pub fn with_sources(mut self, sources: Sources) -> Self {
        self.sources = sources;
        self
    }

    /// Checks that every source of a plan is at hand.
    ///
    /// # Errors
    /// `Invalid`, with the source that is not.
    pub(super) fn check_sources(&self, plan: &Content) -> Result<()> {
        sourced(plan).try_for_each(|(_, version)| self.sources.check(version.source()))
    }

    /// Puts the values beside those that are handed over.
    ///
    /// # Errors
    /// Those of the source; `NotFound` if it does not keep the version of the plan any more.
    pub(super) async fn fetch(&self, plan: &Content, values: &mut Values) -> Result<()> {
        for (secret, version) in sourced(plan) {
            if !values.has_fetched(secret) {
                values.fetched(secret, self.sources.fetch(version).await?);
            }
        }
        Ok(())
    }

    /// As [`Executor::fetch`], for a rotation that was begun, if it has a use for values yet. A version that is not kept any
    /// more, and a source that is away while a rotation is on its way to an end, are no reasons to leave it where it stands.
    pub(super) async fn fetch_again(&self, state: &State, values: &mut Values) -> Result<()> {
        if !state.makes_versions() && !state.has_open_password() {
            return Ok(());
        }
        match self.fetch(&state.plan, values).await {
            Err(error) if error.kind() == ErrorKind::NotFound || !state.makes_versions() => {
                self.parts.observer.tell(&Progress::Trouble { message: error.message() });
                Ok(())
            }
            fetched => fetched,
        }
    }
}

/// The secrets of a plan whose values stand in sources.
fn sourced(plan: &Content) -> impl Iterator<Item = (&str, &SourceVersion)> {
    plan.secrets.iter().filter_map(|secret| match &secret.recipe {
        ValueRecipe::Source(version) => Some((secret.secret.as_str(), version)),
        ValueRecipe::Supplied | ValueRecipe::Generate(_) => None,
    })
}
