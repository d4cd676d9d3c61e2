//! What PostgreSQL's roles bring along.

use swarmsecrets_core::credential::{CredentialSetter, Login};
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
async fn a_superusers_password_is_not_for_the_administrator_to_change() {
    place::run("CREATE ROLE super SUPERUSER LOGIN PASSWORD 'made-up-super'").await;
    let setter = place::setter_at(place::address()).await.user("super").build().unwrap();
    let error = setter.set(&rotation(), &value("made-up-super"), &value("made-up-super-next")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert!(matches!(setter.verify(&value("made-up-super")).await, Login::Works));
}

#[tokio::test]
async fn a_password_that_clients_disagree_about_is_refused_and_nothing_changes() {
    place::run("CREATE ROLE picky LOGIN PASSWORD 'made-up-picky'").await;
    let setter = place::setter_at(place::address()).await.user("picky").build().unwrap();
    for odd in ["made-up-picky-🔑", "made-up-picky-next\n"] {
        let error = setter.set(&rotation(), &value("made-up-picky"), &value(odd)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert!(matches!(setter.verify(&value("made-up-picky")).await, Login::Works));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_no_refusal_of_the_password() {
    place::run("CREATE ROLE lost LOGIN PASSWORD 'made-up-lost'").await;
    let setter = place::setter_at(place::address()).await.user("lost").database("nowhere").build().unwrap();
    let Login::Unclear(error) = setter.verify(&value("made-up-lost")).await else { panic!("a clear answer") };
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

/// libpq computes the answer to the server's challenge by itself: a second opinion on the verifier.
#[tokio::test]
async fn libpq_logs_in_with_what_was_set() {
    place::run("CREATE ROLE second LOGIN PASSWORD 'made-up-second-old'").await;
    let setter = place::setter_at(place::address()).await.user("second").build().unwrap();
    let odd = "made-up \u{2126}\u{aa}\u{212b} 'ünï' \\";
    setter.set(&rotation(), &value("made-up-second-old"), &value(odd)).await.unwrap();
    let psql = |password: &str| {
        let mut psql = std::process::Command::new("psql");
        psql.args(["--no-psqlrc", "--host=127.0.0.1", "--username=second", "--dbname=postgres", "--command=SELECT 1"]);
        psql.arg(format!("--port={}", place::address().port())).env("PGPASSWORD", password);
        psql.env("PGCLIENTENCODING", "UTF8").output().unwrap().status.success()
    };
    assert!(psql(odd));
    assert!(!psql("made-up-second-old"));
}
