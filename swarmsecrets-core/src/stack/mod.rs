//! Compose text: which Swarm secrets it names, and edits that keep its layout.
//!
//! - `compose`: the part of the file that declares secrets. `interpolation`: its variables.
//! - [`references`]: the names that Swarm knows. [`rename`]: what to change so that another one is named.

mod compose;
mod interpolation;
mod references;
mod rename;
#[cfg(test)]
mod rename_tests;
mod text;

pub use self::references::{StackReference, references};
pub use self::rename::{StackEdit, rename};
pub use self::text::{ComposeText, Variables};
