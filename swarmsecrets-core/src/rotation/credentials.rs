//! The passwords behind secrets, changed in step: set and proved before the consumers move, ended after.

use super::action::{Action, Answer, Change, Login, Look, Reply, Which};
use super::machine::{Next, Rotation};
use super::retire::{Users, users};
use super::state::Stage;
use crate::clock::Now;
use crate::credential::{Account, Way};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::SecretId;
use crate::inventory::{Inventory, Visibility};
use crate::journal::{Access, CredentialStep, End, Event};
use crate::plan::Strategy;

impl Rotation {
    /// Sets the new passwords and proves them. A revocation ends the old ones here, before anything else.
    pub(super) fn set_credentials(&mut self, now: Now) -> Result<Next> {
        match self.ready_providers(now)? {
            Some(next) => Ok(next),
            None => Ok(self.next_access()),
        }
    }

    /// Ends the old passwords, once no consumer and no stack file is left behind.
    pub(super) fn close_credentials(&mut self, now: Now) -> Result<Next> {
        match self.ready_providers(now)? {
            Some(next) => Ok(next),
            None => Ok(self.close_next()),
        }
    }

    /// Swarm guards a secret that is in use; nothing guards a password, so the world is looked at just before one ends.
    fn close_next(&self) -> Next {
        let seen = self.work.cleared.is_some();
        // Also where a run before had begun to end it: its request may never have been sent.
        let sends = |n: usize| matches!(self.state.versions[n].access, Access::Proved | Access::Revoking);
        match self.behind() {
            Some((n, _)) if sends(n) && !seen => Next::Act(Action::Look(Look::World)),
            _ => self.next_access(),
        }
    }

    fn next_access(&self) -> Next {
        let Some((n, account)) = self.behind() else { return Next::Done };
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

    /// The next password that is not as far as this stage brings it. All new ones are proved before the first old one is
    /// ended: up to there all can be undone.
    fn behind(&self) -> Option<(usize, Account)> {
        let wanted = match self.state.stage {
            Stage::Credential => self.state.access_before_consumers(),
            _ => Access::Closed,
        };
        let below = |wanted| self.credentials().find(|(n, _)| self.state.versions[*n].access < wanted);
        below(wanted.min(Access::Proved)).or_else(|| below(wanted))
    }

    /// The secrets whose passwords change, with whose they are.
    fn credentials(&self) -> impl Iterator<Item = (usize, Account)> + '_ {
        let secrets = self.state.plan.secrets.iter().enumerate();
        secrets.filter_map(|(n, secret)| Some((n, secret.credential.clone()?)))
    }

