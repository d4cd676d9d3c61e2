//! What survives a restart, and whom Redis lets in.

use swarmsecrets_core::credential::{CredentialSetter as _, Login};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_testkit::values;

use crate::place::{Place, password};

fn value(text: &str) -> SecretValue {
    values::record(text.as_bytes());
    SecretValue::new(text.as_bytes().to_vec()).unwrap()
}

fn rotation() -> RotationId {
    RotationId::from_random([7; 10])
}

/// How many passwords of a user stand in the file that the server reads when it starts.
fn saved(place: Place, user: &str) -> usize {
    let text = std::fs::read_to_string(place.users()).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("user {user} "))).unwrap_or_default().to_owned();
    line.split(' ').filter(|word| word.starts_with('#')).count()
}

#[tokio::test]
async fn each_step_is_saved() {
    for place in [Place::WithAclFile, Place::WithConfigFile] {
        let (old, new) = (value("made-up-saved-old"), value("made-up-saved-new"));
        place.user("saved", &[b"on", &password(&old)]).await;
        let setter = place.setter_at(place.address()).await.user("saved").build().unwrap();
        setter.set(&rotation(), &old, &new).await.unwrap();
        assert_eq!(saved(place, "saved"), 2);
        setter.undo(&rotation(), &old).await.unwrap();
        assert_eq!(saved(place, "saved"), 1);
        setter.set(&rotation(), &old, &new).await.unwrap();
        setter.revoke(&rotation(), &old).await.unwrap();
        assert_eq!(saved(place, "saved"), 1);
    }
}

#[tokio::test]
async fn a_change_that_is_not_saved_is_not_called_done_until_it_is() {
    let place = Place::WithAclFile;
    let (old, new) = (value("made-up-unsaved-old"), value("made-up-unsaved-new"));
    place.user("unsaved", &[b"on", &password(&old)]).await;
    place.user("hasty", &[b"on", b">made-up-hasty", b"+acl|getuser", b"+acl|setuser", b"+config|get"]).await;
    let hasty = place.setter_at(place.address()).await.administrator("hasty", value("made-up-hasty"));
    let hasty = hasty.user("unsaved").build().unwrap();
    let error = hasty.set(&rotation(), &old, &new).await.unwrap_err();
    assert!(error.is_unknown(), "{error}");
    let setter = place.setter_at(place.address()).await.user("unsaved").build().unwrap();
    setter.set(&rotation(), &old, &new).await.unwrap();
    assert_eq!(saved(place, "unsaved"), 2);
}

#[tokio::test]
async fn a_user_who_needs_no_password_is_refused() {
    let place = Place::WithAclFile;
    place.user("open", &[b"on", b"nopass"]).await;
    let setter = place.setter_at(place.address()).await.user("open").build().unwrap();
    let error = setter.set(&rotation(), &value("made-up-open"), &value("made-up-next")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.message().contains("needs no password"), "{error}");
}

#[tokio::test]
async fn an_administrator_who_may_not_is_told_so() {
    let place = Place::WithAclFile;
    place.user("weak", &[b"on", b">made-up-weak", b"+info"]).await;
    let setter = place.setter_at(place.address()).await.administrator("weak", value("made-up-weak"));
    let setter = setter.user("weak").build().unwrap();
    let error = setter.set(&rotation(), &value("made-up-weak"), &value("made-up-next")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
}

#[tokio::test]
async fn a_user_who_is_off_is_refused() {
    let place = Place::WithAclFile;
    place.user("off", &[b"off", b">made-up-off"]).await;
    let setter = place.setter_at(place.address()).await.user("off").build().unwrap();
    assert!(matches!(setter.verify(&value("made-up-off")).await, Login::Refused));
}
