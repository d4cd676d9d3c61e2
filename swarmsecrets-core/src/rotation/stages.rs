//! The stages on the way to the new version, and the way back.

use super::action::{Action, Answer, Change, FoundVersion, Look, Reply};
use super::hand::{Hand, HandEnd, Route, Want};
use super::machine::{LookFirst, Next, Rotation};
use super::state::Progress;
use crate::clock::Now;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SecretName, quoted};
use crate::inventory::{Inventory, label};
use crate::journal::{End, Event};
use crate::policy::Direction;
use crate::transport::services_named;

impl Rotation {
    /// A create whose outcome is not known is looked for first: its name and its rotation label tell.
    pub(super) fn create(&mut self) -> Result<Next> {
        if self.state.interrupted && !self.state.create_sent {
            self.stop(End::NotStarted, "it was interrupted before anything was done")?;
            return Ok(Next::Again);
        }
        let fresh = self.work.look.is_none() && self.work.tries == 0;
        if self.work.look.is_some() || (self.state.create_sent && fresh) {
            return Ok(Next::Act(Action::Look(Look::Version(self.state.plan.next.name.clone()))));
        }
        let labels = self.state.plan.next.labels.with([(label::ROTATION, self.state.rotation.as_str())]);
        Ok(Next::Act(Action::Change(Change::Create { name: self.state.plan.next.name.clone(), labels })))
    }

    pub(super) fn created(&mut self, reply: Reply, now: Now) -> Result<()> {
        let name = self.state.plan.next.name.clone();
        match reply {
            Reply::Done(Answer::Created(found)) => self.adopt(found),
            Reply::Done(Answer::Version(Some(found))) => {
                if found.rotation.as_deref() == Some(self.state.rotation.as_str()) {
                    return self.adopt(found);
                }
                let by = found.rotation.map_or_else(|| "by hand".to_owned(), |r| format!("by rotation {r}"));
                self.stop(End::Conflict, format!("someone else is rotating: `{name}` was made {by}"))
            }
            Reply::Done(Answer::Version(None)) if self.work.look == Some(LookFirst::Taken) => self.stop(
                End::Conflict,
                format!("someone else is rotating: `{name}` is held by a secret that this account cannot see"),
            ),
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
            Reply::Refused(error) => self.stop(End::NotStarted, error.to_string()),
            Reply::Unknown(error) => {
                self.work.look.get_or_insert(LookFirst::Unknown);
                self.look_later(&error, now)
            }
        }
    }

    fn adopt(&mut self, found: FoundVersion) -> Result<()> {
        let control = found.owner.as_ref().and_then(|o| o.control);
        self.emit(Event::Created { id: found.id, control, owner: found.owner })
    }

    pub(super) fn own(&mut self) -> Result<Next> {
        let wanted = self.state.plan.owner.clone();
        let created = self.state.created.as_ref();
        let control = created.and_then(|c| c.control);
        let is = created.and_then(|c| c.owner.as_ref());
        let (Some(wanted), Some(control)) = (wanted, control) else {
            self.emit(Event::Owned)?;
            return Ok(Next::Again);
        };
        if is.is_some_and(|o| o.same_access(&wanted)) {
            self.emit(Event::Owned)?;
            return Ok(Next::Again);
        }
        let name = self.state.plan.next.name.clone();
        if self.work.look.is_some() {
            return Ok(Next::Act(Action::Look(Look::Version(name))));
        }
        Ok(Next::Act(Action::Change(Change::Own { control, owner: wanted, name })))
    }

    pub(super) fn owned(&mut self, reply: Reply, now: Now) -> Result<()> {
        match reply {
            Reply::Done(Answer::Version(found)) => {
                self.work.look = None;
                let is = found.and_then(|f| f.owner);
                let same = matches!((&is, &self.state.plan.owner), (Some(is), Some(wanted)) if is.same_access(wanted));
                if same { self.emit(Event::Owned) } else { Ok(()) }
            }
            Reply::Done(_) => self.emit(Event::Owned),
            Reply::Refused(error) => {
                let reason = format!("the new version could not be given its owner: {error}");
                self.emit(Event::UndoBegun { reason })
            }
            Reply::Unknown(error) => {
                self.work.look = Some(LookFirst::Unknown);
                self.look_later(&error, now)
            }
        }
    }

