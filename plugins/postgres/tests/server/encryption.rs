//! Encrypted connections.

use swarmsecrets_core::credential::{CredentialSetter as _, Encryption, Login};
use swarmsecrets_core::{ErrorKind, SecretValue};

use crate::place;

#[tokio::test]
async fn a_certificate_is_checked() {
    place::run("CREATE ROLE encrypted LOGIN PASSWORD 'made-up-encrypted'").await;
    let value = SecretValue::new(b"made-up-encrypted".to_vec()).unwrap();
    let authority = std::fs::read(place::told("_AUTHORITY")).unwrap();
    let settings =
        || async { place::setter_at(place::address()).await.user("encrypted").encryption(Encryption::Always) };

    let trusting = settings().await.certificate_authority(authority).build().unwrap();
    let login = trusting.verify(&value).await;
    assert!(matches!(login, Login::Works), "{login:?}");

    let Login::Unclear(error) = settings().await.build().unwrap().verify(&value).await else {
        panic!("a certificate of an unknown authority was taken")
    };
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.message().contains("certificate"), "{error}");
}
