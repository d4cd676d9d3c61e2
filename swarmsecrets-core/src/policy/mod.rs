//! Guardrails: what may be done, decided before anything is sent.
//!
//! [`Policy`] is the operator's file. It judges an [`Act`], which is what somebody wants to do to one logical secret; what comes
//! of it is a [`Decision`]. The [`Gate`] of a plan gives a [`Permit`] for each mutation, if the decision, the key holder's word
//! and the [`Hours`] let it. What is
//! begun is counted by its [`Limit`]s, in [`Counters`], and which values secrets have had is kept as [`PastValues`].

mod approvals;
mod audit;
mod counters;
mod decision;
mod document;
mod due;
mod file;
mod guard;
mod hours;
mod ledger;
mod limits;
#[cfg(test)]
mod limits_tests;
mod parse;
mod past;
mod permit;
mod selector;
mod systems;
#[cfg(test)]
mod test_zones;
#[cfg(test)]
mod tests;
mod values;
#[cfg(test)]
mod values_tests;
mod words;

pub use self::approvals::{Approvals, LONGEST_VALID, USUALLY_VALID};
pub use self::audit::{AuditSettings, SinkSettings, audit_in_force};
pub use self::counters::{Beginning, Counters, Held, MemoryCounters};
pub use self::decision::{Decision, Gate, Subject, Word, builtin};
pub use self::document::{Action, OnKill, SinkKind};
pub use self::due::{Due, all_due, due};
pub use self::file::{Hours, Judgement, KillSwitches, Policy, Ruling};
pub(crate) use self::guard::SwarmLabels;
pub use self::guard::{Equipment, Guard, KillSwitch, in_force};
pub use self::ledger::Ledger;
pub use self::limits::{Limit, Rate, Tally};
pub use self::past::{KnownValue, LONGEST_HISTORY, MemoryPast, Past, PastValues, ValuesOf};
pub use self::permit::{Direction, Permit};
pub use self::selector::Act;
pub(crate) use self::systems::is_system_name;
pub use self::systems::{FACTS, Server, System, SystemKind};
pub use self::words::{LONGEST_WORD_LIST, WordList, WordLists};
