//! The webhook approver against a receiver of its own, over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions that it calls"
)]

mod receiver;
mod refused;

use std::sync::Arc;

use swarmsecrets_testkit::conformance::approver;

use self::receiver::Receiver;

#[tokio::test]
async fn a_receiver_that_is_polled_keeps_its_promises() {
    approver::check(&Receiver::start(false).await).await;
}

#[tokio::test]
async fn a_receiver_that_sends_by_itself_keeps_its_promises() {
    let receiver: Arc<Receiver> = Arc::new(Receiver::start(true).await);
    approver::check(&*receiver).await;
}
