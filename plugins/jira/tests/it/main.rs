//! The Jira approver against a double of Jira Cloud's REST API.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod cloud;
mod refused;

use swarmsecrets_testkit::conformance::approver;

use self::cloud::Cloud;

#[tokio::test]
async fn issues_keep_their_promises() {
    approver::check(&Cloud::start().await).await;
}
