//! A system that holds passwords, and what stands between a setter and a real one.
//!
//! - [`FakeCredential`]: such a system in memory, which fails where a test wants it to.
//! - [`wire_that_loses_the_answer_to`]: stands before a real server, and loses its answer where a test wants it to.

mod fake;
mod state;
mod wire;

pub use self::fake::{FakeCredential, Fault, Step};
pub use self::wire::wire_that_loses_the_answer_to;
