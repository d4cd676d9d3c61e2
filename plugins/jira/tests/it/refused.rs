//! Issues that were changed, a search that lags behind, and a Jira that does not let us in.

use swarmsecrets_core::approval::{Approver, ChangeRequest};
use swarmsecrets_core::{ErrorKind, SecretValue};
use swarmsecrets_jira::JiraApprover;
use swarmsecrets_testkit::conformance::approver::{Stage, sample_request};

use crate::cloud::Cloud;

async fn known(cloud: &Cloud) -> ChangeRequest {
    let request = sample_request().await;
    cloud.open().request(&request).await.unwrap();
    request
}

fn set_text(cloud: &Cloud, text: &str) {
    let mut board = cloud.board();
    let ticket = board.tickets.get_mut("OPS-1").unwrap();
    ticket.fields["description"]["content"][0]["content"][0]["text"] = text.into();
}

#[tokio::test]
async fn an_issue_says_what_was_asked_for_and_what_the_policy_maps() {
    let cloud = Cloud::start().await;
    let request = known(&cloud).await;
    let board = cloud.board();
    let fields = &board.tickets["OPS-1"].fields;
    let text = fields["description"]["content"][0]["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("change request {}\n", request.digest())), "{text}");
    assert_eq!(fields["customfield_10010"], request.risk.level.word());
}

#[tokio::test]
async fn an_issue_that_does_not_say_what_was_asked_for_is_refused() {
    let cloud = Cloud::start().await;
    let request = known(&cloud).await;
    cloud.edits(&request, "5b10:alice", "status", "Approved");
    let asked = request.text();
    for (changed, words) in [
        (asked.replace("asked by", "asked BY"), "does not say any more what was asked for"),
        ("change request 12\n".to_owned(), "does not begin with the digest"),
    ] {
        set_text(&cloud, &changed);
        let error = cloud.open().decisions(&request).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Denied && error.to_string().contains(words), "{error}");
    }
    // One that names another request is told with that digest, and judged.
    set_text(&cloud, &asked.replace(request.digest().as_str(), &"0".repeat(64)));
    assert_eq!(cloud.open().decisions(&request).await.unwrap()[0].request().as_str(), "0".repeat(64));
    set_text(&cloud, &asked);
    assert_eq!(cloud.open().decisions(&request).await.unwrap().len(), 1);
    cloud.edits(&request, "5b10:mallory", "description", "text and back");
    let error = cloud.open().decisions(&request).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("was edited"), "{error}");
}

#[tokio::test]
async fn a_search_that_lags_makes_no_second_issue_in_one_process() {
    let cloud = Cloud::start().await;
    let (approver, request) = (cloud.approver("made-up-token"), sample_request().await);
    cloud.board().search_lags = true;
    approver.request(&request).await.unwrap();
    approver.request(&request).await.unwrap();
    assert_eq!(cloud.told(&request).await, 1);
    cloud.edits(&request, "5b10:alice", "status", "Approved");
    assert_eq!(approver.decisions(&request).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_jira_that_lets_nobody_in_is_an_error_without_token_or_its_words() {
    let (cloud, request) = (Cloud::start().await, sample_request().await);
    let approver = cloud.approver("made-up-wrong-token");
    for error in [approver.request(&request).await.unwrap_err(), approver.decisions(&request).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(!format!("{error} {error:?}").contains("made-up"), "{error:?}");
    }
}

#[test]
fn settings_are_checked() {
    let token = || SecretValue::new(b"made-up-token".to_vec()).unwrap();
    let of =
        |url: &str, project: &str| JiraApprover::builder(url, "bot", token(), project).approved(&["Approved".into()]);
    for builder in [
        of("http://jira.example.org", "OPS"),
        of("https://jira.example.org", "OPS\" OR \"A"),
        of("https://jira.example.org", ""),
        of("https://jira.example.org", "OPS").issue_type(" "),
        of("https://jira.example.org", "OPS").approved(&[]),
    ] {
        let Err(error) = builder.build() else { panic!("was built") };
        assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
    }
}
