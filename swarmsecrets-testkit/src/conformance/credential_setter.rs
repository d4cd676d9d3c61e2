//! What every [`CredentialSetter`] must do, tried on the system itself.

mod promises;
mod troubles;

use async_trait::async_trait;
use swarmsecrets_core::credential::{CredentialSetter, Login, Way};
use swarmsecrets_core::error::Error;
use swarmsecrets_core::ids::{RotationId, hex};
use swarmsecrets_core::{ErrorKind, Result, SecretValue};

use super::{must, must_not};
use crate::credential::Step;
use crate::values;

/// What stands in a setter's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// The administrator's password is wrong.
    WrongAdmin,
    /// Nothing listens where the setter connects to.
    Down,
    /// The first change is carried out, in this call, and its answer is lost: see
    /// [`wire_that_loses_the_answer_to`](crate::credential::wire_that_loses_the_answer_to).
    LostAnswer(Step),
}

/// The system, as its administrator sees it.
#[async_trait]
pub trait Stage: Sync {
    /// Makes a user with this password (of two that take turns both, the second shut), and gives the secret's value.
    async fn user(&self, name: &str, password: &SecretValue) -> SecretValue;

    /// A setter for that user, who need not be there.
    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter>;

    /// A value as [`Stage::user`] would give it, without a user being made.
    fn value(&self, name: &str, password: &SecretValue) -> SecretValue;

    /// Names that a careless statement would trip over, as far as the system takes them.
    fn odd_names(&self) -> Vec<&'static str>;
}

/// Runs the suite.
///
/// # Panics
/// If the setter breaks a promise of the trait.
pub async fn check(stage: &impl Stage) {
    promises::a_rotation_and_the_one_after_it(stage).await;
    promises::undone_at_each_point(stage).await;
    promises::nobody_is_locked_out(stage).await;
    promises::what_others_did_stays(stage).await;
    promises::odd_passwords(stage).await;
    promises::odd_names(stage).await;
    troubles::a_user_that_is_not_there(stage).await;
    troubles::a_wrong_administrator(stage).await;
    troubles::a_system_that_is_down(stage).await;
    troubles::lost_answers(stage).await;
}

/// A user of the system, the setter for it, and the values of a rotation.
struct Scene {
    name: String,
    setter: Box<dyn CredentialSetter>,
    rotation: RotationId,
    current: SecretValue,
    next: SecretValue,
}

impl Scene {
    async fn of(stage: &impl Stage, label: &str) -> Self {
        Self::with(stage, label, password("old"), &password("new")).await
    }

    async fn with(stage: &impl Stage, label: &str, old: SecretValue, new: &SecretValue) -> Self {
        let name = format!("{label}{}", hex(&random::<4>()));
        let current = stage.user(&name, &old).await;
        let setter = stage.setter(&name, Trouble::None).await;
        let next = must("a value is made for the next version", setter.next_value(&current, new));
        values::record(current.expose());
        values::record(next.expose());
        Self { name, setter, rotation: rotation(), current, next }
    }

    fn way(&self) -> Way {
        self.setter.account().way
    }

    async fn set(&self) -> Result<()> {
        self.kept_secret(self.setter.set(&self.rotation, &self.current, &self.next).await)
    }

    async fn revoke(&self) -> Result<()> {
        self.kept_secret(self.setter.revoke(&self.rotation, &self.current).await)
    }

    async fn undo(&self) -> Result<()> {
        self.kept_secret(self.setter.undo(&self.rotation, &self.current).await)
    }

    /// Asserts who can log in now.
    async fn logs_in(&self, when: &str, current: bool, next: bool) {
        self.one_logs_in(when, "the current value", &self.current, current).await;
        self.one_logs_in(when, "the next value", &self.next, next).await;
    }

    async fn one_logs_in(&self, when: &str, whose: &str, value: &SecretValue, should: bool) {
        let login = self.setter.verify(value).await;
        let as_it_should = matches!((&login, should), (Login::Works, true) | (Login::Refused, false));
        assert!(as_it_should, "{when}, {whose} {}: {login:?}", if should { "logs in" } else { "does not log in" });
    }

    /// The result, after a look that an error says nothing of the values.
    fn kept_secret<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.says_no_value(error))
    }

    fn says_no_value(&self, error: &Error) {
        let said = format!("{error} {error:?}");
        for value in [&self.current, &self.next] {
            let value = String::from_utf8_lossy(value.expose());
            assert!(!said.contains(&*value), "an error holds no value");
        }
    }
}

fn rotation() -> RotationId {
    RotationId::from_random(random())
}

/// A password that no text holds by chance.
fn password(label: &str) -> SecretValue {
    made_of(&format!("made-up-{label}-{}", hex(&random::<8>())))
}

fn made_of(text: &str) -> SecretValue {
    values::record(text.as_bytes());
    must("the password is good", SecretValue::new(text.as_bytes().to_vec()))
}

#[allow(clippy::panic, reason = "a suite is for tests alone, which fail by panicking")]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes,
        Err(error) => panic!("no random bytes: {error}"),
    }
}

fn must_be_unknown(promise: &str, result: Result<()>) {
    let kind = result.as_ref().err().map(Error::kind);
    assert!(result.is_err_and(|error| error.is_unknown()), "{promise}: {kind:?}");
}

fn must_not_reach(promise: &str, result: Result<()>) {
    must_not(promise, ErrorKind::Unreachable, result);
}
