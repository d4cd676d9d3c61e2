//! Who may see an object, with names for people.

use std::collections::HashMap;
use std::fmt;

use super::{Account, Owner};
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

impl fmt::Display for Owner {
    /// For people: `team payments, user alice`; numbers stand for names that the account may not read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.public {
            return f.write_str("everybody");
        }
        let numbers = || {
            let teams = self.teams.iter().map(|team| format!("team {team}"));
            teams.chain(self.users.iter().map(|user| format!("user {user}"))).collect()
        };
        let names = if self.names.is_empty() { numbers() } else { self.names.clone() };
        let nobody = self.administrators_only || names.is_empty();
        f.write_str(&if nobody { "administrators".to_owned() } else { names.join(", ") })
    }
}

impl Account {
    /// Whether Portainer lets this account give a secret of its own these accesses, as far as that is known. It may make it
    /// public; otherwise it may name at most one user, but not one user with one team, and either itself or a team of its
    /// own must be among them. Seen on a real Portainer, thirteen ways.
    #[must_use]
    pub fn may_grant(&self, owner: &Owner) -> bool {
        if self.administrator || owner.public {
            return true;
        }
        let (users, teams) = (&owner.users, &owner.teams);
        let one_of_each = users.len() == 1 && teams.len() == 1;
        let own = |team: &TeamId| self.teams.as_ref().is_none_or(|own| own.contains(team));
        let among = users.contains(&self.id) || teams.iter().any(own);
        !owner.administrators_only && users.len() <= 1 && !one_of_each && among
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

    /// The teams that the account may read, by their numbers.
    pub(super) fn teams(&self) -> Vec<TeamId> {
        let mut teams: Vec<TeamId> = self.teams.keys().copied().map(TeamId).collect();
        teams.sort_unstable();
        teams
    }

    /// What a resource control says, with names; numbers stand for those that may not be read.
    pub(super) fn owner(&self, control: &ResourceControl<'_>) -> Owner {
        let mut owner = Owner::of(control);
        let name = |names: &HashMap<u64, String>, id: u64| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
        let teams = owner.teams.iter().map(|id| format!("team {}", name(&self.teams, id.0)));
        let users = owner.users.iter().map(|id| format!("user {}", name(&self.users, id.0)));
        owner.names = teams.chain(users).collect();
        owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(administrator: bool, teams: Option<&[u64]>) -> Account {
        let teams = teams.map(|teams| teams.iter().copied().map(TeamId).collect());
        Account { id: UserId(2), name: "svc-agent".into(), administrator, teams }
    }

    fn owner(users: &[u64], teams: &[u64]) -> Owner {
        let users = users.iter().copied().map(UserId).collect();
        Owner { users, teams: teams.iter().copied().map(TeamId).collect(), ..Owner::default() }
    }

    #[test]
    fn what_a_scoped_account_may_grant_is_what_portainer_was_seen_to_take() {
        let scoped = account(false, Some(&[1]));
        let may = |users: &[u64], teams: &[u64]| scoped.may_grant(&owner(users, teams));
        assert!(may(&[2], &[]) && may(&[2], &[1, 2]) && may(&[3], &[1, 2]) && may(&[], &[1, 2]) && may(&[], &[1]));
        assert!(!may(&[2], &[1]) && !may(&[3], &[]) && !may(&[3], &[1]) && !may(&[2, 3], &[]) && !may(&[], &[2]));
        assert!(scoped.may_grant(&Owner { public: true, ..Owner::default() }));
        assert!(!scoped.may_grant(&owner(&[], &[]).or_administrators()));
    }

    #[test]
    fn nothing_is_held_against_an_administrator_or_against_teams_that_are_not_known() {
        assert!(account(true, None).may_grant(&owner(&[3], &[1]).or_administrators()));
        assert!(account(false, None).may_grant(&owner(&[], &[7])));
        assert!(!account(false, None).may_grant(&owner(&[3], &[7])));
    }
}
