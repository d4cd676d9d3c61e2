//! What the server writes down.

use swarmsecrets_core::SecretValue;
use swarmsecrets_core::credential::CredentialSetter as _;
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_testkit::values;

use crate::place;

/// The server logs every statement.
#[tokio::test]
async fn no_password_stands_in_the_servers_log() {
    place::run("CREATE ROLE logged LOGIN PASSWORD 'made-up-logged-old'").await;
    let setter = place::setter_at(place::address()).await.user("logged").build().unwrap();
    let value = |text: &str| {
        values::record(text.as_bytes());
        SecretValue::new(text.as_bytes().to_vec()).unwrap()
    };
    let rotation = RotationId::from_random([0xab; 10]);
    let (old, new) = (value("made-up-logged-old"), value("made-up-logged-new"));
    setter.set(&rotation, &old, &new).await.unwrap();
    setter.undo(&rotation, &old).await.unwrap();
    let log = std::fs::read_to_string(place::told("_LOG")).unwrap();
    let statements = log.matches("ALTER ROLE \"logged\" PASSWORD 'SCRAM-SHA-256$4096:").count();
    assert_eq!(statements, 2, "the statements are logged");
    assert!(!log.contains("made-up-logged-new"), "the new password is in the log");
}
