//! Guardrails: what may be done, decided before anything is sent.

mod decision;
mod permit;

pub use self::decision::{Decision, Gate, Subject, Word, builtin};
pub use self::permit::{Direction, Permit};
