//! SimSwarm, the test gateway, and the conformance suites of the plugin traits.
//!
//! ```
//! use swarmsecrets_testkit::SimSwarm;
//! use swarmsecrets_testkit::portainer::Grant;
//! use swarmsecrets_testkit::sim::{ServiceBuilder, SimEngine};
//!
//! # fn main() -> swarmsecrets_core::Result<()> {
//! // The demo: a shop with two teams and a scoped account. Or a world of one's own:
//! let engine = SimEngine::builder(7)
//!     .secret("pay_key", b"made-up")
//!     .service(ServiceBuilder::new("pay", "pay:1").secret("pay_key"))
//!     .build();
//! let swarm = SimSwarm::of(engine, Default::default());
//! let team = {
//!     let mut accounts = swarm.portainer().state();
//!     let agent = accounts.add_user("svc-agent", false);
//!     let team = accounts.add_team("payments");
//!     accounts.add_membership(agent, team, false);
//!     team
//! };
//! swarm.own_secret("pay_key", &Grant::team(team))?;
//! let transport = swarm.client_as("svc-agent")?; // a `Transport`; `swarm.client()` is the administrator's
//! let clock = swarm.clock(); // virtual time: sleeping on it moves the world on
//! # let _ = (transport, clock);
//! # Ok(())
//! # }
//! ```
//!
//! What stands where: [`sim`] is the Engine, [`portainer`] the rules before it, [`SimSwarm`] the two together;
//! [`gateway`] serves the rules over HTTP, also before a real Engine; [`faults`] breaks what goes there;
//! [`credential`] is a system that holds passwords;
//! [`conformance`] holds the suites.

pub mod conformance;
pub mod credential;
pub mod demo;
pub mod engine;
pub mod faults;
mod forgotten;
pub mod gateway;
mod git_server;
pub mod portainer;
pub mod schedule;
pub mod sim;
mod swarm;
pub mod values;

pub use self::forgotten::Forgotten;
pub use self::git_server::GitServer;
pub use self::swarm::SimSwarm;
