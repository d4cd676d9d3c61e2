//! The demo world: a small shop, on which the command can be tried without a Portainer.
//!
//! It holds one of each thing that matters: nginx with a key, a certificate and a templated config, WordPress and MySQL
//! that share a password through `_FILE` variables, a Redis with a health check, an agent on every node, a service on
//! Windows with a target path of its own, two teams and an account that sees one of them, a password in plain text in an
//! environment variable, stacks of every kind (of Portainer's, from git, from the command line, stopped), a secret that
//! agents keep their hands off, a critical one, an unused one and an overdue one.
//!
//! [`DemoWorld`] is plain data beside the Engine: what Portainer knows on top of it.

mod files;
mod people;
mod shop;

pub use people::{Access, DemoTeam, DemoUser, Owned, OwnedKind};
pub use shop::{DEMO_REFUSED_VALUE, DemoStack, DemoStackKind, DemoWorld};
