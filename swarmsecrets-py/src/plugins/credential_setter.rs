//! Credential setters.

use async_trait::async_trait;
use swarmsecrets_core::credential::{Account, CredentialSetter, Login};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{Result, SecretValue};

use super::{Done, Plugin, Valued};
use crate::error::invalid;
use crate::secret_value;

/// `swarmsecrets.credentials.CredentialSetter`.
pub(crate) struct Setter {
    plugin: Plugin,
    account: Account,
}

impl Setter {
    pub(crate) fn new(plugin: Plugin) -> Result<Self> {
        let account = serde_json::from_str(&plugin.told);
        Ok(Self { account: account.map_err(|e| invalid(format!("{}: {e}", plugin.what)))?, plugin })
    }
}

fn value(value: &SecretValue) -> secret_value::SecretValue {
    secret_value::SecretValue(value.clone())
}

#[async_trait]
impl CredentialSetter for Setter {
    fn account(&self) -> Account {
        self.account.clone()
    }

    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        let Valued(next) = self.plugin.ask_now("next_value", (value(current), value(password)))?;
        Ok(next)
    }

    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        self.plugin.ask("set", (rotation.to_string(), value(current), value(next))).await.map(|Done| ())
    }

    async fn verify(&self, opens: &SecretValue) -> Login {
        match self.plugin.ask("verify", (value(opens),)).await {
            Ok(true) => Login::Works,
            Ok(false) => Login::Refused,
            Err(error) => Login::Unclear(error),
        }
    }

    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        self.plugin.ask("revoke", (rotation.to_string(), value(old))).await.map(|Done| ())
    }

    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        self.plugin.ask("undo", (rotation.to_string(), value(current))).await.map(|Done| ())
    }
}
