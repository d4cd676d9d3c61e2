//! Resource controls: who may see and use an object, and to whom a scoped account may give it.

use serde::{Deserialize, Serialize};

use super::accounts::Caller;

/// What kind of object a control is for, with Portainer's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum ControlKind {
    /// A container.
    Container,
    /// A service.
    Service,
    /// A volume.
    Volume,
    /// A network.
    Network,
    /// A secret.
    Secret,
    /// A stack.
    Stack,
    /// A config.
    Config,
}

impl From<ControlKind> for u8 {
    fn from(kind: ControlKind) -> Self {
        match kind {
            ControlKind::Container => 1,
            ControlKind::Service => 2,
            ControlKind::Volume => 3,
            ControlKind::Network => 4,
            ControlKind::Secret => 5,
            ControlKind::Stack => 6,
            ControlKind::Config => 7,
        }
    }
}

impl TryFrom<u8> for ControlKind {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        Ok(match number {
            1 => Self::Container,
            2 => Self::Service,
            3 => Self::Volume,
            4 => Self::Network,
            5 => Self::Secret,
            6 => Self::Stack,
            7 => Self::Config,
            other => return Err(format!("{other} is not a kind of resource control")),
        })
    }
}

/// A user's access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserAccess {
    /// The user.
    pub user_id: u64,
    /// Always 1: read and write.
    pub access_level: u8,
}

/// A team's access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TeamAccess {
    /// The team.
    pub team_id: u64,
    /// Always 1: read and write.
    pub access_level: u8,
}

/// A resource control, in Portainer's own order of fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceControl {
    /// Its number.
    pub id: u64,
    /// The object: the Engine's id, or `<environment>_<name>` of a stack.
    pub resource_id: String,
    /// Not used any more.
    pub sub_resource_ids: Vec<String>,
    /// The kind of the object.
    #[serde(rename = "Type")]
    pub kind: ControlKind,
    /// The users.
    pub user_accesses: Vec<UserAccess>,
    /// The teams.
    pub team_accesses: Vec<TeamAccess>,
    /// Whether all users of the environment may use it.
    pub public: bool,
    /// Whether administrators alone may use it.
    pub administrators_only: bool,
    /// Whether it is Portainer's own.
    pub system: bool,
}

/// What `PUT /api/resource_controls/{id}` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Grant {
    /// The users.
    pub users: Vec<u64>,
    /// The teams.
    pub teams: Vec<u64>,
    /// All users of the environment.
    pub public: bool,
    /// Administrators alone.
    pub administrators_only: bool,
}

impl Grant {
    /// One user alone.
    #[must_use]
    pub fn private(user: u64) -> Self {
        Self { users: vec![user], ..Self::default() }
    }

    /// One team.
    #[must_use]
    pub fn team(team: u64) -> Self {
        Self { teams: vec![team], ..Self::default() }
    }

    /// Everybody.
    #[must_use]
    pub fn public() -> Self {
        Self { public: true, ..Self::default() }
    }

    /// Administrators alone.
    #[must_use]
    pub fn administrators() -> Self {
        Self { administrators_only: true, ..Self::default() }
    }

    /// What is wrong with it, if anything.
    pub(super) fn flaw(&self) -> Option<&'static str> {
        if self.users.is_empty() && self.teams.is_empty() && !self.public && !self.administrators_only {
            Some("invalid payload: must specify Users, Teams, Public or AdministratorsOnly")
        } else if self.public && self.administrators_only {
            Some("invalid payload: cannot set public and administrators only")
        } else {
            None
        }
    }
}

impl ResourceControl {
    /// A control with these accesses.
    pub(super) fn new(id: u64, resource_id: &str, kind: ControlKind, grant: &Grant) -> Self {
        let mut control = Self {
            id,
            resource_id: resource_id.to_owned(),
            sub_resource_ids: Vec::new(),
            kind,
            user_accesses: Vec::new(),
            team_accesses: Vec::new(),
            public: false,
            administrators_only: false,
            system: false,
        };
        control.set(grant);
        control
    }

    /// Replaces the accesses.
    pub(super) fn set(&mut self, grant: &Grant) {
        self.public = grant.public;
        self.administrators_only = grant.administrators_only;
        self.user_accesses = grant.users.iter().map(|&user_id| UserAccess { user_id, access_level: 1 }).collect();
        self.team_accesses = grant.teams.iter().map(|&team_id| TeamAccess { team_id, access_level: 1 }).collect();
    }

    /// Whether the caller may see and use the object.
    #[must_use]
    pub fn lets_in(&self, caller: &Caller) -> bool {
        caller.admin
            || self.public
            || self.user_accesses.iter().any(|a| a.user_id == caller.user)
            || self.team_accesses.iter().any(|a| caller.teams.contains(&a.team_id))
    }

    /// Whether the caller may make the accesses what they are here. The order of the questions is Portainer's, and
    /// with it the oddity that oneself and one team is refused while oneself and two teams is not.
    #[must_use]
    pub fn may_be_set_by(&self, caller: &Caller) -> bool {
        if caller.admin || self.public {
            return true;
        }
        let (users, teams) = (self.user_accesses.len(), self.team_accesses.len());
        if self.administrators_only || users > 1 || (users == 1 && teams == 1) {
            return false;
        }
        self.user_accesses.iter().any(|a| a.user_id == caller.user)
            || self.team_accesses.iter().any(|a| caller.teams.contains(&a.team_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(grant: Grant) -> bool {
        let caller = Caller { user: 2, name: "svc-agent".into(), admin: false, teams: vec![1], leads: vec![] };
        ResourceControl::new(1, "x", ControlKind::Secret, &grant).may_be_set_by(&caller)
    }

    #[test]
    fn one_user_goes_with_no_team_or_with_several() {
        let of = |users: &[u64], teams: &[u64]| {
            allowed(Grant { users: users.into(), teams: teams.into(), ..Grant::default() })
        };
        assert!(of(&[2], &[]) && of(&[2], &[1, 2]) && of(&[3], &[1, 2]) && of(&[], &[1, 2]));
        assert!(!of(&[2], &[1]) && !of(&[3], &[]) && !of(&[3], &[1]) && !of(&[2, 3], &[]) && !of(&[], &[2]));
        assert!(allowed(Grant::public()) && !allowed(Grant::administrators()));
    }

    #[test]
    fn the_number_of_a_kind_reads_back() {
        for number in 1..=7 {
            assert_eq!(u8::from(ControlKind::try_from(number).unwrap()), number);
        }
        assert!(ControlKind::try_from(8).is_err());
    }
}