    pub(super) fn credential_answered(&mut self, reply: Reply, now: Now) -> Result<()> {
        let Some((n, account)) = self.behind() else { return Ok(()) };
        let access = self.state.versions[n].access;
        match (access, reply) {
            (_, Reply::Done(Answer::World(world))) => self.may_close(n, &account, &world, now),
            (_, Reply::Unknown(error)) => self.ask_later(error, &account, now),
            (_, Reply::Refused(error)) if error.is_retryable() => self.ask_later(error, &account, now),
            (Access::Old | Access::Setting, Reply::Refused(error)) => {
                self.undo_because(format!("the password of {account} could not be set: {error}"))
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
            (_, Login::Unclear(error)) => self.ask_later(error, account, now),
            (Access::Set, Login::Works) => self.reached(n, Access::NewWorks, None),
            (Access::Set, Login::Refused) => {
                self.undo_because(format!("the new password of {account} was set and does not log in"))
            }
            (Access::Set, Login::Untestable(why)) => self.reached(
                n,
                Access::NewWorks,
                Some(format!("the new password of {account} could not be tested: {why}")),
            ),
            (Access::NewWorks, Login::Refused) if holds_two && self.state.plan.strategy == Strategy::Overlap => {
                self.undo_because(format!("the old password of {account} does not log in beside the new one"))
            }
            (Access::NewWorks, _) => self.reached(n, Access::Proved, None),
            (Access::Revoked, Login::Works) => {
                let text = format!(
                    "the old password of {account} was ended and still logs in: end it in the system itself, then `swarmsecrets resume {}`",
                    self.state.rotation
                );
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

    fn ask_later(&mut self, error: Error, account: &Account, now: Now) -> Result<()> {
        self.look_later(&error.context(format!("nothing is heard of the password of {account}")), now)
    }

    fn reached(&mut self, secret: usize, access: Access, note: Option<String>) -> Result<()> {
        self.emit(Event::Credential { secret, access, note })
    }

    /// Whoever still uses the old version would be locked out, and so perhaps who cannot be seen.
    fn may_close(&mut self, n: usize, account: &Account, world: &Inventory, now: Now) -> Result<()> {
        let Some(previous) = self.state.plan.secrets[n].previous.clone() else { return Ok(()) };
        if self.lacks(n, world)? {
            return Ok(());
        }
        if let Some(service) = self.may_roll_back(world) {
            let text = format!("the old password of {account} is not ended: Swarm may yet roll {service} back to it");
            return self.look_later(&Error::new(ErrorKind::Conflict, text), now);
        }
        let why = match (users(world, &previous, true, self.beside(n)), &world.visibility) {
            (Users::Dying(who), _) => {
                let text = format!("`{}` is mounted by what should stop and was not seen to: {who}", previous.name);
                return self.look_later(&Error::new(ErrorKind::Conflict, text), now);
            }
            (Users::Some(who), _) => format!("`{}` is used by {who}", previous.name),
            (Users::None, Visibility::Partial { reason }) => {
                format!("the view is partial ({reason}): services that cannot be seen may use `{}`", previous.name)
            }
            (Users::None, Visibility::Full) => {
                self.work.cleared = Some(Vec::new());
                return Ok(());
            }
        };
        let is = match self.state.versions[n].access {
            Access::Revoking => "may have been ended already, and is not ended again",
            _ => "was not ended, and logs in as before",
        };
        let text = format!(
            "the old password of {account} {is}: {why}; mend that, then `swarmsecrets resume {}`",
            self.state.rotation
        );
        self.stop(End::NeedsHuman, text)
    }

    /// The secrets whose passwords an undo gives back.
    pub(super) fn to_restore(&self) -> impl Iterator<Item = (usize, Account)> + '_ {
        let touched = |n: usize| (Access::Setting..Access::Revoking).contains(&self.state.versions[n].access);
        self.credentials().filter(move |(n, _)| touched(*n))
    }

    /// Before anything is put back, and again just before each password is, an undo looks for later rotations: what they
    /// have set since is what serves now, and no request fences it.
    pub(super) fn look_before_restoring(&mut self) -> Option<Next> {
        if self.work.cleared.is_some() || !self.work.hands.is_empty() {
            return None;
        }
        let (n, _) = self.to_restore().next()?;
        self.work.restoring = Some(n);
        Some(Next::Act(Action::Look(Look::World)))
    }

    /// On the way back: the next password of these that gets its old value again. Where the old one ended as the new one was
    /// set, that comes before the consumers, who need it; otherwise after them, as both log in until then.
    pub(super) fn restore_credential(&mut self, turn: impl Fn(Way) -> bool) -> Option<Next> {
        let (n, account) = self.to_restore().find(|(_, account)| turn(account.way))?;
        self.work.restoring = Some(n);
        // Where nobody knows whether the new one was set, the other one may be neither ours nor older.
        let doubtful = account.way.holds_two() && self.state.versions[n].access == Access::Setting;
        if self.work.given_back == Some(n) || (doubtful && !self.work.old_works) {
            return Some(Next::Act(Action::Look(Look::Login { secret: n, which: Which::Old })));
        }
        (self.work.cleared, self.work.old_works) = (None, false);
        let undo = Change::Credential { secret: n, step: CredentialStep::Undo, account: account.to_string() };
        Some(Next::Act(Action::Change(undo)))
    }

    pub(super) fn credential_restored(&mut self, n: usize, reply: Reply, sent: bool, now: Now) -> Result<()> {
        let Some((_, account)) = self.credentials().find(|(other, _)| *other == n) else { return Ok(()) };
        match reply {
            Reply::Done(Answer::World(world)) => self.may_restore(&world, now),
            Reply::Done(Answer::Login(login)) if self.work.given_back == Some(n) => {
                self.given_back_tried(n, &account, login, now)
            }
            Reply::Done(Answer::Login(login)) => self.old_tried(&account, login, now),
            Reply::Refused(error) | Reply::Unknown(error) if !sent => self.look_later(&error, now),
            Reply::Done(_) => {
                self.work.given_back = Some(n);
                Ok(())
            }
            Reply::Unknown(error) => self.ask_later(error, &account, now),
            Reply::Refused(error) if error.is_retryable() => self.ask_later(error, &account, now),
            Reply::Refused(error) => {
                let text = format!(
                    "the old password of {account} could not be restored: {error}; both versions are kept: restore it, then `swarmsecrets resume {}`",
                    self.state.rotation
                );
                self.stop(End::NeedsHuman, text)
            }
        }
    }

    /// Whoever still uses a new version would be locked out, where the old password comes after the consumers.
    fn may_restore(&mut self, world: &Inventory, now: Now) -> Result<()> {
        let first = self.to_restore().next().map(|(n, _)| n);
        if let Some(n) = first
            && self.lacks(n, world)?
        {
            return Ok(());
        }
        let made = self.to_restore().find_map(|(n, account)| Some((account, self.made_from(n, world)?)));
        if let Some((account, later)) = made {
            let what = format!("the old password of {account} is not restored: the new version is used by");
            return self.undo_first(&what, later, "it");
        }
        let beside = self.to_restore().find_map(|(n, account)| Some((account, self.made_beside(n, world)?)));
        if let Some((account, later)) = beside {
            let what =
                format!("the old password of {account} is not restored: the one that serves may have been set by");
            return self.undo_first(&what, later, "the same version");
        }
        if let Some((new, account)) = self.new_to_end().filter(|_| self.to_put_back().is_empty()) {
            let what = format!("the new password of {account} cannot be ended: it is used by");
            if self.is_on_new(&new, &what, world, now)? {
                return Ok(());
            }
        }
        self.work.cleared = Some(Vec::new());
        Ok(())
    }

    fn old_tried(&mut self, account: &Account, login: Login, now: Now) -> Result<()> {
        match login {
            Login::Unclear(error) => {
                self.work.cleared = None;
                self.ask_later(error, account, now)
            }
            Login::Works | Login::Untestable(_) => {
                self.work.old_works = true;
                Ok(())
            }
            Login::Refused => {
                let text = format!(
                    "the old password of {account} does not log in, and nobody knows whether the new one was set: nothing is changed there; see which one serves, then `swarmsecrets resume {}`",
                    self.state.rotation
                );
                self.stop(End::NeedsHuman, text)
            }
        }
    }

    /// A system may say that it was done, and not have done it.
    fn given_back_tried(&mut self, n: usize, account: &Account, login: Login, now: Now) -> Result<()> {
        match login {
            Login::Unclear(error) => self.ask_later(error, account, now),
            Login::Works => self.reached(n, Access::Restored, None),
            Login::Untestable(why) => {
                let note = format!("whether the old password of {account} logs in again could not be tested: {why}");
                self.reached(n, Access::Restored, Some(note))
            }
            Login::Refused => {
                self.work.given_back = None;
                let text = format!(
                    "the old password of {account} was restored and does not log in: see to it in the system itself, then `swarmsecrets resume {}`",
                    self.state.rotation
                );
                self.stop(End::NeedsHuman, text)
            }
        }
    }

    /// The next new version whose password ends once the consumers are back.
    fn new_to_end(&self) -> Option<(SecretId, Account)> {
        let (n, account) = self.to_restore().find(|(_, account)| account.way.holds_two())?;
        Some((self.state.versions[n].created.as_ref()?.id.clone(), account))
    }

    /// The account whose new password was not set, or may not have been, if there is one.
    pub(super) fn unset_password(&self) -> Option<Account> {
        let set = |n: usize| (Access::Set..=Access::Closed).contains(&self.state.versions[n].access);
        self.credentials().find(|(n, _)| !set(*n)).map(|(_, account)| account)
    }

    /// The account whose old password was ended, if one was. It does not come back, and so nothing is undone.
    pub(super) fn ended_password(&self) -> Option<Account> {
        let ended = |n: usize| (Access::Revoking..=Access::Closed).contains(&self.state.versions[n].access);
        self.credentials().find(|(n, _)| ended(*n)).map(|(_, account)| account)
    }
}
