//! The systems behind secrets: whose password is changed, and with which values.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::credential::{self, CredentialSetter};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::RotationId;
use crate::journal::CredentialStep;
use crate::plan::{Content, PlannedSecret};
use crate::rotation::{Answer, Login, Reply, Which};
use crate::secret::SecretValue;

/// How the password behind one secret is changed.
#[derive(Clone)]
pub struct PasswordChange {
    /// Changes it.
    pub setter: Arc<dyn CredentialSetter>,
    /// The value that the secret has now. Swarm gives no value back, so it is handed over each time.
    pub current: Option<SecretValue>,
}

/// Setters and values for the secrets of a plan, by the names of the logical secrets.
#[derive(Clone, Default)]
pub(super) struct Passwords {
    changes: BTreeMap<String, PasswordChange>,
}

impl Passwords {
    pub(super) fn new(changes: BTreeMap<String, PasswordChange>) -> Self {
        Self { changes }
    }

    /// Checks that every password of a plan can be changed here.
    ///
    /// # Errors
    /// `Invalid` for a secret whose setter or current value is missing, or whose setter is for another account.
    pub(super) fn check(&self, plan: &Content) -> Result<()> {
        for secret in plan.secrets.iter() {
            let Some(account) = &secret.credential else { continue };
            let (setter, _) = self.of(secret)?;
            if setter.account() != *account {
                let text = format!(
                    "the plan changes the password of {account} ({}), the setter at hand that of {} ({}): hand over the right one (--credentials), or plan again",
                    account.way.words(),
                    setter.account(),
                    setter.account().way.words()
                );
                return Err(Error::new(ErrorKind::Invalid, text));
            }
        }
        Ok(())
    }

    fn of(&self, secret: &PlannedSecret) -> Result<(&dyn CredentialSetter, &SecretValue)> {
        let missing = |what: &str| {
            Error::new(
                ErrorKind::Invalid,
                format!("the {what} of `{}` is not at hand: hand it over (--credentials)", secret.secret),
            )
        };
        let change = self.changes.get(&secret.secret).ok_or_else(|| missing("credential setter"))?;
        Ok((&*change.setter, change.current.as_ref().ok_or_else(|| missing("current value"))?))
    }

    /// The next value of a secret whose password was generated: the password in the place of the old one.
    pub(super) fn next_value(&self, secret: &PlannedSecret, generated: SecretValue) -> Result<SecretValue> {
        if secret.credential.is_none() {
            return Ok(generated);
        }
        let (setter, current) = self.of(secret)?;
        setter.next_value(current, &generated)
    }

    /// Does one step. Each may be done again.
    pub(super) async fn change(
        &self,
        rotation: &RotationId,
        secret: &PlannedSecret,
        step: CredentialStep,
        next: Option<&SecretValue>,
    ) -> Reply {
        let (setter, current) = match self.of(secret) {
            Ok(found) => found,
            Err(error) => return Reply::Refused(error),
        };
        let done = match (step, next) {
            (CredentialStep::Set, Some(next)) => setter.set(rotation, current, next).await,
            (CredentialStep::Set, None) => Err(Error::new(
                ErrorKind::Invalid,
                format!("the new value of `{}` is not at hand any more", secret.secret),
            )),
            (CredentialStep::Revoke, _) => setter.revoke(rotation, current).await,
            (CredentialStep::Undo, _) => setter.undo(rotation, current).await,
        };
        match done {
            Ok(()) => Reply::Done(Answer::Taken),
            Err(error) if error.is_unknown() => Reply::Unknown(error),
            Err(error) => Reply::Refused(error),
        }
    }

    /// Logs in with the old value or the new one.
    pub(super) async fn log_in(&self, secret: &PlannedSecret, which: Which, next: Option<&SecretValue>) -> Reply {
        let login = match (self.of(secret), which, next) {
            (Err(error), _, _) => Login::Untestable(error.message().to_owned()),
            (Ok(_), Which::New, None) => Login::Untestable("the new value is not at hand any more".to_owned()),
            (Ok((setter, _)), Which::New, Some(next)) => from(setter.verify(next).await),
            (Ok((setter, current)), Which::Old, _) => from(setter.verify(current).await),
        };
        Reply::Done(Answer::Login(login))
    }
}

fn from(login: credential::Login) -> Login {
    match login {
        credential::Login::Works => Login::Works,
        credential::Login::Refused => Login::Refused,
        credential::Login::Unclear(error) => Login::Unclear(error),
    }
}
