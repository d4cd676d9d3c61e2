//! `/api/endpoints/{id}/docker/…`: the Engine's API, with Portainer's rules before it.

use serde_json::{Map, Value};

use super::accounts::Caller;
use super::control::ControlKind;
use super::decorate::{Decorated, labels};
use super::exchange::{Body, PortainerRequest, PortainerResponse};
use super::rule::{self, ONE_CONTAINER, Rule, Shape};
use super::{Grant, Portainer};
use crate::engine::{EngineRequest, EngineResponse};

/// What Portainer's own denial becomes on its way through Portainer's proxy.
const NO_MEDIA_TYPE: &str = "mime: no media type";

impl Portainer {
    /// Answers a call to the Docker proxy. `path` is the request's path from `endpoints/` on.
    pub(super) async fn docker(
        &self,
        caller: &Caller,
        request: PortainerRequest,
        environment: &str,
        path: &str,
    ) -> PortainerResponse {
        let entered = self.state().enter(caller, environment);
        if let Err(refusal) = entered {
            return refusal;
        }
        let path = path.strip_prefix(&format!("endpoints/{environment}/docker")).unwrap_or_default();
        let path = rule::unversioned(path).to_owned();
        let call = EngineRequest {
            method: request.method,
            path: if path.is_empty() { "/".to_owned() } else { path.clone() },
            query: request.query,
            body: request.body,
        };
        match rule::of(&call.method.clone(), &path) {
            Rule::Create(shape) => self.create(caller, shape, call).await,
            Rule::List(shape) => self.list(caller, shape, call).await,
            Rule::Inspect(shape) => self.inspect(caller, shape, call).await,
            Rule::Delete(shape, id) => self.delete(caller, shape, id, call).await,
            Rule::Restricted(shape, id) => match self.restricted(caller, shape, id).await {
                Ok(()) => self.pass(call).await,
                Err(refusal) => refusal,
            },
            Rule::Administrators if !caller.admin => PortainerResponse::proxy_failed(NO_MEDIA_TYPE),
            Rule::Swarm => swarm(caller, self.engine.call(call).await),
            Rule::Administrators | Rule::Pass => self.pass(call).await,
        }
    }

    async fn pass(&self, call: EngineRequest) -> PortainerResponse {
        let answer = self.engine.stream(call).await;
        PortainerResponse {
            status: answer.status,
            content_type: answer.content_type,
            cookie: None,
            body: Body::Pieces(answer.body),
        }
    }

    async fn create(&self, caller: &Caller, shape: &Shape, call: EngineRequest) -> PortainerResponse {
        let answer = self.engine.call(call).await;
        if answer.status != 201 {
            return PortainerResponse::passed_on(answer);
        }
        let Some(object) = object(&answer) else { return PortainerResponse::passed_on(answer) };
        let Some(id) = object.get(shape.id).and_then(Value::as_str) else {
            return PortainerResponse::proxy_failed("missing identifier in Docker resource creation response");
        };
        let mut state = self.state();
        state.own(shape.kind, id, &Grant::private(caller.user));
        let control = state.control_of(shape.kind, id).cloned();
        PortainerResponse::json(&Decorated::new(object, control))
    }

    async fn list(&self, caller: &Caller, shape: &Shape, call: EngineRequest) -> PortainerResponse {
        let answer = self.engine.call(call).await;
        if answer.status != 200 {
            return PortainerResponse::passed_on(answer);
        }
        let Ok(objects) = serde_json::from_slice::<Vec<Map<String, Value>>>(&answer.body) else {
            return PortainerResponse::proxy_failed("the Engine's answer is not a JSON list of objects");
        };
        let mut state = self.state();
        let shown: Vec<Decorated> = objects.into_iter().filter_map(|o| state.show(shape, o, caller)).collect();
        PortainerResponse::json(&shown)
    }

    async fn inspect(&self, caller: &Caller, shape: &Shape, call: EngineRequest) -> PortainerResponse {
        let answer = self.engine.call(call).await;
        if answer.status != 200 {
            return PortainerResponse::passed_on(answer);
        }
        let Some(object) = object(&answer) else {
            return PortainerResponse::proxy_failed("the Engine's answer is not a JSON object");
        };
        match self.state().show(shape, object, caller) {
            Some(shown) => PortainerResponse::json(&shown),
            None => PortainerResponse::access_denied(),
        }
    }

    async fn delete(&self, caller: &Caller, shape: &Shape, id: &str, call: EngineRequest) -> PortainerResponse {
        if let Err(refusal) = self.restricted(caller, shape, id).await {
            return refusal;
        }
        let answer = self.engine.call(call).await;
        if matches!(answer.status, 200 | 204) {
            // By id as it was given: who deletes by name leaves the control behind, as with the real one.
            self.state().disown(shape.kind, id);
        }
        PortainerResponse::passed_on(answer)
    }

    /// Lets through who may use the object. The object is looked up by its id alone where it has a control of its own,
    /// else it is read, and what it inherits counts.
    async fn restricted(&self, caller: &Caller, shape: &Shape, id: &str) -> Result<(), PortainerResponse> {
        if caller.admin {
            return Ok(());
        }
        let denied = || PortainerResponse::proxy_failed(NO_MEDIA_TYPE);
        let own = self.state().control_of(shape.kind, id).map(|c| c.lets_in(caller));
        if let Some(allowed) = own {
            return if allowed { Ok(()) } else { Err(denied()) };
        }
        let object = self.look_up(shape.kind, id).await?;
        let shape = if shape.kind == ControlKind::Container { &ONE_CONTAINER } else { shape };
        let state = self.state();
        let inherited = labels(shape, &object).and_then(|l| state.inherited(l));
        if inherited.is_some_and(|c| c.lets_in(caller)) { Ok(()) } else { Err(denied()) }
    }

    async fn look_up(&self, kind: ControlKind, id: &str) -> Result<Map<String, Value>, PortainerResponse> {
        let path = match kind {
            ControlKind::Container => format!("/containers/{id}/json"),
            ControlKind::Service => format!("/services/{id}"),
            ControlKind::Volume => format!("/volumes/{id}"),
            ControlKind::Network => format!("/networks/{id}"),
            ControlKind::Secret => format!("/secrets/{id}"),
            ControlKind::Config => format!("/configs/{id}"),
            ControlKind::Stack => return Err(PortainerResponse::proxy_failed(NO_MEDIA_TYPE)),
        };
        let call = EngineRequest { method: "GET".into(), path, query: Vec::new(), body: Vec::new() };
        let answer = self.engine.call(call).await;
        if answer.status == 0 {
            return Err(PortainerResponse::passed_on(answer));
        }
        let Some(object) = object(&answer) else { return Err(PortainerResponse::proxy_failed(NO_MEDIA_TYPE)) };
        if answer.status == 200 {
            return Ok(object);
        }
        let said = object.get("message").and_then(Value::as_str).unwrap_or_default();
        Err(PortainerResponse::proxy_failed(&format!("Error response from daemon: {said}")))
    }
}

fn object(answer: &EngineResponse) -> Option<Map<String, Value>> {
    serde_json::from_slice(&answer.body).ok()
}

/// The Swarm itself: what lets a node join is for administrators.
fn swarm(caller: &Caller, answer: EngineResponse) -> PortainerResponse {
    match (answer.status, object(&answer)) {
        (200, Some(mut object)) => {
            if !caller.admin {
                object.remove("JoinTokens");
                object.remove("TLSInfo");
            }
            PortainerResponse::json(&object)
        }
        _ => PortainerResponse::passed_on(answer),
    }
}
