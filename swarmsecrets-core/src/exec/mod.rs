//! Running a command in a service's container: a capability, handed to plugins that need it.
//!
//! An exec is a mutation: it needs leave, and stands in the audit trail. So a plugin has no way of its own to do it; it
//! is handed an [`Exec`] by whoever holds the leave, and that is the executor.

mod capability;
mod containers;

pub use self::capability::{Exec, MAX_COMMAND_BYTES, NoExec, check_command};
pub(crate) use self::containers::container_of;
pub use self::containers::{ContainerExec, Leave};
