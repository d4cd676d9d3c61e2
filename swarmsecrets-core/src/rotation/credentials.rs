//! The passwords behind secrets, changed in step: set and proved before the consumers move, ended after.

use super::action::{Action, Answer, Change, Login, Look, Reply, Which};
use super::machine::{Next, Rotation};
use super::state::Stage;
use crate::clock::Now;
use crate::credential::{Account, Way};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Access, CredentialStep, End, Event};
use crate::plan::Strategy;

impl Rotation {
    /// Sets the new passwords and proves them. A revocation ends the old ones here, before anything else.
    pub(super) fn set_credentials(&mut self) -> Result<Next> {
        let wanted = self.state.access_before_consumers();
        Ok(self.next_access(wanted))
    }

    /// Ends the old passwords, once no consumer and no stack file is left behind.
    pub(super) fn close_credentials(&mut self) -> Result<Next> {
        Ok(self.next_access(Access::Closed))
    }

    fn next_access(&mut self, wanted: Access) -> Next {
        let behind = self.credentials().find(|(n, _)| self.state.versions[*n].access < wanted);
        let Some((n, account)) = behind else { return Next::Done };
        let change =
            |step| Next::Act(Action::Change(Change::Credential { secret: n, step, account: account.to_string() }));
        let look = |which| Next::Act(Action::Look(Look::Login { secret: n, which }));
        match self.state.versions[n].access {
            Access::Old | Access::Setting => change(CredentialStep::Set),
            Access::Set => look(Which::New),
            Access::NewWorks => look(Which::Old),
            Access::Proved | Access::Revoking => change(CredentialStep::Revoke),
            Access::Revoked => look(Which::Old),
            Access::Closed | Access::Restored => Next::Done,
        }
    }

    /// The secrets whose passwords change, with whose they are.
    fn credentials(&self) -> impl Iterator<Item = (usize, Account)> + '_ {
        let secrets = self.state.plan.secrets.iter().enumerate();
        secrets.filter_map(|(n, secret)| Some((n, secret.credential.clone()?)))
    }

    pub(super) fn credential_answered(&mut self, reply: Reply, now: Now) -> Result<()> {
        let wanted = match self.state.stage {
            Stage::Credential => self.state.access_before_consumers(),
            _ => Access::Closed,
        };
        let behind = self.credentials().find(|(n, _)| self.state.versions[*n].access < wanted);
        let Some((n, account)) = behind else { return Ok(()) };
        let access = self.state.versions[n].access;
        match (access, reply) {
            (_, Reply::Unknown(error)) => self.look_later(&error, now),
            (_, Reply::Refused(error)) if error.is_retryable() => self.look_later(&error, now),
            (Access::Old | Access::Setting, Reply::Refused(error)) => {
                let text = format!("the password of {account} could not be set: {error}");
                self.emit(Event::UndoBegun { reason: text })
            }
            (_, Reply::Refused(error)) => {
                let text = format!(
                    "the old password of {account} could not be ended: {error}: end it, then `swarmsecrets resume {}`",
                    self.state.rotation
                );
                self.stop(End::NeedsHuman, text)
            }
            (Access::Old | Access::Setting, Reply::Done(_)) => self.reached(n, Access::Set, None),
            (Access::Proved | Access::Revoking, Reply::Done(_)) => self.reached(n, Access::Revoked, None),
            (_, Reply::Done(Answer::Login(login))) => self.logged_in(n, &account, login, now),
            (_, Reply::Done(_)) => Ok(()),
        }
    }

    fn logged_in(&mut self, n: usize, account: &Account, login: Login, now: Now) -> Result<()> {
        let holds_two = account.way.holds_two();
        match (self.state.versions[n].access, login) {
            (_, Login::Unclear(error)) => self.look_later(&error, now),
            (Access::Set, Login::Works) => self.reached(n, Access::NewWorks, None),
            (Access::Set, Login::Refused) => {
                let reason = format!("the new password of {account} was set and does not log in");
                self.emit(Event::UndoBegun { reason })
            }
            (Access::Set, Login::Untestable(why)) => self.reached(
                n,
                Access::NewWorks,
                Some(format!("the new password of {account} could not be tested: {why}")),
            ),
            (Access::NewWorks, Login::Refused) if holds_two && self.state.plan.strategy == Strategy::Overlap => {
                let reason = format!("the old password of {account} does not log in beside the new one");
                self.emit(Event::UndoBegun { reason })
            }
            (Access::NewWorks, _) => self.reached(n, Access::Proved, None),
            (Access::Revoked, Login::Works) => {
                let text =
                    format!("the old password of {account} was ended and still logs in: end it in the system itself");
                self.stop(End::NeedsHuman, text)
            }
            (Access::Revoked, Login::Refused) => self.reached(n, Access::Closed, None),
            (Access::Revoked, Login::Untestable(why)) => {
                let note = format!("whether the old password of {account} is refused could not be tested: {why}");
                self.reached(n, Access::Closed, Some(note))
            }
            _ => Ok(()),
        }
    }

    fn reached(&mut self, secret: usize, access: Access, note: Option<String>) -> Result<()> {
        self.emit(Event::Credential { secret, access, note })
    }

    /// On the way back: the next password that gets its old value again. Where the old one ended as the new one was set, that
    /// comes before the consumers, who need it; otherwise after them, as both log in until then.
    pub(super) fn credential_to_restore(&self, before_consumers: bool) -> Option<Next> {
        let touched = |n: usize| (Access::Setting..Access::Revoking).contains(&self.state.versions[n].access);
        let turn = |account: &Account| (account.way == Way::Replaces) == before_consumers;
        let (n, account) = self.credentials().find(|(n, account)| touched(*n) && turn(account))?;
        let undo = Change::Credential { secret: n, step: CredentialStep::Undo, account: account.to_string() };
        Some(Next::Act(Action::Change(undo)))
    }

    /// Whether the reply is to [`Rotation::credential_to_restore`].
    pub(super) fn credential_restored(&mut self, reply: Reply, now: Now) -> Result<()> {
        let touched = |n: usize| (Access::Setting..Access::Revoking).contains(&self.state.versions[n].access);
        // Those that come before the consumers come first.
        let order = |account: &Account| account.way != Way::Replaces;
        let mut open: Vec<(usize, Account)> = self.credentials().filter(|(n, _)| touched(*n)).collect();
        open.sort_by_key(|(n, account)| (order(account), *n));
        let Some((n, account)) = open.into_iter().next() else { return Ok(()) };
        match reply {
            Reply::Done(_) => self.reached(n, Access::Restored, None),
            Reply::Unknown(error) => self.look_later(&error, now),
            Reply::Refused(error) if error.is_retryable() => self.look_later(&error, now),
            Reply::Refused(error) => {
                let text = format!(
                    "the old password of {account} could not be restored: {error}; both versions are kept: restore it, then `swarmsecrets resume {}`",
                    self.state.rotation
                );
                self.stop(End::NeedsHuman, text)
            }
        }
    }

    /// What forbids an undo: an old password that was ended does not come back.
    pub(super) fn ended_password(&self) -> Result<()> {
        match self.credentials().find(|(n, _)| {
            self.state.versions[*n].access >= Access::Revoking && self.state.versions[*n].access != Access::Restored
        }) {
            None => Ok(()),
            Some((_, account)) => Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "rotation {} cannot be undone: the old password of {account} was ended; rotate again",
                    self.state.rotation
                ),
            )),
        }
    }
}
