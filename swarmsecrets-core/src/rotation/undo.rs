//! The way back: whether there is anything to go back to, the order of things, and the removal of the new versions.

use super::action::{Action, Answer, Change, Look, Reply};
use super::machine::{LookFirst, Next, Rotation};
use super::prepare::SURE;
use super::state::{Progress, Versions};
use crate::clock::Now;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SecretId, SecretName, quoted, quoted_list};
use crate::inventory::{Inventory, SecretVersion, ServiceNode, label};
use crate::journal::{End, Event};
use crate::plan::{PlannedConsumer, VersionRef, made_by};
use crate::policy::Direction;
use crate::transport::services_named;

impl Rotation {
    /// Puts back what was touched, the last one first, then the stacks, and then removes the new versions.
    pub(super) fn undo(&mut self, now: Now) -> Result<Next> {
        if let Some(next) = self.look_for_old() {
            return Ok(next);
        }
        if let Some(next) = self.offer_again(now)? {
            return Ok(next);
        }
        let done = self.work.hands.is_empty() && self.to_put_back().is_empty();
        if let Some(reason) = self.state.stuck().filter(|_| done) {
            let id = &self.state.rotation;
            let text = format!(
                "a consumer could not be put back: {reason}; both versions are kept: mend it, then `swarmsecrets resume {id}`"
            );
            self.stop(End::NeedsHuman, text)?;
            return Ok(Next::Again);
        }
        if let Some(next) = self.look_before_restoring() {
            return Ok(next);
        }
        if let Some(next) = self.restore_credential(|way| !way.holds_two()) {
            return Ok(next);
        }
        if self.state.versions.iter().any(|v| v.created.is_some()) {
            let touched = self.to_put_back();
            for n in touched.into_iter().rev().take(self.free_hands()) {
                self.take_in_hand(n, Direction::Restore);
            }
        }
        if !self.work.hands.is_empty() {
            return self.turn(now);
        }
        if let Some(next) = self.restore_credential(|_| true) {
            return Ok(next);
        }
        match self.put_stacks_back() {
            Some(next) => Ok(next),
            None => self.withdraw(),
        }
    }

    /// Takes in the reply to what an undo has sent, or looked at.
    pub(super) fn undone(&mut self, reply: Reply, sent: bool, now: Now) -> Result<()> {
        if self.unseen().is_some() {
            return self.old_looked_for(reply, now);
        }
        if let Some(secret) = self.work.restoring.take() {
            return self.credential_restored(secret, reply, sent, now);
        }
        match reply {
            Reply::Done(Answer::World(world)) if self.put_stacks_back().is_some() => self.unsettled(&world),
            reply => self.withdrawn(reply, sent, now),
        }
    }

    /// The next old version that the undo has not seen yet, with its place.
    pub(super) fn unseen(&self) -> Option<(usize, VersionRef)> {
        let made = self.state.versions.iter().zip(&self.state.plan.secrets).enumerate();
        let mut made = made.filter(|(_, (version, _))| version.created.is_some());
        let (n, (_, planned)) = made.nth(self.work.old_seen)?;
        Some((n, planned.previous.clone()?))
    }

    /// What the undo looks for first: the old versions, to which it goes back; and where one is gone, its new one.
    pub(super) fn look_for_old(&self) -> Option<Next> {
        let (n, previous) = self.unseen()?;
        let name = if self.work.old_gone { self.next_name(n) } else { previous.name };
        Some(Next::Act(Action::Look(Look::Version(name))))
    }

    /// An old version may be gone: a process that died may just have removed it, or a person has. Then the new one must stay.
    pub(super) fn old_looked_for(&mut self, reply: Reply, now: Now) -> Result<()> {
        let Some((n, previous)) = self.unseen() else { return Ok(()) };
        let ours = self.state.versions[n].created.as_ref().map(|created| created.id.clone());
        match reply {
            Reply::Done(Answer::Version(found)) if self.work.old_gone => {
                if found.is_some_and(|found| Some(found.id) == ours) {
                    return self.old_is_gone(n, previous.name);
                }
                // A manager that has just lost the lead may not know of it yet.
                if self.work.tries < SURE {
                    let text = format!("`{}` is not there", self.next_name(n));
                    return self.look_later(&Error::new(ErrorKind::Conflict, text), now);
                }
                self.both_are_gone(n, &previous.name)
            }
            Reply::Done(Answer::Version(Some(found))) if found.id == previous.id => {
                self.work.old_seen += 1;
                Ok(())
            }
            Reply::Done(_) => {
                self.work.old_gone = true;
                Ok(())
            }
            Reply::Refused(error) | Reply::Unknown(error) => self.look_later(&error, now),
        }
    }

