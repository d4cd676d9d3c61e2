//! Encrypted connections.

use swarmsecrets_core::credential::{CredentialSetter as _, Encryption, Login};
use swarmsecrets_core::{ErrorKind, SecretValue};

use crate::place;

#[tokio::test]
async fn a_certificate_is_checked() {
    place::run("CREATE USER encrypted IDENTIFIED BY 'made-up-encrypted' REQUIRE SSL").await;
    let value = SecretValue::new(b"made-up-encrypted".to_vec()).unwrap();
    let authority = std::fs::read(place::told("_AUTHORITY")).unwrap();
    let settings = async || place::setter_at(place::address()).await.user("encrypted", "%");
    let encrypted = async || settings().await.encryption(Encryption::Always);

    let login = encrypted().await.certificate_authority(authority).build().unwrap().verify(&value).await;
    assert!(matches!(login, Login::Works), "{login:?}");
    let login = settings().await.build().unwrap().verify(&value).await;
    assert!(matches!(login, Login::Refused), "the connection was encrypted anyway: {login:?}");

    let Login::Unclear(error) = encrypted().await.build().unwrap().verify(&value).await else {
        panic!("a certificate of an unknown authority was taken")
    };
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.message().contains("certificate"), "{error}");
}
