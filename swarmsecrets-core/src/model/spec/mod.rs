//! A service's spec stays text: lenses find byte ranges in it and splice them.
//!
//! - `places`: where members and items stand; serde_json does all reading.
//! - [`SpecText`]: what a spec says.
//! - `edit`: what can be changed in it.
//! - `oversized`: the numbers that Portainer rounds.

mod edit;
#[cfg(test)]
mod edit_tests;
mod oversized;
pub(crate) mod places;
mod text;

pub(crate) use self::oversized::first_oversized;
pub use self::text::{EnvVariable, SpecText, spec_digest};
