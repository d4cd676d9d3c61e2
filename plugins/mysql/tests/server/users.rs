//! What MariaDB's users bring along.

use swarmsecrets_core::credential::{CredentialSetter as _, Login};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_testkit::values;

use crate::place;

fn value(text: &str) -> SecretValue {
    values::record(text.as_bytes());
    SecretValue::new(text.as_bytes().to_vec()).unwrap()
}

fn rotation() -> RotationId {
    RotationId::from_random([7; 10])
}

#[tokio::test]
async fn a_user_of_another_plugin_is_refused_and_stays_as_it_is() {
    place::run("CREATE USER mixed IDENTIFIED VIA mysql_native_password USING PASSWORD('made-up-mixed') OR unix_socket")
        .await;
    let setter = place::setter_at(place::address()).await.user("mixed", "%").build().unwrap();
    let (current, next) = (value("made-up-mixed"), value("made-up-mixed-next"));
    for result in [
        setter.set(&rotation(), &current, &next).await,
        setter.revoke(&rotation(), &current).await,
        setter.undo(&rotation(), &current).await,
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(error.message().contains("mysql_native_password"), "{error}");
    }
    assert!(matches!(setter.verify(&current).await, Login::Works));
}

#[tokio::test]
async fn what_else_the_user_is_stays() {
    place::run(
        "CREATE USER kept IDENTIFIED BY 'made-up-kept' WITH MAX_USER_CONNECTIONS 7; GRANT SELECT ON mysql.help_topic TO kept",
    )
    .await;
    let setter = place::setter_at(place::address()).await.user("kept", "%").build().unwrap();
    setter.set(&rotation(), &value("made-up-kept"), &value("made-up-kept-next")).await.unwrap();
    setter.revoke(&rotation(), &value("made-up-kept")).await.unwrap();
    // Fails where a limit or a grant is gone.
    place::run(
        "BEGIN NOT ATOMIC \
         IF (SELECT COUNT(*) FROM mysql.user WHERE User = 'kept' AND max_user_connections = 7) <> 1 \
         OR (SELECT COUNT(*) FROM mysql.tables_priv WHERE User = 'kept') <> 1 \
         THEN SIGNAL SQLSTATE '45000'; END IF; END",
    )
    .await;
}

#[tokio::test]
async fn an_administrator_who_may_not_look_is_told_what_it_needs() {
    place::run("CREATE USER blind IDENTIFIED BY 'made-up-blind'; GRANT CREATE USER ON *.* TO blind").await;
    place::run("CREATE USER unseen IDENTIFIED BY 'made-up-unseen'").await;
    let setter = place::setter_at(place::address()).await.administrator("blind", value("made-up-blind"));
    let setter = setter.user("unseen", "%").build().unwrap();
    let error = setter.set(&rotation(), &value("made-up-unseen"), &value("made-up-next")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert!(error.message().contains("mysql.global_priv"), "{error}");
}

#[tokio::test]
async fn a_locked_user_is_refused() {
    place::run("CREATE USER locked IDENTIFIED BY 'made-up-locked' ACCOUNT LOCK").await;
    let setter = place::setter_at(place::address()).await.user("locked", "%").build().unwrap();
    assert!(matches!(setter.verify(&value("made-up-locked")).await, Login::Refused));
}
