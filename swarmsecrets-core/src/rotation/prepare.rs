//! The new versions: made and given their owners on the way forward, removed on the way back.

use super::action::{Action, Answer, Change, FoundVersion, Look, Reply};
use super::machine::{LookFirst, Next, Rotation};
use super::state::Progress;
use crate::clock::Now;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SecretName, quoted, quoted_list};
use crate::inventory::{Inventory, SecretVersion, label};
use crate::journal::{End, Event};
use crate::plan::{PlannedSecret, VersionRef, made_by};
use crate::policy::Direction;
use crate::transport::services_named;

impl Rotation {
    /// The baselines of the probes, then one secret after the other: made, then given its owner.
    pub(super) fn prepare(&mut self) -> Result<Next> {
        if let Some(next) = self.measure()? {
            return Ok(next);
        }
        match self.state.versions.iter().position(|v| !v.owned) {
            Some(n) if self.state.versions[n].created.is_none() => self.create(n),
            Some(n) => self.own(n),
            None => Ok(Next::Done),
        }
    }

    pub(super) fn prepared(&mut self, reply: Reply, now: Now) -> Result<()> {
        if let Some(n) = self.unmeasured() {
            return self.measured(n, reply, now);
        }
        match self.state.versions.iter().position(|v| !v.owned) {
            Some(n) if self.state.versions[n].created.is_none() => self.created(n, reply, now),
            Some(n) => self.owned(n, reply, now),
            None => Ok(()),
        }
    }

    fn planned(&self, n: usize) -> &PlannedSecret {
        &self.state.plan.secrets[n]
    }

    fn next_name(&self, n: usize) -> SecretName {
        self.planned(n).next.name.clone()
    }

    /// A create whose outcome is not known is looked for first: its name and its rotation label tell.
    fn create(&mut self, n: usize) -> Result<Next> {
        if self.state.interrupted && self.nothing_sent() {
            self.stop(End::NotStarted, "it was interrupted before anything was done")?;
            return Ok(Next::Again);
        }
        let fresh = self.work.look.is_none() && self.work.tries == 0;
        let name = self.next_name(n);
        if self.work.look.is_some() || (self.state.versions[n].create_sent && fresh) {
            return Ok(Next::Act(Action::Look(Look::Version(name))));
        }
        let labels = self.planned(n).next.labels.with([(label::ROTATION, self.state.rotation.as_str())]);
        Ok(Next::Act(Action::Change(Change::Create { secret: n, name, labels })))
    }

    fn created(&mut self, n: usize, reply: Reply, now: Now) -> Result<()> {
        let name = self.next_name(n);
        match reply {
            Reply::Done(Answer::Created(found)) => self.adopt(n, found),
            Reply::Done(Answer::Version(Some(found))) => {
                if found.rotation.as_deref() == Some(self.state.rotation.as_str()) {
                    return self.adopt(n, found);
                }
                let by = made_by(found.rotation.as_deref());
                self.not_made(n, End::Conflict, format!("someone else is rotating: `{name}` was made {by}"))
            }
            Reply::Done(Answer::Version(None)) if self.work.look == Some(LookFirst::Taken) => {
                let text = format!(
                    "someone else is rotating: `{name}` is said to be taken, and this account cannot see by what: ask an administrator what it is"
                );
                self.not_made(n, End::Conflict, text)
            }
            Reply::Done(_) => {
                // It never landed: the same create may be sent again, its name fences it.
                self.work.look = None;
                self.work.tries += 1;
                Ok(())
            }
            Reply::Refused(error) if error.kind() == ErrorKind::Conflict => {
                self.work.look = Some(LookFirst::Taken);
                Ok(())
            }
            Reply::Refused(error) if self.work.look.is_some() => self.look_later(&error, now),
            Reply::Refused(error) => self.not_made(n, End::NotStarted, error.to_string()),
            Reply::Unknown(error) => {
                self.work.look.get_or_insert(LookFirst::Unknown);
                self.look_later(&error, now)
            }
        }
    }

    fn adopt(&mut self, n: usize, found: FoundVersion) -> Result<()> {
        let control = found.owner.as_ref().and_then(|o| o.control);
        self.emit(Event::Created { secret: n, id: found.id, control, owner: found.owner })
    }

    /// A version that certainly was not made by us ends the rotation; those that were made before it go again first.
    fn not_made(&mut self, n: usize, end: End, reason: String) -> Result<()> {
        if self.state.versions.iter().all(|v| v.created.is_none()) {
            return self.stop(end, reason);
        }
        self.undo_because(reason)?;
        self.emit(Event::Withdrawn { secret: n })
    }

    fn own(&mut self, n: usize) -> Result<Next> {
        let wanted = self.planned(n).owner.clone();
        let created = self.state.versions[n].created.as_ref();
        let control = created.and_then(|c| c.control);
        let is = created.and_then(|c| c.owner.as_ref());
        let (Some(wanted), Some(control)) = (wanted, control) else {
            self.emit(Event::Owned { secret: n, note: None })?;
            return Ok(Next::Again);
        };
        if is.is_some_and(|o| o.same_access(&wanted)) {
            self.emit(Event::Owned { secret: n, note: None })?;
            return Ok(Next::Again);
        }
        let name = self.next_name(n);
        if self.work.look.is_some() {
            return Ok(Next::Act(Action::Look(Look::Version(name))));
        }
        Ok(Next::Act(Action::Change(Change::Own { control, owner: wanted, name })))
    }

