//! The new versions on the way forward: made, and given their owners.

use super::action::{Action, Answer, Change, FoundVersion, Look, Reply};
use super::machine::{LookFirst, Next, Rotation};
use crate::clock::Now;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::SecretName;
use crate::inventory::{Inventory, SecretVersion, label};
use crate::journal::{End, Event};
use crate::plan::{PlannedSecret, made_by};

/// How many looks, some twenty seconds in all, make sure that a version is not there.
pub(super) const SURE: u32 = 6;

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

    pub(super) fn prepared(&mut self, reply: Reply, sent: bool, now: Now) -> Result<()> {
        if let Some(n) = self.unmeasured() {
            return self.measured(n, reply, now);
        }
        match self.state.versions.iter().position(|v| !v.owned) {
            Some(n) if self.state.versions[n].created.is_none() => self.created(n, reply, sent, now),
            Some(n) => self.owned(n, reply, now),
            None => Ok(()),
        }
    }

    pub(super) fn planned(&self, n: usize) -> &PlannedSecret {
        &self.state.plan.secrets[n]
    }

    pub(super) fn next_name(&self, n: usize) -> SecretName {
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
        // It was sent before and is not there: it never landed, or it did and has been replaced since.
        if self.state.versions[n].create_sent && self.work.cleared.is_none() {
            return Ok(Next::Act(Action::Look(Look::World)));
        }
        let labels = self.planned(n).next.labels.with([(label::ROTATION, self.state.rotation.as_str())]);
        Ok(Next::Act(Action::Change(Change::Create { secret: n, name, labels })))
    }

    fn created(&mut self, n: usize, reply: Reply, sent: bool, now: Now) -> Result<()> {
        let name = self.next_name(n);
        if sent {
            self.work.cleared = None;
        }
        match reply {
            Reply::Done(Answer::World(world)) => match self.made_since(n, &world) {
                Some(later) => {
                    let by = made_by(later.labels.get(label::ROTATION));
                    let text = format!("someone else has rotated: `{}` was made {by}", later.name);
                    self.not_made(n, End::Conflict, text)
                }
                None => {
                    self.work.cleared = Some(Vec::new());
                    Ok(())
                }
            },
            Reply::Done(Answer::Created(found)) => self.adopt(n, found),
            Reply::Done(Answer::Version(Some(found))) => {
                if found.rotation.as_deref() == Some(self.state.rotation.as_str()) {
                    return self.adopt(n, found);
                }
                let by = made_by(found.rotation.as_deref());
                self.not_made(n, End::Conflict, format!("someone else is rotating: `{name}` was made {by}"))
            }
            // A manager that has just lost the lead may not know of it yet.
            Reply::Done(Answer::Version(None))
                if self.work.look == Some(LookFirst::Taken) && self.work.tries < SURE =>
            {
                let text = format!("`{name}` is said to be taken, and is not there");
                self.look_later(&Error::new(ErrorKind::Conflict, text), now)
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
            Reply::Refused(error) if !sent => self.look_later(&error, now),
            Reply::Refused(error) if error.kind() == ErrorKind::Conflict => {
                self.work.look = Some(LookFirst::Taken);
                Ok(())
            }
            Reply::Refused(error) => self.not_made(n, End::NotStarted, error.to_string()),
            Reply::Unknown(error) => {
                self.work.look.get_or_insert(LookFirst::Unknown);
                self.look_later(&error, now)
            }
        }
    }

    /// A version that is as new as the one to be made, or newer.
    pub(super) fn made_since<'a>(&self, n: usize, world: &'a Inventory) -> Option<&'a SecretVersion> {
        let planned = self.planned(n);
        let secret = world.secrets.iter().find(|s| s.name == planned.secret)?;
        secret.versions.iter().find(|v| v.version >= planned.next.version && v.name != planned.next.name)
    }

    /// The new version itself, if it can be seen.
    pub(super) fn new_in<'a>(&self, n: usize, world: &'a Inventory) -> Option<&'a SecretVersion> {
        let created = self.state.versions[n].created.as_ref()?;
        world.versions().find(|version| version.id == created.id)
    }

    pub(super) fn adopt(&mut self, n: usize, found: FoundVersion) -> Result<()> {
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
}
