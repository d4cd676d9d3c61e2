//! The suite of all setters, for a role in place and for two that take turns.

use std::net::SocketAddr;

use async_trait::async_trait;
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::CredentialSetter;
use swarmsecrets_postgres::Builder;
use swarmsecrets_testkit::conformance::credential_setter::{self, Stage, Trouble};
use swarmsecrets_testkit::credential::wire_that_loses_the_answer_to;

use crate::place;

struct InPlace;
struct InTurn;

#[async_trait]
impl Stage for InPlace {
    async fn user(&self, name: &str, password: &SecretValue) -> SecretValue {
        let text = std::str::from_utf8(password.expose()).unwrap();
        let (name, quoted) = (place::identifier(name), place::literal(text));
        place::run(&format!("CREATE ROLE {name} LOGIN PASSWORD {quoted}")).await;
        password.clone()
    }

    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter> {
        troubled(trouble, |builder| builder.user(name)).await
    }

    fn value(&self, _name: &str, password: &SecretValue) -> SecretValue {
        password.clone()
    }

    fn odd_names(&self) -> Vec<&'static str> {
        odd_names()
    }
}

#[async_trait]
impl Stage for InTurn {
    async fn user(&self, name: &str, password: &SecretValue) -> SecretValue {
        let text = std::str::from_utf8(password.expose()).unwrap();
        let [a, b] = ["_a", "_b"].map(|end| place::identifier(&format!("{name}{end}")));
        let quoted = place::literal(text);
        place::run(&format!("CREATE ROLE {a} LOGIN PASSWORD {quoted}; CREATE ROLE {b} NOLOGIN")).await;
        self.value(name, password)
    }

    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter> {
        let (a, b) = (format!("{name}_a"), format!("{name}_b"));
        let in_turn = |builder: Builder| builder.users_in_turn(&a, &b).shape("json:/password".parse().unwrap());
        troubled(trouble, in_turn).await
    }

    fn value(&self, name: &str, password: &SecretValue) -> SecretValue {
        let password = std::str::from_utf8(password.expose()).unwrap();
        let value = serde_json::json!({"username": format!("{name}_a"), "password": password});
        SecretValue::new(value.to_string().into_bytes()).unwrap()
    }

    fn odd_names(&self) -> Vec<&'static str> {
        odd_names()
    }
}

fn odd_names() -> Vec<&'static str> {
    vec!["x\"; DROP ROLE rotator; --", "o'brien", "back\\slash", "Ünï-Ω ", "$1", "public", "all"]
}

async fn troubled(trouble: Trouble, roles: impl FnOnce(Builder) -> Builder) -> Box<dyn CredentialSetter> {
    let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
    let wrong = SecretValue::new(b"made-up-wrong-password".to_vec()).unwrap();
    let there = place::setter_at(place::address()).await;
    let builder = match trouble {
        Trouble::None => there,
        Trouble::WrongAdmin => there.administrator("rotator", wrong),
        Trouble::Down => place::setter_at(nowhere).await,
        Trouble::LostAnswer(_) => {
            place::setter_at(wire_that_loses_the_answer_to(b"ALTER ROLE", place::address()).await.unwrap()).await
        }
    };
    Box::new(roles(builder).build().unwrap())
}

#[tokio::test]
async fn a_role_in_place_keeps_the_promises() {
    credential_setter::check(&InPlace).await;
}

#[tokio::test]
async fn roles_that_take_turns_keep_the_promises() {
    credential_setter::check(&InTurn).await;
}
