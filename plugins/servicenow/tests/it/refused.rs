//! Records that were changed, approvals that others have set, and an instance that does not let us in.

use swarmsecrets_core::ErrorKind;
use swarmsecrets_core::approval::Approver;
use swarmsecrets_testkit::conformance::approver::{Stage, sample_request};

use crate::instance::Instance;

#[tokio::test]
async fn a_record_says_what_was_asked_for_and_what_the_policy_maps() {
    let (instance, request) = (Instance::start().await, sample_request().await);
    instance.open().request(&request).await.unwrap();
    let tables = instance.tables();
    let row = &tables["change_request"][0];
    assert!(row["description"].as_str().unwrap().starts_with(&format!("change request {}\n", request.digest())));
    let mapped = (&row["assignment_group"], &row["u_risk"], &row["correlation_display"]);
    assert_eq!(mapped, (&"Database".into(), &request.risk.level.word().into(), &"swarmsecrets".into()));
}

#[tokio::test]
async fn what_an_administrator_has_set_for_somebody_is_refused() {
    let (instance, request) = (Instance::start().await, sample_request().await);
    instance.open().request(&request).await.unwrap();
    instance.says(&request, "alice.user", "requested", "system");
    assert!(instance.open().decisions(&request).await.unwrap().is_empty());
    instance.says(&request, "alice.user", "approved", "admin");
    let error = instance.open().decisions(&request).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("`admin`"), "{error}");
}

#[tokio::test]
async fn a_record_that_was_changed_is_refused() {
    let (instance, request) = (Instance::start().await, sample_request().await);
    instance.open().request(&request).await.unwrap();
    instance.says(&request, "alice.user", "approved", "alice.user");
    let asked = instance.tables()["change_request"][0]["description"].as_str().unwrap().to_owned();
    let set = |text: String| instance.tables().get_mut("change_request").unwrap()[0]["description"] = text.into();
    for (changed, words) in [
        (asked.replace("asked by", "asked BY"), "does not say any more what was asked for"),
        (String::new(), "does not begin with the digest"),
    ] {
        set(changed);
        let error = instance.open().decisions(&request).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Denied && error.to_string().contains(words), "{error}");
    }
    // One that names another request is told with that digest, and judged.
    set(asked.replace(request.digest().as_str(), &"0".repeat(64)));
    let given = instance.open().decisions(&request).await.unwrap();
    assert_eq!(given[0].request().as_str(), "0".repeat(64));
    // How lines end does not count.
    set(asked.replace('\n', "\r\n"));
    assert_eq!(instance.open().decisions(&request).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_instance_that_lets_nobody_in_is_an_error_without_the_password() {
    let (instance, request) = (Instance::start().await, sample_request().await);
    let approver = instance.approver("made-up-wrong-password");
    for error in [approver.request(&request).await.unwrap_err(), approver.decisions(&request).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(!format!("{error} {error:?}").contains("made-up"), "{error:?}");
    }
}
