//! What Portainer says of itself and of its environments.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::accounts::Caller;
use super::exchange::{PortainerRequest, PortainerResponse, empty_list, not_in_database, payload};
use super::state::{Environment, Webhook};
use super::{Portainer, State};

/// The version whose rules these are.
const VERSION: &str = "2.23.0";

/// `GET /api/system/status`, which asks for no credential.
pub(super) fn status() -> PortainerResponse {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Status {
        version: &'static str,
        #[serde(rename = "InstanceID")]
        instance: &'static str,
    }
    PortainerResponse::json(&Status { version: VERSION, instance: "00000000-0000-4000-8000-000000000000" })
}

/// `GET /api/system/version`.
pub(super) fn version() -> PortainerResponse {
    PortainerResponse::json(&json!({
        "UpdateAvailable": false,
        "LatestVersion": "",
        "ServerVersion": VERSION,
        "ServerEdition": "CE",
        "DatabaseVersion": VERSION,
        "Build": {
            "BuildNumber": "", "ImageTag": "", "NodejsVersion": "", "YarnVersion": "", "WebpackVersion": "",
            "GoVersion": "", "GitCommit": "", "Env": [],
        },
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownEnvironment<'a> {
    id: u64,
    name: &'a str,
    #[serde(rename = "Type")]
    kind: u8,
    #[serde(rename = "URL")]
    url: &'static str,
    group_id: u64,
    user_access_policies: Map<String, Value>,
    team_access_policies: Map<String, Value>,
    security_settings: Value,
    status: u8,
}

fn policies(ids: &[u64]) -> Map<String, Value> {
    ids.iter().map(|id| (id.to_string(), json!({"RoleId": 0}))).collect()
}

fn shown(environment: &Environment) -> ShownEnvironment<'_> {
    ShownEnvironment {
        id: environment.id,
        name: &environment.name,
        kind: 1,
        url: "unix:///var/run/docker.sock",
        group_id: 1,
        user_access_policies: policies(&environment.users),
        team_access_policies: policies(&environment.teams),
        security_settings: json!({
            "allowBindMountsForRegularUsers": true,
            "allowPrivilegedModeForRegularUsers": true,
            "allowVolumeBrowserForRegularUsers": false,
            "allowHostNamespaceForRegularUsers": true,
            "allowDeviceMappingForRegularUsers": true,
            "allowStackManagementForRegularUsers": true,
            "allowContainerCapabilitiesForRegularUsers": true,
            "allowSysctlSettingForRegularUsers": true,
            "enableHostManagementFeatures": false,
        }),
        status: 1,
    }
}

impl State {
    /// Whether the caller is let into the environment; the refusal if not.
    pub(super) fn enter(&self, caller: &Caller, environment: &str) -> Result<(), PortainerResponse> {
        let known = environment.parse::<u64>().is_ok_and(|id| id == self.environment.id);
        if !known {
            return Err(not_in_database("environment", "endpoints", environment));
        }
        let here = &self.environment;
        if caller.admin || here.users.contains(&caller.user) || caller.teams.iter().any(|t| here.teams.contains(t)) {
            return Ok(());
        }
        Err(PortainerResponse::refused(403, "Permission denied to access environment", "access denied to environment"))
    }
}

impl Portainer {
    /// `/api/endpoints` and `/api/endpoints/{id}`.
    pub(super) fn environments(&self, caller: &Caller, request: &PortainerRequest, path: &[&str]) -> PortainerResponse {
        let state = self.state();
        match (request.method.as_str(), path) {
            ("GET", []) if state.enter(caller, &state.environment.id.to_string()).is_ok() => {
                PortainerResponse::json(&[shown(&state.environment)])
            }
            ("GET", []) => empty_list(),
            ("GET", [id]) => match state.enter(caller, id) {
                Ok(()) => PortainerResponse::json(&shown(&state.environment)),
                Err(refusal) => refusal,
            },
            (_, [] | [_]) => PortainerResponse::empty(405),
            _ => PortainerResponse::no_such_page(),
        }
    }

    /// `POST /api/webhooks`: administrators only, or a role that the Community Edition does not have.
    pub(super) fn create_webhook(&self, caller: &Caller, request: &PortainerRequest) -> PortainerResponse {
        #[derive(serde::Deserialize)]
        struct New {
            #[serde(rename = "ResourceID")]
            resource: String,
            #[serde(rename = "EndpointID")]
            environment: u64,
            #[serde(rename = "WebhookType")]
            kind: u8,
        }
        if !caller.admin {
            let text = "Not authorized to create a webhook";
            return PortainerResponse::refused(403, text, text);
        }
        let new: New = match payload(request) {
            Ok(new) => new,
            Err(refusal) => return refusal,
        };
        let Some(token) = super::token() else { return PortainerResponse::empty(500) };
        let mut state = self.state();
        let id = state.webhooks.iter().map(|w| w.id).max().unwrap_or(0) + 1;
        let hook = Webhook {
            id,
            token,
            resource_id: new.resource,
            endpoint_id: new.environment,
            registry_id: 0,
            kind: new.kind,
        };
        let answer = PortainerResponse::json(&hook);
        state.webhooks.push(hook);
        answer
    }
}

/// `GET /api/endpoint_groups`.
pub(super) fn groups() -> PortainerResponse {
    PortainerResponse::json(&json!([{
        "Id": 1, "Name": "Unassigned", "Description": "Unassigned environments", "UserAccessPolicies": {},
        "TeamAccessPolicies": {}, "TagIds": [], "Labels": [], "AuthorizedUsers": null, "AuthorizedTeams": null,
    }]))
}
