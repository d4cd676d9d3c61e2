//! Approvals: what is asked for, what people say to it, and whether that is enough. Pure.
//!
//! - [`Draft`] becomes a [`ChangeRequest`]: a plan, who asks for it and why, and all that an approval of it is bound to.
//! - [`SignedDecision`]: what one approver says to one request, signed with a [`SigningKey`](crate::keys::SigningKey). A [`Keyring`](crate::keys::Keyring) says whose key it is.
//! - [`ReadBack`]: what a system that the policy names, such as a ticket system, has recorded; with the former, [`Given`].
//! - [`judge`] holds the decisions against the request and against the world as it is, and gives [`Approved`] or a [`Refusal`].
//! - [`Approver`] carries requests to people and decisions back, [`Approvers`] are several; [`Nonces`] sees that an approval is used once.
//!
//! A request and a decision are documents that anybody can write: only the signatures in the decisions are believed, and
//! only those of keys that the keyring knows; and what is read back, from systems whose accounts the keyring knows. A decision covers the request's digest, and so the plan, the value, the
//! policy, the Swarm and the time.

mod approver;
mod approvers;
mod blast;
mod decision;
pub(crate) mod encoding;
mod given;
mod judge;
mod refusal;
mod request;
mod text;

#[cfg(test)]
mod example;
#[cfg(test)]
mod judge_tests;
#[cfg(test)]
mod read_back_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod tamper_tests;

pub use self::approver::{Approver, Nonces};
pub use self::approvers::Approvers;
pub use self::blast::{BlastRadius, Risk, RiskLevel};
pub use self::decision::{SignedDecision, Verdict};
pub use self::given::{Given, ReadBack};
pub use self::judge::{Approved, Judging, judge};
pub use self::refusal::Refusal;
pub use self::request::{Asked, ChangeRequest, Draft, Requester, Window};
pub use crate::policy::{LONGEST_VALID, USUALLY_VALID};

/// The version of the format of both documents.
const SCHEMA: u32 = 1;