    pub(super) fn update(&mut self, now: Now) -> Result<Next> {
        if self.work.hand.is_none() {
            if let Some(next) = self.before_next_consumer()? {
                return Ok(next);
            }
            let begun = self.consumer(|p| *p == Progress::Begun);
            let Some(n) = begun.or_else(|| self.consumer(|p| *p == Progress::Pending)) else {
                return Ok(Next::Done);
            };
            if begun.is_none() {
                self.emit(Event::ConsumerBegun { service: self.state.plan.consumers[n].id.clone() })?;
            }
            self.take_in_hand(n, Direction::Forward);
        }
        self.go_on(now, Self::forward_ended)
    }

    /// A consumer that has failed, or a wish to stop, comes before the next one.
    fn before_next_consumer(&mut self) -> Result<Option<Next>> {
        let failed = self.state.consumers.iter().find_map(|p| match p {
            Progress::Failed(reason) => Some(reason.clone()),
            _ => None,
        });
        if let Some(reason) = failed {
            self.emit(Event::UndoBegun { reason })?;
            return Ok(Some(Next::Again));
        }
        if !self.state.interrupted || self.consumer(|p| *p == Progress::Begun).is_some() {
            return Ok(None);
        }
        let done = self.state.consumers.iter().filter(|p| **p != Progress::Pending).count();
        if done == 0 {
            self.emit(Event::UndoBegun { reason: "it was interrupted before any consumer was touched".into() })?;
            return Ok(Some(Next::Again));
        }
        let reason = format!(
            "it was interrupted after {done} of {} consumers: `swarmsecrets resume {id}` goes on, `swarmsecrets rollback {id}` undoes it",
            self.state.consumers.len(),
            id = self.state.rotation
        );
        self.stop(End::NeedsHuman, reason)?;
        Ok(Some(Next::Again))
    }

    fn take_in_hand(&mut self, n: usize, direction: Direction) {
        let Some(route) = self.route(direction) else { return };
        let consumer = self.state.plan.consumers[n].clone();
        self.work.hand = Some(Hand::new(n, consumer, route, self.state.plan.timing));
    }

    fn route(&self, direction: Direction) -> Option<Route> {
        let previous = self.state.plan.previous.as_ref()?;
        let old = (previous.id.clone(), previous.name.clone());
        let new = (self.state.created.as_ref()?.id.clone(), self.state.plan.next.name.clone());
        Some(match direction {
            Direction::Forward => Route { from: old, to: new, direction },
            Direction::Restore => Route { from: new, to: old, direction },
        })
    }

    fn go_on(&mut self, now: Now, ended: fn(&mut Self, usize, HandEnd) -> Result<()>) -> Result<Next> {
        let Some(hand) = &mut self.work.hand else { return Ok(Next::Done) };
        match hand.poll(now) {
            Want::Act(action) => Ok(Next::Act(action)),
            Want::Wait(until) => Ok(Next::Wait(until)),
            Want::End(end) => {
                let n = hand.index;
                self.work.hand = None;
                ended(self, n, end)?;
                Ok(Next::Again)
            }
        }
    }

    fn forward_ended(&mut self, n: usize, end: HandEnd) -> Result<()> {
        let service = self.state.plan.consumers[n].id.clone();
        match end {
            HandEnd::Converged(note) => self.emit(Event::ConsumerConverged { service, note }),
            HandEnd::Failed(reason) => self.emit(Event::ConsumerFailed { service, reason }),
            HandEnd::Left(reason) => self.emit(Event::ConsumerLeft { service, reason }),
        }
    }

    /// Puts back what was touched, the last one first, and then removes the new version.
    pub(super) fn undo(&mut self, now: Now) -> Result<Next> {
        if let (Some(previous), Some(_), false) =
            (&self.state.plan.previous, &self.state.created, self.work.old_is_there)
        {
            return Ok(Next::Act(Action::Look(Look::Version(previous.name.clone()))));
        }
        if self.work.hand.is_none() {
            let touched = |p: &Progress| matches!(p, Progress::Begun | Progress::Converged(_) | Progress::Failed(_));
            match self.state.consumers.iter().rposition(touched) {
                Some(n) if self.state.created.is_some() => self.take_in_hand(n, Direction::Restore),
                _ => return self.withdraw(),
            }
        }
        self.go_on(now, Self::back_ended)
    }

    /// The old version may be gone: a process that died may just have removed it, or a person has. Then the new one must stay.
    pub(super) fn old_looked_for(&mut self, reply: Reply, now: Now) -> Result<()> {
        let Some(previous) = self.state.plan.previous.clone() else { return Ok(()) };
        match reply {
            Reply::Done(Answer::Version(Some(found))) if found.id == previous.id => self.work.old_is_there = true,
            Reply::Done(_) => return self.old_is_gone(previous.name),
            Reply::Refused(error) | Reply::Unknown(error) => return self.look_later(&error, now),
        }
        Ok(())
    }

