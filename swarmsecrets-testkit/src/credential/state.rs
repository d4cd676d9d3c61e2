//! Who can log in with what, in memory.

use std::collections::BTreeMap;

use swarmsecrets_core::credential::{Credential, Way};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};

/// The users of a system and their passwords. A user without one cannot log in.
pub(super) struct State {
    way: Way,
    users: BTreeMap<String, Vec<SecretValue>>,
}

impl State {
    /// One of the users logs in, the others do not.
    pub(super) fn new(way: Way, users: &[String], now: Named) -> Self {
        let mut users: BTreeMap<_, _> = users.iter().map(|user| (user.clone(), Vec::new())).collect();
        users.insert(now.user, vec![now.password]);
        Self { way, users }
    }

    pub(super) fn logs_in(&self, user: &str, password: &SecretValue) -> bool {
        self.users.get(user).is_some_and(|held| holds(held, password))
    }

    pub(super) fn set(&mut self, current: &Named, next: &Named) -> Result<()> {
        let way = self.way;
        let (old_works, new_works) = (self.login(current)?, self.login(next)?);
        if !old_works && (way.holds_two() || !new_works) {
            return Err(Error::new(ErrorKind::Stale, "the current password does not log in: somebody has changed it"));
        }
        let held = self.held(&next.user)?;
        let others = held.iter().filter(|p| !same(p, &current.password) && !same(p, &next.password)).count();
        match way {
            Way::Replaces => *held = vec![next.password.clone()],
            _ if others > 0 => return Err(Error::new(ErrorKind::Conflict, "the user has a third password")),
            _ if new_works => {}
            _ => held.push(next.password.clone()),
        }
        Ok(())
    }

    pub(super) fn revoke(&mut self, old: &Named) -> Result<()> {
        let own = self.held(&old.user)?.iter().any(|password| !same(password, &old.password));
        let others = match self.way {
            Way::Alternates => self.users.iter().any(|(user, held)| *user != old.user && !held.is_empty()),
            Way::Replaces | Way::HoldsTwo => own,
        };
        if !others {
            return Err(Error::new(ErrorKind::Refused, "no password would be left: nobody could log in"));
        }
        self.held(&old.user)?.retain(|password| !same(password, &old.password));
        Ok(())
    }

    pub(super) fn undo(&mut self, current: &Named) -> Result<()> {
        self.held(&current.user)?;
        for (user, held) in &mut self.users {
            *held = if *user == current.user { vec![current.password.clone()] } else { Vec::new() };
        }
        Ok(())
    }

    pub(super) fn drop_users(&mut self) {
        self.users.clear();
    }

    fn login(&mut self, who: &Named) -> Result<bool> {
        Ok(holds(self.held(&who.user)?, &who.password))
    }

    fn held(&mut self, user: &str) -> Result<&mut Vec<SecretValue>> {
        self.users.get_mut(user).ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no user {user}")))
    }
}

/// A password and whose it is.
pub(super) struct Named {
    pub(super) user: String,
    pub(super) password: SecretValue,
}

impl Named {
    pub(super) fn of(credential: Credential, user: &str) -> Self {
        Self { user: credential.user.unwrap_or_else(|| user.to_owned()), password: credential.password }
    }
}

fn holds(held: &[SecretValue], password: &SecretValue) -> bool {
    held.iter().any(|one| same(one, password))
}

fn same(one: &SecretValue, other: &SecretValue) -> bool {
    one.expose() == other.expose()
}
