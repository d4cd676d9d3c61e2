//! Guardrails: what may be done, decided before anything is sent.
//!
//! [`Policy`] is the operator's file. It judges an [`Act`], which is what somebody wants to do to one logical secret; what comes
//! of it is a [`Decision`]. The [`Gate`] of a plan gives a [`Permit`] for each mutation, if the decision, the key holder's word
//! and the [`Hours`] let it.

mod approvals;
mod decision;
mod document;
mod file;
mod guard;
mod hours;
mod parse;
mod permit;
mod selector;
mod systems;
#[cfg(test)]
mod test_zones;
#[cfg(test)]
mod tests;
mod values;

pub use self::approvals::{Approvals, LONGEST_VALID, USUALLY_VALID};
pub use self::decision::{Decision, Gate, Subject, Word, builtin};
pub use self::document::{Action, OnKill};
pub use self::file::{Hours, Judgement, KillFile, Policy, Ruling};
pub use self::guard::{Guard, KillSwitch, in_force};
pub use self::permit::{Direction, Permit};
pub use self::selector::Act;
pub(crate) use self::systems::is_system_name;
pub use self::systems::{FACTS, Server, System, SystemKind};
