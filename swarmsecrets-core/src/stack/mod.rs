//! Compose text: which Swarm secrets it names, edits that keep its layout, and what a deployment of it would change.
//!
//! - `compose`: the part of the file that declares secrets. `interpolation`: its variables. `tree`: all of it.
//! - [`references`]: the names that Swarm knows.
//! - [`rename`]: what to change so that other ones are named; `splice` finds the places, `check` reads the result again,
//!   `patch` shows it.
//! - [`redeploy`]: what a deployment of the file would change in the live services besides.

mod check;
mod compose;
mod interpolation;
mod no_edit;
mod patch;
mod redeploy;
mod references;
mod rename;
#[cfg(test)]
mod rename_tests;
mod splice;
mod text;
mod tree;

pub use self::no_edit::NoEdit;
pub use self::patch::StackPath;
pub use self::redeploy::{CannotTell, Difference, Live, Shown, redeploy};
pub use self::references::{StackReference, references};
pub use self::rename::{StackEdit, rename};
pub use self::text::{ComposeText, Variables};
