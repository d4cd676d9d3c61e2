//! A system that holds passwords, in memory, with faults.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use swarmsecrets_core::credential::{Account, Credential, CredentialSetter, Login, Shape, Way};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

use super::state::{Named, State};

/// The calls of a [`CredentialSetter`] that reach the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// [`CredentialSetter::set`].
    Set,
    /// [`CredentialSetter::verify`].
    Verify,
    /// [`CredentialSetter::revoke`].
    Revoke,
    /// [`CredentialSetter::undo`].
    Undo,
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no connection: nothing is done, and that is certain (`Unreachable`).
    Down,
    /// The call never arrives, and nobody knows (`Timeout`).
    LoseRequest,
    /// The call is carried out, and its answer is lost (`Timeout`).
    LoseAnswer,
    /// The system says no, with an error of this kind, and does nothing.
    Refuse(ErrorKind),
    /// The system says that it was done, and does nothing.
    DoNothing,
}

/// A system that holds one password or two for a user, or a password each for two users that take turns. Clones are the same
/// system.
///
/// ```
/// use swarmsecrets_core::SecretValue;
/// use swarmsecrets_core::credential::{CredentialSetter, Way};
/// use swarmsecrets_core::ids::RotationId;
/// use swarmsecrets_testkit::credential::{FakeCredential, Fault, Step};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> swarmsecrets_core::Result<()> {
/// let current = SecretValue::new(b"made-up-old-password".to_vec())?;
/// let next = SecretValue::new(b"made-up-new-password".to_vec())?;
/// let fake = FakeCredential::new(Way::HoldsTwo, &current)?;
/// fake.fail(Step::Set, Fault::LoseAnswer); // the next `set`; the one after it goes well
/// let rotation = RotationId::from_random([1; 10]);
/// assert!(fake.set(&rotation, &current, &next).await.unwrap_err().is_unknown());
/// assert!(fake.logs_in(&current) && fake.logs_in(&next));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FakeCredential {
    way: Way,
    shape: Shape,
    users: Vec<String>,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    state: State,
    faults: BTreeMap<Step, VecDeque<Fault>>,
    calls: Vec<(Step, Option<RotationId>)>,
    /// How many calls the system has carried out.
    done: u64,
}

impl FakeCredential {
    /// A system in which `current` logs in. The value is a password; where users take turns it is JSON with `username`,
    /// one of `app_a` and `app_b`, and `password`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the value is not so.
    pub fn new(way: Way, current: &SecretValue) -> Result<Self> {
        let both = ["app_a".to_owned(), "app_b".to_owned()];
        match way {
            Way::Alternates => Self::of(way, "json:/password".parse()?, &both, current),
            Way::Replaces | Way::HoldsTwo => Self::of(way, Shape::Whole, &["app".to_owned()], current),
        }
    }

    /// A system with these users, in whose values the password stands as `shape` says. `current` logs in.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the value is not so, or names another user, or the way wants another number of users.
    pub fn of(way: Way, shape: Shape, users: &[String], current: &SecretValue) -> Result<Self> {
        let wanted = if way == Way::Alternates { 2 } else { 1 };
        if users.len() != wanted {
            return Err(Error::new(ErrorKind::Invalid, format!("give {wanted} user(s), not {}", users.len())));
        }
        let now = Named::of(shape.read(current)?, &users[0]);
        if !users.contains(&now.user) {
            return Err(Error::new(ErrorKind::Invalid, "the value is for another user"));
        }
        let state = State::new(way, users, now);
        let shared = Shared { state, faults: BTreeMap::new(), calls: Vec::new(), done: 0 };
        Ok(Self { way, shape, users: users.to_vec(), shared: Arc::new(Mutex::new(shared)) })
    }

    /// Lets the next call of a step go wrong; said more than once, the calls after it too.
    pub fn fail(&self, step: Step, fault: Fault) {
        self.shared().faults.entry(step).or_default().push_back(fault);
    }

    /// Removes the users from the system, as a person might.
    pub fn drop_users(&self) {
        self.shared().state.drop_users();
    }

    /// Whether a consumer that holds this value can log in now. No fault stands in its way.
    #[must_use]
    pub fn logs_in(&self, value: &SecretValue) -> bool {
        let Ok(who) = self.named(value) else { return false };
        self.shared().state.logs_in(&who.user, &who.password)
    }

    /// What was called until now, and for which rotation; also what went wrong.
    #[must_use]
    pub fn calls(&self) -> Vec<(Step, Option<RotationId>)> {
        self.shared().calls.clone()
    }

    /// How many calls were carried out until now, by those who change something and by those who look.
    pub(crate) fn done(&self) -> u64 {
        self.shared().done
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, value: &SecretValue) -> Result<Named> {
        self.shape.read(value).map(|credential| Named::of(credential, &self.users[0]))
    }

    fn call<T>(
        &self,
        step: Step,
        rotation: Option<&RotationId>,
        done: T,
        does: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let mut shared = self.shared();
        shared.calls.push((step, rotation.cloned()));
        let fault = shared.faults.get_mut(&step).and_then(VecDeque::pop_front);
        let lost = || Err(Error::new(ErrorKind::Timeout, format!("no answer from the made-up system to {step:?}")));
        let does = |shared: &mut Shared| {
            let done = does(&mut shared.state)?;
            shared.done += 1;
            Ok(done)
        };
        match fault {
            None => does(&mut shared),
            Some(Fault::Down) => Err(Error::new(ErrorKind::Unreachable, "the made-up system is down")),
            Some(Fault::LoseRequest) => lost(),
            Some(Fault::LoseAnswer) => does(&mut shared).and_then(|_| lost()),
            Some(Fault::Refuse(kind)) => {
                Err(Error::new(kind, format!("the made-up system refuses its administrator {step:?}")))
            }
            Some(Fault::DoNothing) => Ok(done),
        }
    }
}

#[async_trait]
impl CredentialSetter for FakeCredential {
    fn account(&self) -> Account {
        Account::new("a made-up system", self.users.join("/"), self.way)
    }

    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        let now = self.named(current)?;
        let other = self.users.iter().find(|user| **user != now.user);
        self.shape.write(current, &Credential { user: other.cloned(), password: password.clone() })
    }

    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        let (current, next) = (self.named(current)?, self.named(next)?);
        if (current.user == next.user) == (self.way == Way::Alternates) {
            return Err(Error::new(ErrorKind::Invalid, "the next value is for the wrong user"));
        }
        self.call(Step::Set, Some(rotation), (), |state| state.set(&current, &next))
    }

    async fn verify(&self, value: &SecretValue) -> Login {
        let seen = self
            .named(value)
            .and_then(|who| self.call(Step::Verify, None, false, |state| Ok(state.logs_in(&who.user, &who.password))));
        match seen {
            Ok(true) => Login::Works,
            Ok(false) => Login::Refused,
            Err(error) => Login::Unclear(error),
        }
    }

    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        let old = self.named(old)?;
        self.call(Step::Revoke, Some(rotation), (), |state| state.revoke(&old))
    }

    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        let current = self.named(current)?;
        self.call(Step::Undo, Some(rotation), (), |state| state.undo(&current))
    }
}
