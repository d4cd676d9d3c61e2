//! Engine and Portainer JSON as types.
//!
//! All of them borrow from the answer ([`Text`]), ignore fields that are not known, and take `null` for an empty list. None
//! is ever written back: a service's spec is edited as the text that it is ([`SpecText`]).

mod cluster;
mod container;
mod facts;
mod labels;
mod ownership;
mod portainer;
mod secret;
mod service;
mod service_spec;
mod spec;
mod state;
mod task;
mod text;
mod unreadable;

pub use self::cluster::{Actor, Event, Node, NodeDescription, NodeSpec, NodeStatus, Swarm, SwarmSpec, read_events};
pub use self::container::{Container, ExecCreated, ExecState};
pub use self::facts::{FailureAction, SecretReference, ServiceMode, UpdateConfig, UpdateStatus};
pub use self::labels::Labels;
pub use self::ownership::{Created, Portainer, ResourceControl, TeamAccess, UserAccess};
pub use self::portainer::{Environment, GitConfig, Membership, Stack, StackFile, StackVariable, Team, User};
pub use self::secret::{Driver, Secret, SecretSpec};
pub use self::service::{Service, UpdateStatusText, Version};
pub use self::service_spec::ServiceSpec;
pub use self::spec::{EnvVariable, SpecText, spec_digest};
pub(crate) use self::spec::{first_oversized, places};
pub(crate) use self::state::id as id_of;
pub use self::state::{ServiceState, TaskState, parse_tasks};
pub use self::task::{Task, TaskStatus, is_terminal};
pub use self::text::{Text, TextMap};
pub use self::unreadable::{for_each, read, read_list};
