//! Secret values from a random source that is handed in.
//!
//! - [`Random`]: where the bytes come from; the core has no source of its own.
//! - [`GenerateSpec`]: how long a value is and what it is made of, written as `length=32,alphabet=alnum`.

mod alphabet;
mod sample;
mod spec;

pub use self::alphabet::Alphabet;
pub use self::sample::Random;
pub use self::spec::GenerateSpec;
