//! `/api/users`, `/api/teams`, `/api/team_memberships`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Portainer;
use super::accounts::{Caller, Membership, Team, User};
use super::exchange::{PortainerRequest, PortainerResponse, not_in_database, payload};

/// A user as `/users/me` and `POST /users` show them, in Portainer's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WholeUser<'a> {
    #[serde(flatten)]
    user: &'a User,
    token_issue_at: u64,
    theme_settings: Value,
    use_cache: bool,
    portainer_authorizations: Option<()>,
    endpoint_authorizations: Option<()>,
    #[serde(rename = "forceChangePassword", skip_serializing_if = "Option::is_none")]
    force_change_password: Option<bool>,
}

fn whole(user: &User, force_change_password: Option<bool>) -> PortainerResponse {
    PortainerResponse::json(&WholeUser {
        user,
        token_issue_at: 0,
        theme_settings: json!({"color": ""}),
        use_cache: false,
        portainer_authorizations: None,
        endpoint_authorizations: None,
        force_change_password,
    })
}

#[derive(Deserialize)]
struct NewUser {
    username: String,
    #[serde(default)]
    password: String,
    role: u8,
}

#[derive(Deserialize)]
struct NewTeam {
    name: String,
}

#[derive(Deserialize)]
struct NewMembership {
    #[serde(rename = "userID")]
    user: u64,
    #[serde(rename = "teamID")]
    team: u64,
    role: u8,
}

const ADMINISTRATORS_ONLY: &str = "Access denied to resource";

impl Portainer {
    pub(super) fn users(&self, caller: &Caller, request: &PortainerRequest, path: &[&str]) -> PortainerResponse {
        match (request.method.as_str(), path) {
            ("GET", []) => self.list_users(caller),
            ("POST", []) => self.create_user(caller, request),
            ("GET", ["me"]) => match self.state().users.iter().find(|u| u.id == caller.user) {
                Some(user) => whole(user, Some(false)),
                None => not_in_database("user", "users", caller.user),
            },
            ("GET", [user, "memberships"]) => self.memberships_of_user(caller, user),
            (_, [] | ["me"] | [_, "memberships"]) => PortainerResponse::empty(405),
            _ => PortainerResponse::no_such_page(),
        }
    }

    fn list_users(&self, caller: &Caller) -> PortainerResponse {
        let state = self.state();
        let shown: Vec<&User> = state.users.iter().filter(|u| caller.admin || u.role != 1).collect();
        if caller.admin || !caller.leads.is_empty() {
            return PortainerResponse::json(&shown);
        }
        let text = "Permission denied to access users list";
        PortainerResponse::refused(403, text, text)
    }

    fn create_user(&self, caller: &Caller, request: &PortainerRequest) -> PortainerResponse {
        if !caller.admin {
            return PortainerResponse::refused(403, "Permission denied to create user", ADMINISTRATORS_ONLY);
        }
        let new: NewUser = match payload(request) {
            Ok(new) => new,
            Err(refusal) => return refusal,
        };
        let mut state = self.state();
        if state.user_named(&new.username).is_some() {
            let text = "Another user with the same username already exists";
            return PortainerResponse::refused(409, text, text);
        }
        let id = state.add_user(&new.username, new.role == 1);
        state.set_password(id, &new.password);
        match state.users.last() {
            Some(user) => whole(user, None),
            None => PortainerResponse::empty(500),
        }
    }

    fn memberships_of_user(&self, caller: &Caller, user: &str) -> PortainerResponse {
        let Ok(user) = user.parse::<u64>() else { return PortainerResponse::no_such_page() };
        if !caller.admin && caller.user != user {
            let text = "Permission denied to access user memberships";
            return PortainerResponse::refused(403, text, ADMINISTRATORS_ONLY);
        }
        let state = self.state();
        PortainerResponse::json(&state.memberships.iter().filter(|m| m.user == user).collect::<Vec<_>>())
    }

    pub(super) fn teams(&self, caller: &Caller, request: &PortainerRequest, path: &[&str]) -> PortainerResponse {
        match (request.method.as_str(), path) {
            ("GET", []) => {
                let state = self.state();
                let shown = |t: &&Team| caller.admin || caller.teams.contains(&t.id);
                PortainerResponse::json(&state.teams.iter().filter(shown).collect::<Vec<_>>())
            }
            ("POST", []) => self.create_team(caller, request),
            ("GET", [team, "memberships"]) => self.memberships_of_team(caller, team),
            (_, [] | [_, "memberships"]) => PortainerResponse::empty(405),
            _ => PortainerResponse::no_such_page(),
        }
    }

    fn create_team(&self, caller: &Caller, request: &PortainerRequest) -> PortainerResponse {
        if !caller.admin {
            return PortainerResponse::refused(403, "Access denied", "unauthorized");
        }
        let new: NewTeam = match payload(request) {
            Ok(new) => new,
            Err(refusal) => return refusal,
        };
        let mut state = self.state();
        if state.teams.iter().any(|t| t.name == new.name) {
            let text = "A team with the same name already exists";
            return PortainerResponse::refused(409, text, text);
        }
        let id = state.add_team(&new.name);
        PortainerResponse::json(&Team { id, name: new.name })
    }

    fn memberships_of_team(&self, caller: &Caller, team: &str) -> PortainerResponse {
        let Ok(team) = team.parse::<u64>() else { return PortainerResponse::no_such_page() };
        if !caller.admin && !caller.leads.contains(&team) {
            return PortainerResponse::refused(403, "Access denied to team", ADMINISTRATORS_ONLY);
        }
        let state = self.state();
        PortainerResponse::json(&state.memberships.iter().filter(|m| m.team == team).collect::<Vec<_>>())
    }

    pub(super) fn memberships(&self, caller: &Caller, request: &PortainerRequest, path: &[&str]) -> PortainerResponse {
        match (request.method.as_str(), path) {
            ("GET", []) if caller.admin || !caller.leads.is_empty() => {
                PortainerResponse::json(&self.state().memberships)
            }
            ("POST", []) if caller.admin => self.create_membership(request),
            ("GET" | "POST", []) => PortainerResponse::refused(403, "Access denied", "unauthorized"),
            (_, []) => PortainerResponse::empty(405),
            _ => PortainerResponse::no_such_page(),
        }
    }

    fn create_membership(&self, request: &PortainerRequest) -> PortainerResponse {
        let new: NewMembership = match payload(request) {
            Ok(new) => new,
            Err(refusal) => return refusal,
        };
        let mut state = self.state();
        let id = state.add_membership(new.user, new.team, new.role == 1);
        PortainerResponse::json(&Membership { id, user: new.user, team: new.team, role: new.role })
    }
}