    fn owned(&mut self, n: usize, reply: Reply, now: Now) -> Result<()> {
        match reply {
            Reply::Done(Answer::Version(found)) => {
                self.work.look = None;
                let is = found.and_then(|f| f.owner);
                let same = matches!((&is, &self.planned(n).owner), (Some(is), Some(wanted)) if is.same_access(wanted));
                if same { self.emit(Event::Owned { secret: n, note: None }) } else { Ok(()) }
            }
            Reply::Done(_) => self.emit(Event::Owned { secret: n, note: None }),
            Reply::Refused(error) => {
                let text = format!("`{}` could not be given its owner: {error}", self.next_name(n));
                if !self.state.plan.allow.owner {
                    return self.undo_because(text);
                }
                let note = Some(format!("{text}; it belongs to {} alone, as was allowed", self.state.plan.account));
                self.emit(Event::Owned { secret: n, note })
            }
            Reply::Unknown(error) => {
                self.work.look = Some(LookFirst::Unknown);
                self.look_later(&error, now)
            }
        }
    }

    /// The next old version that the undo has not seen yet, with its place.
    pub(super) fn unseen(&self) -> Option<(usize, VersionRef)> {
        let made = self.state.versions.iter().zip(&self.state.plan.secrets).enumerate();
        let mut made = made.filter(|(_, (version, _))| version.created.is_some());
        let (n, (_, planned)) = made.nth(self.work.old_seen)?;
        Some((n, planned.previous.clone()?))
    }

    /// An old version may be gone: a process that died may just have removed it, or a person has. Then the new one must stay.
    pub(super) fn old_looked_for(&mut self, reply: Reply, now: Now) -> Result<()> {
        let Some((n, previous)) = self.unseen() else { return Ok(()) };
        match reply {
            Reply::Done(Answer::Version(Some(found))) if found.id == previous.id => self.work.old_seen += 1,
            Reply::Done(_) => return self.old_is_gone(n, previous.name),
            Reply::Refused(error) | Reply::Unknown(error) => return self.look_later(&error, now),
        }
        Ok(())
    }

    fn old_is_gone(&mut self, n: usize, name: SecretName) -> Result<()> {
        let new = self.next_name(n);
        if let Some(account) = self.unset_password() {
            let text = format!(
                "it cannot be undone: `{name}` is gone; `{new}` is kept, and the password of {account} is not known to be what is in it: set it there, as this rotation cannot"
            );
            return self.stop(End::NeedsHuman, text);
        }
        if self.state.consumers.iter().all(|p| matches!(p, Progress::Converged(_) | Progress::Left(_))) {
            let note = format!("it cannot be undone: `{name}` is gone, so `{new}` stays");
            return self.emit(Event::Retired { secret: n, name, notes: vec![note] });
        }
        let text = format!(
            "it cannot be undone: `{name}` is gone; `{new}` is kept, and the services that use it: see that every service works with it, and `swarmsecrets rotate {new}` if its value is bad"
        );
        self.stop(End::NeedsHuman, text)
    }

    /// The new version that is to be removed next: the last one made.
    fn to_withdraw(&self) -> Option<usize> {
        self.state.versions.iter().rposition(|v| !v.withdrawn && (v.create_sent || v.created.is_some()))
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

    /// Whether a new version may go: no task is meant to run on it, and no later rotation comes from it, which could not be
    /// undone without it. Services that name it are the Engine's to see.
    fn new_is_free(&mut self, n: usize, world: &Inventory, now: Now) -> Result<()> {
        let (Some(created), name) = (&self.state.versions[n].created, self.next_name(n)) else { return Ok(()) };
        let later = |v: &&SecretVersion| {
            v.labels.get(label::PREVIOUS) == Some(name.as_str()) && v.labels.get(label::ROTATION).is_some()
        };
        // Another one may have got the name of ours, if somebody has removed that.
        let mut versions = world.secrets.iter().flat_map(|s| &s.versions);
        let there = versions.clone().any(|version| version.id == created.id);
        if let Some(later) = versions.find(later).filter(|_| there) {
            let text = format!(
                "`{name}` cannot be removed: it is used by a later rotation, {}, which made `{}` from it: undo that one first, then `swarmsecrets resume {}`",
                quoted(later.labels.get(label::ROTATION).unwrap_or_default()),
                later.name,
                self.state.rotation
            );
            return self.stop(End::NeedsHuman, text);
        }
        if let Some(service) = world.services.iter().find(|s| s.tasks.mounts(&created.id).wanted > 0) {
            let text = format!("`{name}` cannot be removed: it is used by running tasks of {}", quoted(&service.name));
            return self.look_later(&Error::new(ErrorKind::Conflict, text), now);
        }
        self.work.cleared = Some(Vec::new());
        Ok(())
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
            Reply::Refused(error) if error.kind() == ErrorKind::InUse => {
                let by = quoted_list(services_named(&error));
                let text = format!(
                    "the old version serves again, but `{name}` cannot be removed: it is used by {by}, which this rotation did not move: bring that to the old version, then `swarmsecrets resume {}`",
                    self.state.rotation
                );
                self.stop(End::NeedsHuman, text)
            }
            Reply::Refused(error) | Reply::Unknown(error) => {
                self.work.look = Some(LookFirst::Unknown);
                self.look_later(&error, now)
            }
        }
    }
}