    fn both_are_gone(&mut self, n: usize, old: &SecretName) -> Result<()> {
        let id = self.state.rotation.clone();
        let gone = format!("`{old}` is gone, and so is `{}`", self.next_name(n));
        let others = self.state.versions.iter().enumerate().filter(|(other, _)| *other != n);
        let rest = others.filter(|(_, v)| v.may_be_there()).count();
        let account = self.to_restore().next().map(|(_, account)| account);
        let then = match (account, rest) {
            (Some(account), _) => format!("the password of {account} may be that of either: see which one serves"),
            (None, 0) => {
                self.leave_all()?;
                let text = format!("nothing is left of it: {gone}; `swarmsecrets inventory` shows what serves now");
                return self.stop(End::Conflict, text);
            }
            (None, _) => "its other versions are kept: see that every service works with what it mounts".to_owned(),
        };
        let text =
            format!("it cannot be undone: {gone}; {then}; `swarmsecrets resume {id}` looks again, {}", self.or_close());
        self.stop(End::NeedsHuman, text)
    }

    /// What a person does about what can neither go on nor back.
    pub(super) fn or_close(&self) -> String {
        format!("or, once it is seen to by hand, `swarmsecrets close {}`", self.state.rotation)
    }

    /// What was touched mounts versions of others by now: those of this rotation are gone.
    fn leave_all(&mut self) -> Result<()> {
        for n in self.to_put_back() {
            let PlannedConsumer { id, service, .. } = self.state.plan.consumers[n].clone();
            let reason = format!("somebody else changed the secret reference of {} meanwhile", quoted(&service));
            self.emit(Event::ConsumerLeft { service: id, reason })?;
        }
        Ok(())
    }

    fn old_is_gone(&mut self, n: usize, name: SecretName) -> Result<()> {
        let new = self.next_name(n);
        if let Some(account) = self.unset_password() {
            let text = format!(
                "it cannot be undone: `{name}` is gone; `{new}` is kept, and the password of {account} is not known to be what is in it: set it there, as this rotation cannot, then `swarmsecrets close {}`",
                self.state.rotation
            );
            return self.stop(End::NeedsHuman, text);
        }
        let moved = self.state.consumers.iter().all(|p| matches!(p, Progress::Converged(_) | Progress::Left(_)));
        if moved && self.state.versions.iter().all(|v| v.owned && !v.withdrawn) {
            let note = format!("it cannot be undone: `{name}` is gone, so `{new}` stays");
            return self.emit(Event::Retired { secret: n, name, notes: vec![note] });
        }
        let text = format!(
            "it cannot be undone: `{name}` is gone; `{new}` is kept, and the services that use it: see that every service works with it, then `swarmsecrets close {}`; `swarmsecrets rotate {new}` if its value is bad",
            self.state.rotation
        );
        self.stop(End::NeedsHuman, text)
    }

    /// The new version that is to be removed next: the last one made.
    fn to_withdraw(&self) -> Option<usize> {
        self.state.versions.iter().rposition(Versions::may_be_there)
    }

    /// Removes the new versions, once nothing is on them any more.
    pub(super) fn withdraw(&mut self) -> Result<Next> {
        let Some(n) = self.to_withdraw() else {
            let sent = self.state.versions.iter().any(|v| v.create_sent || v.created.is_some());
            let reason = self.state.undo.clone().unwrap_or_else(|| "it was undone".into());
            self.stop(if sent { End::RolledBack } else { End::NotStarted }, reason)?;
            return Ok(Next::Again);
        };
        let name = self.next_name(n);
        match &self.state.versions[n].created {
            Some(_) if self.work.look.is_none() && self.work.cleared.is_none() => {
                Ok(Next::Act(Action::Look(Look::World)))
            }
            Some(created) if self.work.look.is_none() => {
                let remove = Change::Remove { id: created.id.clone(), name, direction: Direction::Restore };
                Ok(Next::Act(Action::Change(remove)))
            }
            _ => Ok(Next::Act(Action::Look(Look::Version(name)))),
        }
    }

