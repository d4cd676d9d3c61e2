//! The suite of all setters, for a server with an ACL file and for one without.

use std::net::SocketAddr;

use async_trait::async_trait;
use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::CredentialSetter;
use swarmsecrets_testkit::conformance::credential_setter::{self, Stage, Trouble};
use swarmsecrets_testkit::credential::wire_that_loses_the_answer_to;

use crate::place::{Place, password};

#[async_trait]
impl Stage for Place {
    async fn user(&self, name: &str, value: &SecretValue) -> SecretValue {
        Place::user(*self, name, &[b"on", &password(value)]).await;
        value.clone()
    }

    async fn setter(&self, name: &str, trouble: Trouble) -> Box<dyn CredentialSetter> {
        let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
        let wrong = SecretValue::new(b"made-up-wrong-password".to_vec()).unwrap();
        let builder = match trouble {
            Trouble::None => self.setter_at(self.address()).await,
            Trouble::WrongAdmin => self.setter_at(self.address()).await.administrator("rotator", wrong),
            Trouble::Down => self.setter_at(nowhere).await,
            Trouble::LostAnswer(_) => {
                self.setter_at(wire_that_loses_the_answer_to(b"SETUSER", self.address()).await.unwrap()).await
            }
        };
        Box::new(builder.user(name).build().unwrap())
    }

    fn value(&self, _name: &str, password: &SecretValue) -> SecretValue {
        password.clone()
    }

    fn odd_names(&self) -> Vec<&'static str> {
        vec!["x'\"", "back\\slash", ">resetpass", "+@all", "ünï-Ω", "$1", "#"]
    }
}

#[tokio::test]
async fn redis_with_an_acl_file_keeps_the_promises() {
    credential_setter::check(&Place::WithAclFile).await;
}

#[tokio::test]
async fn redis_without_an_acl_file_keeps_the_promises() {
    credential_setter::check(&Place::WithConfigFile).await;
}
