//! A system that holds passwords, and what stands between a setter and a real one.
//!
//! - [`FakeCredential`]: such a system in memory, which fails where a test wants it to.
//! - [`Wire`]: passes bytes on to a real server, and loses its answer where a test wants it to.

mod fake;
mod state;
mod wire;

pub use self::fake::{FakeCredential, Fault, Step};
pub use self::wire::Wire;
