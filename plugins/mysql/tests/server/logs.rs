//! What the server writes down.

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::CredentialSetter as _;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_testkit::values;

use crate::place;

/// The server logs every statement.
#[tokio::test]
async fn no_password_stands_in_the_servers_log() {
    place::run("CREATE USER logged IDENTIFIED BY 'made-up-logged-old'").await;
    let setter = place::setter_at(place::address()).await.user("logged", "%").build().unwrap();
    let value = |text: &str| {
        values::record(text.as_bytes());
        SecretValue::new(text.as_bytes().to_vec()).unwrap()
    };
    let rotation = RotationId::from_random([0xab; 10]);
    setter.set(&rotation, &value("made-up-logged-old"), &value("made-up-logged-new")).await.unwrap();
    setter.revoke(&rotation, &value("made-up-logged-old")).await.unwrap();
    let log = std::fs::read(place::told("_LOG")).unwrap();
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains(rotation.as_str()), "the statements are logged, and say why");
    assert!(!log.contains("made-up-logged-new"), "the new password is in the log");
}
