//! Portainer's database: accounts, resource controls, stacks. Saved beside the simulated Engine's world.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::accounts::{Credential, Membership, Team, User};
use super::control::{ControlKind, Grant, ResourceControl};
use super::stacks::{Commit, Stack};

/// The one environment that the layer serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The users that are let in, beside the administrators.
    pub users: Vec<u64>,
    /// The teams that are let in.
    pub teams: Vec<u64>,
}

/// An inbound webhook: it restarts a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Webhook {
    pub(super) id: u64,
    pub(super) token: String,
    pub(super) resource_id: String,
    pub(super) endpoint_id: u64,
    pub(super) registry_id: u64,
    #[serde(rename = "Type")]
    pub(super) kind: u8,
}

/// All that Portainer keeps. It holds no value of a secret, and credentials as digests only.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub(super) environment: Environment,
    pub(super) users: Vec<User>,
    pub(super) teams: Vec<Team>,
    pub(super) memberships: Vec<Membership>,
    pub(super) keys: Vec<Credential>,
    pub(super) passwords: Vec<Credential>,
    #[serde(skip)]
    pub(super) sessions: Vec<Credential>,
    pub(super) controls: Vec<ResourceControl>,
    pub(super) last_control: u64,
    pub(super) stacks: Vec<Stack>,
    pub(super) last_stack: u64,
    pub(super) last_job: u64,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) repositories: BTreeMap<String, Commit>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            environment: Environment { id: 1, name: "primary".into(), users: Vec::new(), teams: Vec::new() },
            users: Vec::new(),
            teams: Vec::new(),
            memberships: Vec::new(),
            keys: Vec::new(),
            passwords: Vec::new(),
            sessions: Vec::new(),
            controls: Vec::new(),
            last_control: 0,
            stacks: Vec::new(),
            last_stack: 0,
            last_job: 0,
            webhooks: Vec::new(),
            repositories: BTreeMap::new(),
        }
    }
}

impl State {
    /// The control of an object itself, without what it inherits.
    #[must_use]
    pub fn control_of(&self, kind: ControlKind, resource: &str) -> Option<&ResourceControl> {
        self.controls.iter().find(|c| c.kind == kind && c.resource_id == resource)
    }

    /// Gives an object to somebody, as a person would do before the story begins. Gives the control's number.
    pub fn own(&mut self, kind: ControlKind, resource: &str, grant: &Grant) -> u64 {
        if let Some(control) = self.controls.iter_mut().find(|c| c.kind == kind && c.resource_id == resource) {
            control.set(grant);
            return control.id;
        }
        self.last_control += 1;
        self.controls.push(ResourceControl::new(self.last_control, resource, kind, grant));
        self.last_control
    }

    /// Numbers the next new control and the next new stack, to go on where an earlier story ended.
    pub fn number_from(&mut self, control: u64, stack: u64) {
        self.last_control = control.saturating_sub(1);
        self.last_stack = stack.saturating_sub(1);
    }

    /// Takes a control over as it is, for an object of an earlier story.
    pub fn take_over(&mut self, control: ResourceControl) {
        self.last_control = self.last_control.max(control.id);
        self.controls.retain(|c| c.id != control.id);
        self.controls.push(control);
    }

    /// Gives a stack to somebody, and with it all that it deployed. Gives the control's number.
    pub fn own_stack(&mut self, name: &str, grant: &Grant) -> u64 {
        let resource = self.stack_resource(name);
        self.own(ControlKind::Stack, &resource, grant)
    }

    pub(super) fn disown(&mut self, kind: ControlKind, resource: &str) {
        self.controls.retain(|c| !(c.kind == kind && c.resource_id == resource));
    }

    /// The control of a stack of the environment.
    pub(super) fn control_of_stack(&self, name: &str) -> Option<&ResourceControl> {
        self.control_of(ControlKind::Stack, &self.stack_resource(name))
    }

    pub(super) fn stack_resource(&self, name: &str) -> String {
        format!("{}_{name}", self.environment.id)
    }
}
