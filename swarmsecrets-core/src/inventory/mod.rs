//! From Engine and Portainer JSON to the usage graph, and the questions that it answers.
//!
//! - [`Snapshot`]: what was read. [`Inventory`]: the graph.
//! - `build`: the walk from the one to the other; `services`, `tasks`, `stacks`, `owners`: its parts.
//! - `naming`, `grouping`: which secrets are versions of the same thing.
//! - `findings`, `rotation_policy`: what is worth saying. `find`: what a name means. `json`: the document. `draw`: the
//!   picture.

mod build;
#[cfg(test)]
mod build_tests;
mod draw;
#[cfg(test)]
mod draw_tests;
mod find;
mod findings;
mod graph;
mod grouping;
#[cfg(test)]
mod grouping_tests;
mod json;
pub mod label;
mod naming;
mod owners;
mod rotation_policy;
mod services;
mod snapshot;
mod stacks;
mod tasks;

pub use self::draw::Format;
pub use self::findings::overdue;
pub use self::graph::{
    Account, Ambiguity, Consumer, Grouping, Inventory, InventoryFinding, InventoryFindingKind, LeavingTask,
    LogicalSecret, MountedSecret, Mounts, NameScheme, Owner, SecretVersion, ServiceNode, StackKind, StackNode,
    StackStatus, TaskSummary, Visibility,
};
pub(crate) use self::naming::stem;
pub(crate) use self::rotation_policy::greatest_age;
pub use self::snapshot::Snapshot;
pub use crate::model::{FailureAction, Labels, SecretReference, ServiceMode, UpdateConfig, UpdateStatus};
pub use crate::stack::StackReference;
