//! What a program holds to see, plan and change the secrets of a Swarm: a way to Portainer, records, policies, and what rotations need
//! beside these, in one object.
//!
//! [`ReadOnlyClient`] reads, plans and asks people. It has no method that changes a Swarm, and gives away nothing that could: a program
//! that is only to look holds that one. [`Client`] is one that also carries out, and holds every plan against the policies in force.
//!
//! ```compile_fail
//! # use swarmsecrets_client::{Order, ReadOnlyClient};
//! # use swarmsecrets_core::executor::Values;
//! # use swarmsecrets_core::plan::Plan;
//! async fn change(client: &ReadOnlyClient, plan: &Plan, order: &Order<'_>) {
//!     client.apply(plan, Values::none(), order).await; // there is no such method
//! }
//! ```
//!
//! `policies`: those in force · `wanted`: a change that is asked for · `question`: what policies are asked · `equipment`: what a client is
//! made of · `read_only` · `client` · `told`: what happens meanwhile · `operations`: what can be done, here or behind a server

mod client;
mod equipment;
mod operations;
mod policies;
mod question;
mod read_only;
mod told;
mod wanted;

pub use self::client::{Client, Order};
pub use self::equipment::Equipment;
pub use self::operations::{Change, Operations, Seen};
pub use self::policies::Policies;
pub use self::question::{Listed, Part, Question, Said, listed};
pub use self::read_only::ReadOnlyClient;
pub use self::told::Told;
pub use self::wanted::{Wanted, WantedFirst, Way};
