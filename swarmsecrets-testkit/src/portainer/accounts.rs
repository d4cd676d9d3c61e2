//! Users, teams, memberships and the credentials that lead to them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::State;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// Their number.
    pub id: u64,
    /// Their name.
    pub username: String,
    /// 1 for an administrator, 2 for a standard user.
    pub role: u8,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Team {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// That a user is in a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Its number.
    #[serde(rename = "Id")]
    pub id: u64,
    /// The user.
    #[serde(rename = "UserID")]
    pub user: u64,
    /// The team.
    #[serde(rename = "TeamID")]
    pub team: u64,
    /// 1 for a leader, 2 for a member.
    #[serde(rename = "Role")]
    pub role: u8,
}

/// What leads to a user: a key, a password, a session. Only a digest is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Credential {
    pub(super) user: u64,
    digest: String,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's number.
    pub user: u64,
    /// The user's name.
    pub name: String,
    /// Whether they are an administrator.
    pub admin: bool,
    /// The teams that they are in.
    pub teams: Vec<u64>,
    /// The teams that they lead.
    pub leads: Vec<u64>,
}

impl Credential {
    fn of(user: u64, text: &str) -> Self {
        Self { user, digest: digest(text) }
    }
}

fn digest(text: &str) -> String {
    swarmsecrets_core::ids::hex(&Sha256::digest(text.as_bytes()))
}

fn password_text(user: u64, password: &str) -> String {
    format!("password of {user}: {password}")
}

impl State {
    /// Adds a user: an administrator or a standard one. Gives their number.
    pub fn add_user(&mut self, name: &str, admin: bool) -> u64 {
        let id = self.next_user();
        self.users.push(User { id, username: name.to_owned(), role: if admin { 1 } else { 2 } });
        id
    }

    /// Adds a team, and lets it into the environment. Gives its number.
    pub fn add_team(&mut self, name: &str) -> u64 {
        let id = self.teams.iter().map(|t| t.id).max().unwrap_or(0) + 1;
        self.teams.push(Team { id, name: name.to_owned() });
        self.environment.teams.push(id);
        id
    }

    /// Puts a user into a team, as its leader if so said. Gives the membership's number.
    pub fn add_membership(&mut self, user: u64, team: u64, leader: bool) -> u64 {
        let id = self.memberships.iter().map(|m| m.id).max().unwrap_or(0) + 1;
        self.memberships.push(Membership { id, user, team, role: if leader { 1 } else { 2 } });
        id
    }

    /// Lets an API key in as a user. A digest of it is kept.
    pub fn add_key(&mut self, user: u64, key: &str) {
        self.keys.push(Credential::of(user, key));
    }

    /// Takes all API keys of a user away.
    pub fn revoke_keys(&mut self, user: u64) {
        self.keys.retain(|k| k.user != user);
    }

    /// Lets a user in by password, at `/api/auth`. A digest of it is kept.
    pub fn set_password(&mut self, user: u64, password: &str) {
        self.passwords.retain(|c| c.user != user);
        self.passwords.push(Credential::of(user, &password_text(user, password)));
    }

    /// The number of the user of this name.
    #[must_use]
    pub fn user_named(&self, name: &str) -> Option<u64> {
        self.users.iter().find(|u| u.username == name).map(|u| u.id)
    }

    /// Who a user is when they ask.
    #[must_use]
    pub fn caller(&self, user: u64) -> Option<Caller> {
        let found = self.users.iter().find(|u| u.id == user)?;
        let of_user = || self.memberships.iter().filter(|m| m.user == user);
        Some(Caller {
            user,
            name: found.username.clone(),
            admin: found.role == 1,
            teams: of_user().map(|m| m.team).collect(),
            leads: of_user().filter(|m| m.role == 1).map(|m| m.team).collect(),
        })
    }

    pub(super) fn open_session(&mut self, user: u64, token: &str) {
        self.sessions.push(Credential::of(user, token));
    }

    pub(super) fn user_of_key(&self, key: &str) -> Option<u64> {
        find(&self.keys, key)
    }

    pub(super) fn user_of_session(&self, token: &str) -> Option<u64> {
        find(&self.sessions, token)
    }

    pub(super) fn user_of_password(&self, name: &str, password: &str) -> Option<u64> {
        let user = self.user_named(name)?;
        let found = find(&self.passwords, &password_text(user, password))?;
        (found == user).then_some(user)
    }

    fn next_user(&self) -> u64 {
        self.users.iter().map(|u| u.id).max().unwrap_or(0) + 1
    }
}

fn find(list: &[Credential], text: &str) -> Option<u64> {
    let digest = digest(text);
    list.iter().find(|c| c.digest == digest).map(|c| c.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_its_user_until_it_is_revoked() {
        let mut state = State::default();
        let admin = state.add_user("admin", true);
        let agent = state.add_user("svc-agent", false);
        let team = state.add_team("payments");
        state.add_membership(agent, team, true);
        state.add_key(agent, "ptr_made-up");
        assert_eq!(state.user_of_key("ptr_made-up"), Some(agent));
        assert_eq!(state.user_of_key("ptr_other"), None);
        let caller = state.caller(agent).unwrap();
        assert!(!caller.admin && caller.teams == [team] && caller.leads == [team]);
        assert!(state.caller(admin).unwrap().admin);
        state.revoke_keys(agent);
        assert_eq!(state.user_of_key("ptr_made-up"), None);
    }

    #[test]
    fn no_credential_is_kept_as_it_is() {
        let mut state = State::default();
        let user = state.add_user("a", true);
        state.add_key(user, "ptr_made-up-key");
        state.set_password(user, "made-up-password");
        let text = serde_json::to_string(&state).unwrap();
        assert!(!text.contains("made-up"), "{text}");
        assert_eq!(state.user_of_password("a", "made-up-password"), Some(user));
        assert_eq!(state.user_of_password("a", "other"), None);
    }
}
