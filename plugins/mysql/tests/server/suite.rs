//! The suite of all setters.

use std::net::SocketAddr;

use async_trait::async_trait;
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::CredentialSetter;
use swarmsecrets_testkit::conformance::credential_setter::{self, Stage, Trouble};
use swarmsecrets_testkit::credential::wire_that_loses_the_answer_to;
use swarmsecrets_testkit::values;

use crate::place;

struct MariaDb;

#[async_trait]
impl Stage for MariaDb {
    async fn user(&self, name: &str, password: &SecretValue) -> SecretValue {
        place::user(name, std::str::from_utf8(password.expose()).unwrap()).await;
        password.clone()
    }

    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter> {
        let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
        let wrong = SecretValue::new(b"made-up-wrong-password".to_vec()).unwrap();
        let builder = match trouble {
            Trouble::None => place::setter_at(place::address()).await,
            Trouble::WrongAdmin => place::setter_at(place::address()).await.administrator("rotator", wrong),
            Trouble::Down => place::setter_at(nowhere).await,
            Trouble::LostAnswer(_) => {
                place::setter_at(wire_that_loses_the_answer_to(b"ALTER USER", place::address()).await.unwrap()).await
            }
        };
        Box::new(builder.user(name, "%").build().unwrap())
    }

    fn value(&self, _name: &str, password: &SecretValue) -> SecretValue {
        password.clone()
    }

    fn odd_names(&self) -> Vec<&'static str> {
        vec!["x'@'%' IDENTIFIED BY ''; --", "o'brien", "back\\slash\\'", "\"double\"", "`tick`", "Ünï ", "%"]
    }
}

#[tokio::test]
async fn mariadb_keeps_the_promises() {
    credential_setter::check(&MariaDb).await;
}

/// `NO_BACKSLASH_ESCAPES` and `ANSI_QUOTES` change what quotes mean.
#[tokio::test]
async fn the_servers_settings_change_nothing() {
    // The mode of sessions that begin from now on. Those of the other tests begin with it too, which is as good.
    place::run("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'").await;
    let name = "mode\\' OR ''='";
    let password = "made-up \\' mode";
    place::user(name, password).await;
    let setter = place::setter_at(place::address()).await.user(name, "%").build().unwrap();
    let value = |text: &str| {
        values::record(text.as_bytes());
        SecretValue::new(text.as_bytes().to_vec()).unwrap()
    };
    let rotation = swarmsecrets_core::ids::RotationId::from_random([5; 10]);
    setter.set(&rotation, &value(password), &value("made-up \\\\' mode next")).await.unwrap();
    setter.revoke(&rotation, &value(password)).await.unwrap();
}
