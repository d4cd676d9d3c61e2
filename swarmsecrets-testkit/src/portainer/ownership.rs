//! `PUT /api/resource_controls/{id}`: who gives an object to whom.

use super::Portainer;
use super::accounts::Caller;
use super::control::Grant;
use super::exchange::{PortainerRequest, PortainerResponse, bad_payload, not_in_database, payload};

const DENIED: &str = "access denied to resource";

impl Portainer {
    pub(super) fn resource_controls(
        &self,
        caller: &Caller,
        request: &PortainerRequest,
        path: &[&str],
    ) -> PortainerResponse {
        match (request.method.as_str(), path) {
            ("PUT", [id]) => self.set_control(caller, request, id),
            (_, [] | [_]) => PortainerResponse::empty(405),
            _ => PortainerResponse::no_such_page(),
        }
    }

    fn set_control(&self, caller: &Caller, request: &PortainerRequest, id: &str) -> PortainerResponse {
        let grant: Grant = match payload(request) {
            Ok(grant) => grant,
            Err(refusal) => return refusal,
        };
        if let Some(flaw) = grant.flaw() {
            return bad_payload(flaw);
        }
        let mut state = self.state();
        let found = state.controls.iter_mut().find(|c| c.id.to_string() == id);
        let Some(control) = found else { return not_in_database("resource control", "resource_control", id) };
        if !control.lets_in(caller) {
            return PortainerResponse::refused(403, "Permission denied to access the resource control", DENIED);
        }
        let mut wanted = control.clone();
        wanted.set(&grant);
        if !wanted.may_be_set_by(caller) {
            return PortainerResponse::refused(403, "Permission denied to update the resource control", DENIED);
        }
        *control = wanted;
        PortainerResponse::json(&*control)
    }
}
