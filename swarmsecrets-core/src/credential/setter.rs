//! The trait of the systems that hold a password.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::commands::Provider;
use crate::error::{Error, Result};
use crate::ids::RotationId;
use crate::secret::SecretValue;

/// How a system takes a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In place, and a user has one password: `set` ends the old one, so consumers fail to log in until they have moved.
    Replaces,
    /// In place, and a user can have two passwords for a while: both log in until `revoke`.
    HoldsTwo,
    /// Two users take turns, and the secret's value says which: both log in until `revoke` shuts the old one.
    Alternates,
}

impl Way {
    /// How people call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Replaces => "replaced in place",
            Self::HoldsTwo => "two at a time",
            Self::Alternates => "users take turns",
        }
    }

    /// Whether the old credential stays valid beside the new one until `revoke`.
    #[must_use]
    pub fn holds_two(self) -> bool {
        !matches!(self, Self::Replaces)
    }
}

/// Whose password a setter changes, for plans, audit records and people. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The system and its place, such as `PostgreSQL at db:5432`.
    pub system: String,
    /// The user; of users that take turns both, such as `app_a/app_b`.
    pub user: String,
    /// How the system takes a new password.
    pub way: Way,
    /// The service in whose container commands change it, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
}

impl Account {
    /// The account of a user that a setter changes by itself.
    pub fn new(system: impl Into<String>, user: impl Into<String>, way: Way) -> Self {
        Self { system: system.into(), user: user.into(), way, provider: None }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {} of {}", self.user, self.system)
    }
}

/// What came of logging in with a value.
#[derive(Debug)]
pub enum Login {
    /// The system let us in.
    Works,
    /// The system said that the user or the password is wrong, or that the user may not log in.
    Refused,
    /// Neither can be said, for this reason: the system is down, is full, or gave another answer.
    Unclear(Error),
}

impl Login {
    /// Whether the system let us in.
    ///
    /// # Errors
    /// The reason why that cannot be said.
    pub fn works(self) -> Result<bool> {
        match self {
            Self::Works => Ok(true),
            Self::Refused => Ok(false),
            Self::Unclear(error) => Err(error),
        }
    }
}

/// Changes one user's password (or the passwords of two users that take turns) in the system that the secret opens.
///
/// All values are whole values of the secret, as consumers mount it; the setter knows where the password stands in them.
/// Each call may come again after a crash or a lost answer, with the same rotation and values, and is then harmless
/// and a success. Only `set` needs the new value: a generated one is gone after a crash, and everything can still be
/// brought to an end with the old one.
///
/// A setter keeps the passwords that it does not know: where the user has one that is neither of the two, it refuses with
/// [`Conflict`](crate::ErrorKind::Conflict). It looks just before it changes something, but nothing holds others off in
/// between: two rotations of one secret are kept apart before they come here.
///
/// # Errors
/// The kinds that all calls share:
/// - `Unreachable`, `RateLimited`: nothing was changed; may be tried again.
/// - `Timeout`, `Protocol`: it may have been done; call again with the same arguments.
/// - `Unauthorized`: the administrator's own credential is refused. `Forbidden`: the administrator may not do this.
/// - `NotFound`: the user is not there. `Refused`: the system says no for another reason.
/// - `Invalid`: a value is not shaped as expected, or holds characters that the system does not take.
///
/// No error carries a value, nor the system's own message, which may quote the statement.
#[async_trait]
pub trait CredentialSetter: Send + Sync {
    /// Whose password this changes, and how.
    fn account(&self) -> Account;

    /// The next value of the secret: `current` with the new password in its place, and with the other user's name where
    /// two take turns.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if `current` is not shaped as expected.
    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue>;

    /// Makes `next` valid. Where the [`Way`] holds two, `current` stays valid. Not to be called after `revoke`.
    ///
    /// # Errors
    /// Those above, and [`Stale`](crate::ErrorKind::Stale) if neither `current` nor `next` is what the system holds. Of any kind
    /// but `Timeout` and `Protocol` it means that nothing was changed: such a password is not undone.
    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()>;

    /// Logs in with a value, over a connection of its own.
    async fn verify(&self, value: &SecretValue) -> Login;

    /// Makes `old` invalid; called after `set`, when no consumer uses it any more. Sessions that are open may stay so.
    ///
    /// # Errors
    /// Those above, and [`Refused`](crate::ErrorKind::Refused) if no other credential would be left.
    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()>;

    /// Makes `current` the only valid credential again, whether or not `set` was done; called before `revoke`.
    ///
    /// # Errors
    /// Those above.
    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_login_that_is_not_clear_is_no_answer() {
        assert!(Login::Works.works().unwrap());
        assert!(!Login::Refused.works().unwrap());
        let unclear = Login::Unclear(Error::new(ErrorKind::Unreachable, "the system is down"));
        assert_eq!(unclear.works().unwrap_err().kind(), ErrorKind::Unreachable);
    }
}
