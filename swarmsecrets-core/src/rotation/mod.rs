//! The rotation machine. It does nothing itself: it says what is to be done next and is told how it went.
//!
//! [`Rotation::poll`] gives out an action, a time to wait for, or the end; [`Rotation::handle`] takes the reply in. Time is
//! an argument of both. Everything that a rotation has done is an [`Event`](crate::journal::Event), and its state is the
//! fold of its events, so that a rotation that is read back from its journal goes on where it was.

mod action;
mod consumers;
mod credentials;
mod hand;
#[cfg(test)]
mod hand_tests;
mod machine;
mod next;
mod prepare;
mod probes;
mod providers;
mod report;
mod resumed;
mod retire;
mod route;
mod stacks;
mod state;
mod undo;
mod verdict;

#[cfg(test)]
mod diagram_tests;
#[cfg(test)]
mod machine_tests;
#[cfg(test)]
mod mini_stage;
#[cfg(test)]
mod mini_world;
#[cfg(test)]
mod others_tests;
#[cfg(test)]
mod password_tests;
#[cfg(test)]
mod probes_tests;
#[cfg(test)]
mod providers_tests;

pub use self::action::{Action, ActionId, Answer, Change, FoundVersion, Login, Look, Reply, StackSource, Which};
pub use self::machine::{Poll, Rotation};
pub use self::report::{ConsumerReport, Outcome, Report, SecretReport, StackReport};
pub use self::state::{Created, Ending, Old, Progress, Stage, State, Versions};
pub use self::verdict::{Expected, Verdict, judge};
