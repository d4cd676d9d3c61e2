//! Approvals by webhook: change requests out, decisions back, both signed as [Standard Webhooks](https://www.standardwebhooks.com) has it.
//!
//! **Out**: `POST` of the request's JSON to the URL. `webhook-id` and `idempotency-key` are the request's digest: the receiver tells
//! people of each once. `webhook-timestamp` is the time in seconds, and `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 over
//! `ID.TIMESTAMP.BODY`, with the secret as key. Any 2xx says that the request is known.
//!
//! **Back**: polled by `GET ANSWERS/DIGEST`, signed in the same way with an empty body, or sent by the receiver, which the program
//! that embeds this hands to [`WebhookApprover::receive`]. Either is a document like
//!
//! ```json
//! {"schema": 1, "decisions": [
//!   {"signed": {"schema": 1, "request": "…", "decision": "approve", "approver": "alice", "key": "…", "at": "…", "comment": null, "signature": "…"}},
//!   {"read_back": {"request": "…", "decision": "approve", "account": "U024BE7LH", "at": "2026-05-07T12:05:00Z", "reference": "message 17"}}
//! ]}
//! ```
//!
//! with `webhook-timestamp` and `webhook-signature` of the receiver's, by the same secret; `webhook-id` is the digest. One that is older than
//! five minutes is refused. A poll that is answered with 404 or 204 says that nobody has decided.
//!
//! Whoever has the secret can make decisions that are read back: where an agent could read it, let people sign.

mod approver;
mod document;
mod signature;

pub use self::approver::{WebhookApprover, WebhookBuilder};
pub use self::signature::{Headers, Secret};