    /// A version that a later rotation made from this new one.
    pub(super) fn made_from<'a>(&self, n: usize, world: &'a Inventory) -> Option<&'a SecretVersion> {
        let name = self.next_name(n);
        let previous = |v: &SecretVersion| v.labels.get(label::PREVIOUS) == Some(name.as_str());
        world.versions().find(|v| previous(v) && v.labels.get(label::ROTATION).is_some())
    }

    /// A version that another rotation has made from the same old one since, as somebody had taken ours away.
    pub(super) fn made_beside<'a>(&self, n: usize, world: &'a Inventory) -> Option<&'a SecretVersion> {
        let previous = self.planned(n).previous.as_ref()?;
        let ours = self.new_in(n, world).map(|ours| ours.created);
        let of_old = |v: &SecretVersion| v.labels.get(label::PREVIOUS) == Some(previous.name.as_str());
        let by_another = |v: &SecretVersion| {
            v.labels.get(label::ROTATION).is_some_and(|rotation| rotation != self.state.rotation.as_str())
        };
        world.versions().find(|v| of_old(v) && by_another(v) && ours.is_none_or(|ours| ours < v.created))
    }

    /// A person must undo a later rotation, which came from a version, before this one goes on.
    pub(super) fn undo_first(&mut self, what: &str, later: &SecretVersion, from: &str) -> Result<()> {
        let text = format!(
            "{what} a later rotation, {}, which made `{}` from {from}: undo that one first, then `swarmsecrets resume {}`, {}",
            quoted(later.labels.get(label::ROTATION).unwrap_or_default()),
            later.name,
            self.state.rotation,
            self.or_close()
        );
        self.stop(End::NeedsHuman, text)
    }

    /// Whether a new version may go: nothing that can be seen runs on it or names it, and no later rotation comes from it,
    /// which could not be undone without it.
    fn new_is_free(&mut self, n: usize, world: &Inventory, now: Now) -> Result<()> {
        let Some(created) = self.state.versions[n].created.clone() else { return Ok(()) };
        let used = self.used(n);
        // Another one may have got the name of ours, if somebody has removed that; or had it, before ours was made.
        let ours = self.new_in(n, world);
        let from_ours = |later: &&SecretVersion| ours.is_some_and(|ours| ours.created <= later.created);
        if let Some(later) = self.made_from(n, world).filter(from_ours) {
            return self.undo_first(&used, later, "it");
        }
        if !self.is_on_new(&created.id, &used, world, now)? {
            self.work.cleared = Some(Vec::new());
        }
        Ok(())
    }

    /// What stands before those who use a new version.
    fn used(&self, n: usize) -> String {
        format!("`{}` cannot be removed: it is used by", self.next_name(n))
    }

    /// Whether something still runs on a new version that is to go, which is then waited for, put back once more, or told to
    /// a person.
    pub(super) fn is_on_new(&mut self, new: &SecretId, what: &str, world: &Inventory, now: Now) -> Result<bool> {
        let services: Vec<&ServiceNode> =
            world.services.iter().map(|s| &**s).filter(|s| !self.is_needed(&s.id)).collect();
        if let Some((consumer, service)) = self.moved_again(new, &services) {
            let text = format!("{what} {}", quoted(&service.name));
            self.put_back_again(consumer)?;
            self.look_later(&Error::new(ErrorKind::Conflict, text), now)?;
        } else if let Some(service) = services.iter().find(|s| s.references.iter().any(|r| r.id == new.as_str())) {
            self.not_ours(&format!("{what} {}", quoted(&service.name)))?;
        } else if let Some(service) = services.iter().find(|s| s.tasks.mounts(new).wanted > 0) {
            let text = format!("{what} running tasks of {}", quoted(&service.name));
            self.look_later(&Error::new(ErrorKind::Conflict, text), now)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn not_ours(&mut self, used: &str) -> Result<()> {
        let text = format!(
            "the old version serves again, but {used}, which this rotation did not move: bring that to the old version, then `swarmsecrets resume {}`",
            self.state.rotation
        );
        self.stop(End::NeedsHuman, text)
    }

    /// A consumer that is on the new version once more: a process that stood still may have moved it after it was put back.
    fn moved_again<'a>(&self, new: &SecretId, services: &[&'a ServiceNode]) -> Option<(usize, &'a ServiceNode)> {
        let consumers = &self.state.plan.consumers;
        services.iter().find_map(|service| {
            let mut on_new = service.references.iter().filter(|r| r.id == new.as_str()).peekable();
            on_new.peek()?;
            let n = consumers.iter().position(|c| c.id == service.id)?;
            let ours = on_new.any(|r| consumers[n].mounts.iter().any(|mount| mount.target == r.target));
            (ours && self.state.consumers[n] != Progress::Pending).then_some((n, *service))
        })
    }

    /// The consumers that the Engine names, by their places in the plan.
    fn consumers_named(&self, error: &Error) -> Vec<usize> {
        let named = services_named(error);
        let consumers = self.state.plan.consumers.iter().enumerate();
        consumers.filter(|(_, c)| named.contains(&c.service)).map(|(n, _)| n).collect()
    }

    /// A new version cannot go as consumers use it: whatever was put back is not so any more.
    fn still_used(&mut self, n: usize, consumers: Vec<usize>, error: &Error, now: Now) -> Result<()> {
        self.work.cleared = None;
        for consumer in consumers {
            if matches!(self.state.consumers[consumer], Progress::Restored(_)) {
                self.put_back_again(consumer)?;
            }
        }
        let text = format!("{} {}", self.used(n), quoted_list(services_named(error)));
        self.look_later(&Error::new(ErrorKind::Conflict, text), now)
    }

    fn put_back_again(&mut self, consumer: usize) -> Result<()> {
        let service = self.state.plan.consumers[consumer].id.clone();
        match self.state.consumers[consumer].clone() {
            Progress::Restored(Some(reason)) => self.emit(Event::ConsumerFailed { service, reason }),
            _ => self.emit(Event::ConsumerBegun { service }),
        }
    }

    pub(super) fn withdrawn(&mut self, reply: Reply, sent: bool, now: Now) -> Result<()> {
        let Some(n) = self.to_withdraw() else { return Ok(()) };
        let name = self.next_name(n);
        match reply {
            Reply::Done(Answer::World(world)) => self.new_is_free(n, &world, now),
            Reply::Done(Answer::Version(Some(found))) => {
                self.work.look = None;
                let ours = found.rotation.as_deref() == Some(self.state.rotation.as_str());
                match (&self.state.versions[n].created, ours) {
                    // Ours is gone, and the name is somebody else's now.
                    (Some(created), _) if created.id != found.id => self.emit(Event::Withdrawn { secret: n }),
                    (None, true) => self.adopt(n, found),
                    (None, false) if self.state.versions.iter().any(|v| v.created.is_some() && !v.withdrawn) => {
                        self.emit(Event::Withdrawn { secret: n })
                    }
                    (None, false) => {
                        let by = made_by(found.rotation.as_deref());
                        self.stop(End::Conflict, format!("someone else is rotating: `{name}` was made {by}"))
                    }
                    (Some(_), _) => Ok(()),
                }
            }
            Reply::Done(_) => self.emit(Event::Withdrawn { secret: n }),
            Reply::Refused(error) if sent && error.kind() == ErrorKind::NotFound => {
                self.emit(Event::Withdrawn { secret: n })
            }
            Reply::Refused(error) if error.kind() == ErrorKind::InUse => match self.consumers_named(&error) {
                named if named.is_empty() => {
                    self.not_ours(&format!("{} {}", self.used(n), quoted_list(services_named(&error))))
                }
                named => self.still_used(n, named, &error, now),
            },
            Reply::Refused(error) | Reply::Unknown(error) => {
                self.work.look = Some(LookFirst::Unknown);
                self.look_later(&error, now)
            }
        }
    }
}
