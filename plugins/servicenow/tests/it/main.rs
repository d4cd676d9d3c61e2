//! The ServiceNow approver against a double of the Table API.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod instance;
mod refused;

use swarmsecrets_testkit::conformance::approver;

use self::instance::Instance;

#[tokio::test]
async fn change_requests_keep_their_promises() {
    approver::check(&Instance::start().await).await;
}
