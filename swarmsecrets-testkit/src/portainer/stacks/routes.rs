//! Which request does what, and the requests that only read.

use serde::{Deserialize, Serialize};

use super::Stack;
use crate::portainer::accounts::Caller;
use crate::portainer::exchange::{PortainerRequest, PortainerResponse, not_in_database};
use crate::portainer::{Portainer, State};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Filters {
    #[serde(rename = "SwarmID")]
    swarm: String,
    #[serde(rename = "EndpointID")]
    environment: u64,
}

impl Portainer {
    /// `/api/stacks…`.
    pub(in crate::portainer) async fn stacks(
        &self,
        caller: &Caller,
        request: &PortainerRequest,
        path: &[&str],
    ) -> PortainerResponse {
        match (request.method.as_str(), path) {
            ("GET", []) => self.list_stacks(caller, request),
            ("POST", ["create", "swarm", "string"]) => self.create_from_text(caller, request).await,
            ("POST", ["create", "swarm", "repository"]) => self.create_from_git(caller, request).await,
            ("GET", [id]) => self.with_stack(caller, id, |state, stack| {
                PortainerResponse::json(&stack.shown(state.control_of_stack(&stack.name)))
            }),
            ("GET", [id, "file"]) => self.with_stack(caller, id, |_, stack| file(stack)),
            ("PUT", [id]) => self.put_stack(caller, request, id).await,
            ("PUT", [id, "git", "redeploy"]) => self.redeploy_from_git(caller, request, id).await,
            ("POST", [id, "stop"]) => self.stop_stack(caller, request, id).await,
            ("POST", [id, "start"]) => self.start_stack(caller, request, id).await,
            ("DELETE", [id]) => self.delete_stack(caller, request, id).await,
            (_, [] | [_] | [_, "file" | "stop" | "start"] | [_, "git", "redeploy"]) => PortainerResponse::empty(405),
            _ => PortainerResponse::no_such_page(),
        }
    }

    fn list_stacks(&self, caller: &Caller, request: &PortainerRequest) -> PortainerResponse {
        let filters = request.get_param("filters").unwrap_or("{}");
        let Ok(filters) = serde_json::from_str::<Filters>(filters) else {
            let text = "Invalid query parameter: filters";
            return PortainerResponse::refused(400, text, text);
        };
        let state = self.state();
        let all = filters.environment == 0 && filters.swarm.is_empty();
        let shown: Vec<_> = state
            .stacks
            .iter()
            // A Swarm stack is told by its Swarm: the environment counts for Compose stacks only.
            .filter(|s| all || s.swarm == filters.swarm)
            .filter(|s| state.may_use(caller, s))
            .map(|s| s.shown(state.control_of_stack(&s.name)))
            .collect();
        PortainerResponse::json(&shown)
    }

    fn with_stack(
        &self,
        caller: &Caller,
        id: &str,
        show: impl FnOnce(&State, &Stack) -> PortainerResponse,
    ) -> PortainerResponse {
        let state = self.state();
        match state.find_stack(caller, id) {
            Ok(stack) => show(&state, stack),
            Err(refusal) => refusal,
        }
    }
}

impl State {
    /// The stacks.
    #[must_use]
    pub fn stacks(&self) -> &[Stack] {
        &self.stacks
    }

    /// Takes a stack over that is deployed already, or stopped, and numbers it. Gives its number.
    pub fn take_stack(&mut self, stack: Stack) -> u64 {
        self.last_stack += 1;
        self.stacks.push(Stack { id: self.last_stack, ..stack });
        self.last_stack
    }

    fn may_use(&self, caller: &Caller, stack: &Stack) -> bool {
        caller.admin || self.control_of_stack(&stack.name).is_some_and(|c| c.lets_in(caller))
    }

    /// The stack of this number, if the caller may use it.
    pub(super) fn find_stack(&self, caller: &Caller, id: &str) -> Result<&Stack, PortainerResponse> {
        let found = self.stacks.iter().find(|s| s.id.to_string() == id);
        let stack = found.ok_or_else(|| not_in_database("stack", "stacks", id))?;
        if self.may_use(caller, stack) {
            return Ok(stack);
        }
        let text = "Access denied to resource";
        Err(PortainerResponse::refused(403, text, text))
    }
}

fn file(stack: &Stack) -> PortainerResponse {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct File<'a> {
        stack_file_content: &'a str,
    }
    PortainerResponse::json(&File { stack_file_content: &stack.file })
}
