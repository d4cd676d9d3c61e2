//! The suite of credential setters, run by the one in memory; and that it finds those that break their promises.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use swarmsecrets_core::credential::{CredentialSetter, Way};
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_testkit::conformance::credential_setter::{self, Stage, Trouble};
use swarmsecrets_testkit::credential::{FakeCredential, Fault, Step};

const CHANGES: [Step; 3] = [Step::Set, Step::Revoke, Step::Undo];

/// A system for each user. `broken` goes wrong at each call of a step, unseen.
struct InMemory {
    way: Way,
    broken: Option<Step>,
    users: Mutex<BTreeMap<String, FakeCredential>>,
}

impl InMemory {
    fn new(way: Way, broken: Option<Step>) -> Self {
        Self { way, broken, users: Mutex::default() }
    }

    fn names(&self, name: &str) -> Vec<String> {
        match self.way {
            Way::Alternates => vec![format!("{name}_a"), format!("{name}_b")],
            _ => vec![name.to_owned()],
        }
    }

    fn system(&self, name: &str, value: &SecretValue) -> FakeCredential {
        let shape = if self.way == Way::Alternates { "json:/password" } else { "whole" };
        FakeCredential::of(self.way, shape.parse().unwrap(), &self.names(name), value).unwrap()
    }
}

#[async_trait]
impl Stage for InMemory {
    async fn user(&self, name: &str, password: &SecretValue) -> SecretValue {
        let value = self.value(name, password);
        let system = self.system(name, &value);
        if let Some(step) = self.broken {
            (0..100).for_each(|_| system.fail(step, Fault::DoNothing));
        }
        self.users.lock().unwrap().insert(name.to_owned(), system);
        value
    }

    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter> {
        let Some(system) = self.users.lock().unwrap().get(name).cloned() else {
            let value = self.value(name, &SecretValue::new(b"made-up-of-nobody".to_vec()).unwrap());
            let system = self.system(name, &value);
            system.drop_users();
            return Box::new(system);
        };
        match trouble {
            Trouble::None => {}
            Trouble::WrongAdmin => {
                CHANGES.iter().for_each(|step| system.fail(*step, Fault::Refuse(ErrorKind::Unauthorized)));
            }
            Trouble::Down => CHANGES.iter().chain([&Step::Verify]).for_each(|step| system.fail(*step, Fault::Down)),
            Trouble::LostAnswer(step) => system.fail(step, Fault::LoseAnswer),
        }
        Box::new(system)
    }

    fn value(&self, name: &str, password: &SecretValue) -> SecretValue {
        let password = String::from_utf8(password.expose().to_vec()).unwrap();
        let text = match self.way {
            Way::Alternates => serde_json::json!({"username": format!("{name}_a"), "password": password}).to_string(),
            Way::Replaces | Way::HoldsTwo => password,
        };
        SecretValue::new(text.into_bytes()).unwrap()
    }

    fn odd_names(&self) -> Vec<&'static str> {
        vec!["o'brien\"; --"]
    }
}

#[tokio::test]
async fn the_system_in_memory_keeps_its_promises() {
    for way in [Way::Replaces, Way::HoldsTwo, Way::Alternates] {
        credential_setter::check(&InMemory::new(way, None)).await;
    }
}

#[tokio::test]
#[should_panic(expected = "after set, the next value logs in")]
async fn a_password_that_was_not_set_is_found_out() {
    credential_setter::check(&InMemory::new(Way::HoldsTwo, Some(Step::Set))).await;
}

#[tokio::test]
#[should_panic(expected = "after revoke, the current value does not log in")]
async fn a_password_that_was_not_revoked_is_found_out() {
    credential_setter::check(&InMemory::new(Way::Alternates, Some(Step::Revoke))).await;
}

#[tokio::test]
#[should_panic(expected = "after undo, the current value logs in")]
async fn a_password_that_was_not_put_back_is_found_out() {
    credential_setter::check(&InMemory::new(Way::Replaces, Some(Step::Undo))).await;
}
