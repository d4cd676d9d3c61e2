//! The systems behind secrets: whose password is changed, and with which values.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::credential::{self, Account, Commands, CredentialSetter, Place};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, quoted};
use crate::journal::CredentialStep;
use crate::plan::{Content, PlannedSecret};
use crate::rotation::{Answer, Login, Reply, Which};
use crate::secret::SecretValue;

/// How the password behind one secret is changed.
#[derive(Clone)]
pub enum PasswordChange {
    /// By a setter, which needs both values.
    Setter {
        /// Changes it.
        setter: Arc<dyn CredentialSetter>,
        /// The value that the secret has now. Swarm gives no value back, so it is handed over each time.
        current: Option<SecretValue>,
    },
    /// By commands in a container, which read both values from files there.
    Commands(Commands),
}

impl PasswordChange {
    /// Whose password it changes.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Setter { setter, .. } => setter.account(),
            Self::Commands(commands) => commands.account(),
        }
    }
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
            let means = self.of(secret)?;
            if means.account() != *account {
                return Err(Error::new(ErrorKind::Invalid, other_account(account, &means.account())));
            }
        }
        Ok(())
    }

    fn of(&self, secret: &PlannedSecret) -> Result<Means<'_>> {
        let missing = |what: &str| {
            Error::new(
                ErrorKind::Invalid,
                format!("the {what} of `{}` is not at hand: hand it over (--credentials)", secret.secret),
            )
        };
        Ok(match self.changes.get(&secret.secret).ok_or_else(|| missing("credential setter"))? {
            PasswordChange::Commands(commands) => Means::Commands(commands),
            PasswordChange::Setter { setter, current } => {
                Means::Setter(&**setter, current.as_ref().ok_or_else(|| missing("current value"))?)
            }
        })
    }

    /// The next value of a secret whose password was generated: the password in the place of the old one.
    pub(super) fn next_value(&self, secret: &PlannedSecret, generated: SecretValue) -> Result<SecretValue> {
        if secret.credential.is_none() {
            return Ok(generated);
        }
        match self.of(secret)? {
            Means::Setter(setter, current) => setter.next_value(current, &generated),
            // Only the container has the old one.
            Means::Commands(_) => Ok(generated),
        }
    }

    /// Does one step. Each may be done again.
    pub(super) async fn change(
        &self,
        rotation: &RotationId,
        secret: &PlannedSecret,
        step: CredentialStep,
        next: Option<&SecretValue>,
        place: Option<Place<'_>>,
    ) -> Reply {
        let gone = || {
            Err(Error::new(ErrorKind::Invalid, format!("the new value of `{}` is not at hand any more", secret.secret)))
        };
        let done = match (self.of(secret), step, next, place) {
            (Err(error), ..) => Err(error),
            (Ok(Means::Setter(_, _)), CredentialStep::Set, None, _) => gone(),
            (Ok(Means::Setter(setter, current)), CredentialStep::Set, Some(next), _) => {
                setter.set(rotation, current, next).await
            }
            (Ok(Means::Setter(setter, current)), CredentialStep::Revoke, ..) => setter.revoke(rotation, current).await,
            (Ok(Means::Setter(setter, current)), CredentialStep::Undo, ..) => setter.undo(rotation, current).await,
            (Ok(Means::Commands(_)), _, _, None) => Err(nowhere(secret)),
            (Ok(Means::Commands(commands)), CredentialStep::Set, _, Some(place)) => commands.set(place).await,
            (Ok(Means::Commands(commands)), CredentialStep::Revoke, _, Some(place)) => commands.revoke(place).await,
            (Ok(Means::Commands(commands)), CredentialStep::Undo, _, Some(place)) => commands.undo(place).await,
        };
        match done {
            Ok(()) => Reply::Done(Answer::Taken),
            Err(error) if error.is_unknown() => Reply::Unknown(error),
            Err(error) => Reply::Refused(error),
        }
    }

    /// Logs in with the old value or the new one.
    pub(super) async fn log_in(
        &self,
        secret: &PlannedSecret,
        which: Which,
        next: Option<&SecretValue>,
        place: Option<Place<'_>>,
    ) -> Reply {
        let login = match (self.of(secret), which, next, place) {
            (Err(error), ..) => Login::Untestable(error.message().to_owned()),
            (Ok(Means::Setter(..)), Which::New, None, _) => {
                Login::Untestable("the new value is not at hand any more".to_owned())
            }
            (Ok(Means::Setter(setter, _)), Which::New, Some(next), _) => from(setter.verify(next).await),
            (Ok(Means::Setter(setter, current)), Which::Old, ..) => from(setter.verify(current).await),
            (Ok(Means::Commands(_)), _, _, None) => Login::Unclear(nowhere(secret)),
            (Ok(Means::Commands(commands)), which, _, Some(place)) => {
                from(commands.verify(place, which == Which::New).await)
            }
        };
        Reply::Done(Answer::Login(login))
    }
}

/// What changes a password, with the old value where that is needed.
enum Means<'p> {
    Setter(&'p dyn CredentialSetter, &'p SecretValue),
    Commands(&'p Commands),
}

impl Means<'_> {
    fn account(&self) -> Account {
        match self {
            Self::Setter(setter, _) => setter.account(),
            Self::Commands(commands) => commands.account(),
        }
    }
}

fn other_account(planned: &Account, at_hand: &Account) -> String {
    let (planned_way, way) = (planned.way.words(), at_hand.way.words());
    let differs = "hand over the right one (--credentials), or plan again";
    if planned.to_string() == at_hand.to_string() && planned.way == at_hand.way {
        return format!("the commands that change the password of {planned} are not those of the plan: {differs}");
    }
    format!(
        "the plan changes the password of {planned} ({planned_way}), the setter at hand that of {at_hand} ({way}): {differs}"
    )
}

/// It may be there again in a moment.
fn nowhere(secret: &PlannedSecret) -> Error {
    let service = secret.provider().map_or("", |provider| &provider.service);
    let text = format!("no task of {} runs that mounts both versions of `{}`", quoted(service), secret.secret);
    Error::new(ErrorKind::Unreachable, text)
}

fn from(login: credential::Login) -> Login {
    match login {
        credential::Login::Works => Login::Works,
        credential::Login::Refused => Login::Refused,
        credential::Login::Unclear(error) => Login::Unclear(error),
    }
}
