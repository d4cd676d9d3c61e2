//! Who asks: API key or JWT, and the cookie that spoils a request.

use serde::Deserialize;
use serde_json::json;

use super::accounts::Caller;
use super::exchange::{PortainerRequest, PortainerResponse, payload};
use super::{Portainer, State};

/// The cookie that `/api/auth` sets beside the JWT that it answers.
const COOKIE: &str = "portainer_api_key";

/// The caller of a request, or the refusal.
pub(super) fn caller(state: &State, request: &PortainerRequest) -> Result<Caller, PortainerResponse> {
    let refused = |message| Err(PortainerResponse::refused(401, message, "unauthorized"));
    let token = cookie(request).or_else(|| bearer(request));
    let user = match (token, request.get_header("X-API-Key")) {
        (Some(token), _) => state.user_of_session(token),
        (None, Some(key)) => state.user_of_key(key),
        (None, None) => return refused("A valid authorization token is missing"),
    };
    match user.and_then(|user| state.caller(user)) {
        Some(caller) => Ok(caller),
        None => refused("Invalid JWT token"),
    }
}

/// The refusal of an unsafe request that carries the cookie but no CSRF token. We never hand one out.
pub(super) fn forged(request: &PortainerRequest) -> Option<PortainerResponse> {
    let safe = matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    (!safe && cookie(request).is_some()).then(|| {
        PortainerResponse::whole(
            403,
            "text/plain; charset=utf-8",
            b"Forbidden - CSRF token not found in request\n".to_vec(),
        )
    })
}

fn cookie(request: &PortainerRequest) -> Option<&str> {
    let pairs = request.get_header("Cookie")?;
    pairs.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, v)| v)
}

fn bearer(request: &PortainerRequest) -> Option<&str> {
    request.get_header("Authorization")?.strip_prefix("Bearer ")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    username: String,
    password: String,
}

impl Portainer {
    /// `POST /api/auth`.
    pub(super) fn log_in(&self, request: &PortainerRequest) -> PortainerResponse {
        let login: Login = match payload(request) {
            Ok(login) => login,
            Err(refusal) => return refusal,
        };
        let mut state = self.state();
        let Some(user) = state.user_of_password(&login.username, &login.password) else {
            return PortainerResponse::refused(422, "Invalid credentials", "invalid credentials");
        };
        let Some(token) = super::token() else {
            return PortainerResponse::refused(500, "Unable to generate JWT token", "no randomness to be had");
        };
        state.open_session(user, &token);
        let mut answer = PortainerResponse::json(&json!({ "jwt": token }));
        answer.cookie = Some(format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict"));
        answer
    }
}
