//! The simulation's faults for the real thing: a seed gives a rotation and what goes wrong in it, and an HTTP proxy before the
//! test gateway (or a Portainer) plays that part of it which happens on the way.
//!
//! Unlike in the simulation, time is real and so is chance on the other side: how many requests a rotation sends depends on how
//! fast the Engine is. A seed decides what is tried, and at which request of its kind each fault waits.

mod proxy;
mod script;

pub use self::proxy::Proxy;
pub use self::script::{Mishap, Point, Script, Served, What};
