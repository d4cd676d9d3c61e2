//! Encrypted connections.

use std::net::SocketAddr;

use swarmsecrets_core::credential::{CredentialSetter as _, Encryption, Login};
use swarmsecrets_core::{ErrorKind, SecretValue};

use crate::place::{Place, password};

#[tokio::test]
async fn a_certificate_is_checked() {
    let place = Place::WithAclFile;
    let value = SecretValue::new(b"made-up-encrypted".to_vec()).unwrap();
    place.user("encrypted", &[b"on", &password(&value)]).await;
    let encrypted: SocketAddr = place.told("_TLS").parse().unwrap();
    let authority = std::fs::read(place.told("_AUTHORITY")).unwrap();
    let settings = async || place.setter_at(encrypted).await.user("encrypted").encryption(Encryption::Always);

    let login = settings().await.certificate_authority(authority).build().unwrap().verify(&value).await;
    assert!(matches!(login, Login::Works), "{login:?}");

    let Login::Unclear(error) = settings().await.build().unwrap().verify(&value).await else {
        panic!("a certificate of an unknown authority was taken")
    };
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.message().contains("certificate"), "{error}");
}
