//! The requests that deploy, stop and remove stacks.

use serde::Deserialize;

use super::record::{ACTIVE, STOPPED};
use super::{Stack, Variable};
use crate::engine::StackDeployment;
use crate::portainer::accounts::Caller;
use crate::portainer::control::{ControlKind, Grant};
use crate::portainer::exchange::{PortainerRequest, PortainerResponse, bad_payload, payload};
use crate::portainer::{Portainer, State};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewStack {
    name: String,
    #[serde(rename = "swarmID", default)]
    swarm: String,
    stack_file_content: String,
    #[serde(default)]
    env: Option<Vec<Variable>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Edit {
    #[serde(default)]
    stack_file_content: String,
    #[serde(default)]
    env: Option<Vec<Variable>>,
    #[serde(default)]
    prune: bool,
}

impl Portainer {
    pub(super) async fn create_from_text(&self, caller: &Caller, request: &PortainerRequest) -> PortainerResponse {
        let new: NewStack = match payload(request) {
            Ok(new) => new,
            Err(refusal) => return refusal,
        };
        if new.stack_file_content.is_empty() {
            return bad_payload("invalid stack file content");
        }
        match self.begin_stack(caller, request, &new.name, &new.swarm, new.env) {
            Ok(stack) => self.finish_stack(caller, Stack { file: new.stack_file_content, ..stack }).await,
            Err(refusal) => refusal,
        }
    }

    /// Checks what every new stack must satisfy, and takes its number: a creation that fails later has used it up.
    pub(super) fn begin_stack(
        &self,
        caller: &Caller,
        request: &PortainerRequest,
        name: &str,
        swarm: &str,
        env: Option<Vec<Variable>>,
    ) -> Result<Stack, PortainerResponse> {
        if name.is_empty() {
            return Err(bad_payload("invalid stack name"));
        }
        if swarm.is_empty() {
            return Err(bad_payload("invalid Swarm ID"));
        }
        let now = self.seconds();
        let mut state = self.state();
        let environment = entered(&state, caller, request)?;
        if state.stacks.iter().any(|s| s.name == name) {
            let text = format!("A stack with the normalized name '{name}' already exists");
            return Err(PortainerResponse::refused(409, &text, &text));
        }
        state.last_stack += 1;
        let stack = Stack::new(name, swarm, "", now);
        Ok(Stack { id: state.last_stack, environment, env, created_by: caller.name.clone(), ..stack })
    }

    /// Deploys a new stack, keeps it, and gives it to its creator: to administrators, if one of them made it.
    pub(super) async fn finish_stack(&self, caller: &Caller, stack: Stack) -> PortainerResponse {
        if let Err(refusal) = self.deploy(&stack, &stack.file, stack.env.as_deref(), false).await {
            return refusal;
        }
        let mut state = self.state();
        let owner = if caller.admin { Grant::administrators() } else { Grant::private(caller.user) };
        state.own_stack(&stack.name, &owner);
        let answer = PortainerResponse::json(&stack.shown(state.control_of_stack(&stack.name)));
        state.stacks.push(stack);
        answer
    }

    pub(super) async fn put_stack(&self, caller: &Caller, request: &PortainerRequest, id: &str) -> PortainerResponse {
        let stack = match self.stack_to_change(caller, request, id) {
            Ok(stack) => stack,
            Err(refusal) => return refusal,
        };
        let edit: Edit = match payload(request) {
            Ok(edit) => edit,
            Err(refusal) => return refusal,
        };
        if edit.stack_file_content.is_empty() {
            return bad_payload("invalid stack file content");
        }
        if let Err(refusal) = self.deploy(&stack, &edit.stack_file_content, edit.env.as_deref(), edit.prune).await {
            return refusal;
        }
        self.keep_deployed(caller, stack.id, |stack| {
            stack.file = edit.stack_file_content;
            stack.env = edit.env;
            stack.from_app_template |= stack.git_config.is_some();
            stack.git_config = None;
            stack.auto_update = None;
        })
    }

    /// Keeps what was deployed. The answer shows no control, as recorded.
    pub(super) fn keep_deployed(&self, caller: &Caller, id: u64, change: impl FnOnce(&mut Stack)) -> PortainerResponse {
        let now = self.seconds();
        self.change_stack(id, |stack| {
            change(stack);
            stack.status = ACTIVE;
            stack.update_date = now;
            stack.updated_by = caller.name.clone();
        })
    }

    fn change_stack(&self, id: u64, change: impl FnOnce(&mut Stack)) -> PortainerResponse {
        let mut state = self.state();
        let Some(stack) = state.stacks.iter_mut().find(|s| s.id == id) else {
            return PortainerResponse::refused(500, "Unable to persist the stack changes inside the database", "gone");
        };
        change(stack);
        PortainerResponse::json(&stack.shown(None))
    }

    pub(super) async fn stop_stack(&self, caller: &Caller, request: &PortainerRequest, id: &str) -> PortainerResponse {
        let stack = match self.stack_to_change(caller, request, id) {
            Ok(stack) => stack,
            Err(refusal) => return refusal,
        };
        if stack.status == STOPPED {
            let text = "Stack is already inactive";
            return PortainerResponse::refused(400, text, text);
        }
        match self.engine.undeploy(&stack.name).await {
            Ok(()) => self.change_stack(stack.id, |stack| stack.status = STOPPED),
            Err(said) => PortainerResponse::refused(500, "Unable to stop stack", &line(&said)),
        }
    }

    pub(super) async fn start_stack(&self, caller: &Caller, request: &PortainerRequest, id: &str) -> PortainerResponse {
        let stack = match self.stack_to_change(caller, request, id) {
            Ok(stack) => stack,
            Err(refusal) => return refusal,
        };
        if stack.status == ACTIVE {
            let text = "Stack is already active";
            return PortainerResponse::refused(400, text, text);
        }
        match self.deploy(&stack, &stack.file, stack.env.as_deref(), true).await {
            Ok(()) => self.change_stack(stack.id, |stack| stack.status = ACTIVE),
            Err(refusal) => refusal,
        }
    }

    pub(super) async fn delete_stack(
        &self,
        caller: &Caller,
        request: &PortainerRequest,
        id: &str,
    ) -> PortainerResponse {
        let stack = match self.stack_to_change(caller, request, id) {
            Ok(stack) => stack,
            Err(refusal) => return refusal,
        };
        if stack.status == ACTIVE
            && let Err(said) = self.engine.undeploy(&stack.name).await
        {
            return failed(&said);
        }
        let mut state = self.state();
        let resource = state.stack_resource(&stack.name);
        state.disown(ControlKind::Stack, &resource);
        state.stacks.retain(|s| s.id != stack.id);
        PortainerResponse::empty(204)
    }

    /// A copy of the stack, if the caller may change it in the environment that the request names.
    pub(super) fn stack_to_change(
        &self,
        caller: &Caller,
        request: &PortainerRequest,
        id: &str,
    ) -> Result<Stack, PortainerResponse> {
        let state = self.state();
        let found = state.find_stack(caller, id)?.clone();
        entered(&state, caller, request)?;
        Ok(found)
    }

    pub(super) async fn deploy(
        &self,
        stack: &Stack,
        file: &str,
        env: Option<&[Variable]>,
        prune: bool,
    ) -> Result<(), PortainerResponse> {
        let variables = env.unwrap_or_default().iter().map(|v| (v.name.clone(), v.value.clone())).collect();
        let deployment = StackDeployment { name: stack.name.clone(), file: file.to_owned(), variables, prune };
        self.engine.deploy(deployment).await.map_err(|said| failed(&said))
    }

    pub(super) fn seconds(&self) -> i64 {
        self.clock.now().wall.as_second()
    }
}

/// The environment that `endpointId` names, if the caller may enter it.
fn entered(state: &State, caller: &Caller, request: &PortainerRequest) -> Result<u64, PortainerResponse> {
    let Some(environment) = request.get_param("endpointId") else {
        return Err(PortainerResponse::refused(
            400,
            "Invalid query parameter: endpointId",
            "missing query parameter: endpointId",
        ));
    };
    state.enter(caller, environment)?;
    Ok(state.environment.id)
}

/// What the `docker` command printed, as Portainer passes it on: twice, with the line's end.
fn failed(said: &str) -> PortainerResponse {
    let text = line(said);
    PortainerResponse::refused(500, &text, &text)
}

fn line(said: &str) -> String {
    format!("{}\n", said.trim_end())
}
