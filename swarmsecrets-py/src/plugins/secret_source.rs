//! Sources of values.

use async_trait::async_trait;
use swarmsecrets_core::source::SecretSource;
use swarmsecrets_core::{Result, SecretValue};

use super::{Plugin, Valued};

/// `swarmsecrets.source.SecretSource`.
pub(crate) struct Source(pub(crate) Plugin);

#[async_trait]
impl SecretSource for Source {
    fn name(&self) -> &str {
        &self.0.told
    }

    async fn current(&self, reference: &str) -> Result<String> {
        self.0.ask("current", (reference.to_owned(),)).await
    }

    async fn fetch(&self, reference: &str, version: &str) -> Result<SecretValue> {
        let asked = self.0.ask("fetch", (reference.to_owned(), version.to_owned()));
        asked.await.map(|Valued(value)| value)
    }
}
