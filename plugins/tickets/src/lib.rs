//! What approvers have alike that reach people through a web service.
//!
//! - [`Service`]: a client that sends a credential to one origin, follows no redirect, reads no more than so much, and ends in time.
//! - [`ticket_text`] and [`digest_of`]: a change request as the text of a ticket, and the digest as the ticket has it.
//! - [`fill`]: fields of a ticket that the policy maps.

mod client;
mod ticket;

pub use self::client::{Answer, Call, Credential, Method, Service, ServiceBuilder};
pub use self::ticket::{check_text, digest_of, fill, summary, ticket_text};
