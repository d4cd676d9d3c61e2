//! Who may see an object, with names for people.

use std::collections::HashMap;

use super::Owner;
use crate::error::Result;
use crate::ids::{ControlId, TeamId, UserId};
use crate::model::{ResourceControl, Team, User, read_list};

impl Owner {
    /// What a resource control says, without names.
    #[must_use]
    pub fn of(control: &ResourceControl<'_>) -> Self {
        Self {
            control: Some(ControlId(control.id)),
            users: control.user_accesses.iter().map(|access| UserId(access.user_id)).collect(),
            teams: control.team_accesses.iter().map(|access| TeamId(access.team_id)).collect(),
            public: control.public,
            administrators_only: control.administrators_only,
            names: Vec::new(),
        }
    }
}

/// The names of users and teams, as far as the account may read them.
#[derive(Default)]
pub(super) struct People {
    users: HashMap<u64, String>,
    teams: HashMap<u64, String>,
}

impl People {
    pub(super) fn read(users: Option<&[u8]>, teams: Option<&[u8]>) -> Result<Self> {
        let users: Vec<User<'_>> = read_list("the list of users", users.unwrap_or(b"[]"))?;
        let teams: Vec<Team<'_>> = read_list("the list of teams", teams.unwrap_or(b"[]"))?;
        Ok(Self {
            users: users.into_iter().map(|user| (user.id, user.username.into_string())).collect(),
            teams: teams.into_iter().map(|team| (team.id, team.name.into_string())).collect(),
        })
    }

    /// What a resource control says, with names.
    pub(super) fn owner(&self, control: &ResourceControl<'_>) -> Owner {
        let mut owner = Owner::of(control);
        let users = owner.users.iter().filter_map(|id| self.users.get(&id.0)).map(|name| format!("user {name}"));
        let teams = owner.teams.iter().filter_map(|id| self.teams.get(&id.0)).map(|name| format!("team {name}"));
        owner.names = teams.chain(users).collect();
        owner
    }
}
