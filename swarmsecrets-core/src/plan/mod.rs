//! From a request and the usage graph to an ordered plan with preconditions, a diff and a digest. Pure.

mod create;
mod diff;
mod document;
mod estimate;
mod judge;
mod naming;
mod order;
mod probes;
mod recover;
mod refuse;
mod request;
mod rotate;
mod seal;
mod stale;
mod steps;
mod warnings;

pub use self::create::plan_create;
pub(crate) use self::diff::counted;
pub use self::diff::{Diff, DiffLine, Mark, humane};
pub use self::document::{
    Content, NextVersion, PlanKind, PlannedConsumer, PlannedMount, PlannedSecret, PlannedStack, Precondition, SCHEMA,
    Step, StepKind, Undo, VersionRef, Warning, WarningKind,
};
pub(crate) use self::judge::{acts, decide_now};
pub use self::recover::{Recovered, recover, visible_rotations};
pub use self::request::{
    Allowances, Canary, CreateRequest, Probed, Rollout, RotationRequest, Strategy, Timing, ValueRecipe,
};
pub use self::rotate::plan_rotation;
pub use self::seal::Plan;
pub use self::stale::Moved;
pub(crate) use self::stale::made_by;