    fn old_is_gone(&mut self, name: SecretName) -> Result<()> {
        let new = &self.state.plan.next.name;
        if self.state.consumers.iter().all(|p| matches!(p, Progress::Converged(_) | Progress::Left(_))) {
            let note = format!("it cannot be undone: `{name}` is gone, so `{new}` stays");
            return self.emit(Event::Retired { name, notes: vec![note] });
        }
        let text = format!("it cannot be undone: `{name}` is gone; `{new}` is kept, and the services that use it");
        self.stop(End::NeedsHuman, text)
    }

    fn back_ended(&mut self, n: usize, end: HandEnd) -> Result<()> {
        let service = self.state.plan.consumers[n].id.clone();
        match end {
            HandEnd::Converged(_) => self.emit(Event::ConsumerRestored { service }),
            HandEnd::Failed(reason) => self.emit(Event::RestoreFailed { service, reason }),
            HandEnd::Left(reason) => self.emit(Event::ConsumerLeft { service, reason }),
        }
    }

    fn withdraw(&mut self) -> Result<Next> {
        let name = self.state.plan.next.name.clone();
        let stuck = self.state.consumers.iter().find_map(|p| match p {
            Progress::RestoreFailed(reason) => Some(reason.clone()),
            _ => None,
        });
        if let Some(reason) = stuck {
            let id = &self.state.rotation;
            let text = format!(
                "a consumer could not be put back: {reason}; both versions are kept: mend it, then `swarmsecrets resume {id}`"
            );
            self.stop(End::NeedsHuman, text)?;
            return Ok(Next::Again);
        }
        match &self.state.created {
            Some(_) if self.work.look.is_none() && self.work.cleared.is_none() => {
                Ok(Next::Act(Action::Look(Look::World)))
            }
            Some(created) if self.work.look.is_none() => {
                let remove = Change::Remove { id: created.id.clone(), name, direction: Direction::Restore };
                Ok(Next::Act(Action::Change(remove)))
            }
            None if !self.state.create_sent => {
                self.stop(End::NotStarted, self.undo_reason())?;
                Ok(Next::Again)
            }
            _ => Ok(Next::Act(Action::Look(Look::Version(name)))),
        }
    }

    /// Whether the new version may go: no task is meant to run on it, and no later rotation comes from it, which could not be
    /// undone without it. Services that name it are the Engine's to see.
    fn new_is_free(&mut self, world: &Inventory, now: Now) -> Result<()> {
        let (Some(created), name) = (&self.state.created, &self.state.plan.next.name) else { return Ok(()) };
        let later =
            world.secrets.iter().flat_map(|s| &s.versions).find(|v| {
                v.labels.get(label::PREVIOUS) == Some(name.as_str()) && v.labels.get(label::ROTATION).is_some()
            });
        if let Some(later) = later {
            let text = format!(
                "`{name}` cannot be removed: it is used by a later rotation, which made `{}` from it",
                later.name
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

    fn undo_reason(&self) -> String {
        self.state.undo.clone().unwrap_or_else(|| "it was undone".into())
    }

    pub(super) fn withdrawn(&mut self, reply: Reply, now: Now) -> Result<()> {
        let name = self.state.plan.next.name.clone();
        match reply {
            Reply::Done(Answer::World(world)) => self.new_is_free(&world, now),
            Reply::Done(Answer::Version(Some(found))) => {
                self.work.look = None;
                let ours = found.rotation.as_deref() == Some(self.state.rotation.as_str());
                match (&self.state.created, ours) {
                    // Ours is gone, and the name is somebody else's now.
                    (Some(created), _) if created.id != found.id => self.stop(End::RolledBack, self.undo_reason()),
                    (None, true) => self.adopt(found),
                    (None, false) => self.stop(End::Conflict, format!("`{name}` was made by somebody else")),
                    (Some(_), _) => Ok(()),
                }
            }
            Reply::Done(_) => self.stop(End::RolledBack, self.undo_reason()),
            Reply::Refused(error) if error.kind() == ErrorKind::NotFound => {
                self.stop(End::RolledBack, self.undo_reason())
            }
            Reply::Refused(error) if error.kind() == ErrorKind::InUse => {
                let by = services_named(&error).join(", ");
                let text = format!(
                    "the old version serves again, but `{name}` cannot be removed: it is used by {by}, which this rotation did not move"
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
