//! The end of a rotation: grace, and the removal of the old versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::{Action, Answer, Change, FoundVersion, Look, Reply};
use super::machine::{LookFirst, Next, Rotation};
use super::state::{Ending, Old, Progress, Versions};
use crate::clock::Now;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{ServiceId, quoted, quoted_list};
use crate::inventory::{FailureAction, Inventory, LeavingTask, ServiceNode, Visibility};
use crate::journal::Event;
use crate::plan::{Strategy, VersionRef};
use crate::policy::Direction;
use crate::transport::services_named;

impl Rotation {
    pub(super) fn grace(&mut self, now: Now) -> Result<Next> {
        let Some(until) = self.state.grace_until else {
            let until = now.after(self.state.plan.timing.grace).wall;
            self.emit(Event::GraceBegun { until })?;
            return Ok(Next::Again);
        };
        let Some((_, previous)) = self.to_retire().filter(|_| now.wall >= until) else { return Ok(Next::Done) };
        if self.work.look.is_some() {
            return Ok(Next::Act(Action::Look(Look::Version(previous.name))));
        }
        if self.work.cleared.is_none() {
            return Ok(Next::Act(Action::Look(Look::World)));
        }
        let VersionRef { id, name } = previous;
        Ok(Next::Act(Action::Change(Change::Remove { id, name, direction: Direction::Forward })))
    }

    /// The old version that is to be removed next. One that was kept in this run is not tried again before somebody resumes.
    fn to_retire(&self) -> Option<(usize, VersionRef)> {
        let replaced = |v: &Versions| matches!(v.old, Old::There | Old::Sent) && v.owned && !v.withdrawn;
        let n = self.state.versions.iter().position(replaced)?;
        Some((n, self.state.plan.secrets[n].previous.clone()?))
    }

    pub(super) fn retired(&mut self, reply: Reply, sent: bool, now: Now) -> Result<()> {
        match reply {
            Reply::Done(Answer::World(world)) => self.clear(&world, now),
            Reply::Done(Answer::Version(Some(found))) if self.is_previous(&found) => {
                self.work.look = None;
                Ok(())
            }
            Reply::Done(_) => self.gone(),
            Reply::Refused(error) if sent && error.kind() == ErrorKind::NotFound => self.gone(),
            Reply::Refused(error) if error.kind() == ErrorKind::InUse => {
                let by = quoted_list(services_named(&error));
                self.keep(&format!("the Engine says that it is used by {by}"))
            }
            Reply::Refused(error) if !error.is_retryable() => self.keep(&error.to_string()),
            Reply::Refused(error) | Reply::Unknown(error) => self.not_yet(&error, now),
        }
    }

    /// Whether it is the old version itself, and not another one that has got its name.
    fn is_previous(&self, found: &FoundVersion) -> bool {
        self.to_retire().is_some_and(|(_, previous)| previous.id == found.id)
    }

    /// The rotation is done all the same: what cannot be removed now is kept and said, never forced.
    fn not_yet(&mut self, error: &Error, now: Now) -> Result<()> {
        if self.work.tries >= TRIES {
            return self.keep(&error.to_string());
        }
        if self.work.cleared.is_some() {
            self.work.look = Some(LookFirst::Unknown);
        }
        self.look_later(error, now)
    }

    fn gone(&mut self) -> Result<()> {
        let Some((secret, VersionRef { name, .. })) = self.to_retire() else { return Ok(()) };
        let notes = self.work.cleared.take().unwrap_or_default();
        self.emit(Event::Retired { secret, name, notes })
    }

    fn keep(&mut self, why: &str) -> Result<()> {
        let Some((secret, previous)) = self.to_retire() else { return Ok(()) };
        let reason =
            format!("`{}` was kept: {why}; `swarmsecrets retire` removes it once that has changed", previous.name);
        self.emit(Event::RetireRefused { secret, reason })
    }

    /// Looks for anything that still uses the old version.
    fn clear(&mut self, world: &Inventory, now: Now) -> Result<()> {
        let Some((n, previous)) = self.to_retire() else { return Ok(()) };
        self.leave_moved_back(world)?;
        if !self.has_successor(n, &previous, world) {
            let text = format!("`{}`, which has replaced it, is gone, and so is any later one", self.next_name(n));
            return self.not_yet(&Error::new(ErrorKind::Conflict, text), now);
        }
        if let Some(service) = self.may_roll_back(world) {
            let text = format!("Swarm may yet roll {service} back to it");
            return self.not_yet(&Error::new(ErrorKind::Conflict, text), now);
        }
        // A revoked value must go, even if a stack cannot be redeployed before its file is patched, and even if a task on a
        // node that cannot be reached has it.
        let revoked = self.state.plan.strategy == Strategy::Revoke;
        let mut notes = lost_rollbacks(&self.state.plan.consumers, world);
        match users(world, &previous, !revoked, None) {
            Users::None => {}
            Users::Some(who) => return self.keep(&format!("it is used by {who}")),
            Users::Dying(who) if revoked && self.work.tries >= TRIES => notes.insert(
                0,
                format!("not confirmed: {who} had `{}` and was not seen to stop; see to it by hand", previous.name),
            ),
            Users::Dying(who) => {
                let text = format!("it is mounted by what should stop and was not seen to: {who}");
                return self.not_yet(&Error::new(ErrorKind::Conflict, text), now);
            }
        }
        self.work.cleared = Some(notes);
        Ok(())
    }

    /// Whether the new version is there, or one after it: somebody, or another host that has no journal of this rotation, may
    /// have removed it. An old version that cannot be seen itself says nothing.
    fn has_successor(&self, n: usize, previous: &VersionRef, world: &Inventory) -> bool {
        let seen = world.versions().any(|version| version.id == previous.id);
        !seen || self.new_in(n, world).is_some() || self.made_since(n, world).is_some()
    }

    /// A consumer that failed with the new version, or that somebody else has changed, and that Swarm itself may roll back: to
    /// a spec that names the old one, be it gone or not.
    pub(super) fn may_roll_back(&self, world: &Inventory) -> Option<String> {
        let consumers = self.state.plan.consumers.iter().zip(&self.state.consumers);
        let so_far: BTreeMap<&ServiceId, &Progress> = consumers.map(|(planned, p)| (&planned.id, p)).collect();
        let may = |service: &&Arc<ServiceNode>| {
            let unsettled = match so_far.get(&service.id) {
                Some(Progress::Failed(_)) => service.tasks.trouble.is_some(),
                Some(Progress::Left(_)) => service.is_moving(),
                _ => false,
            };
            unsettled && service.update.failure_action == FailureAction::Rollback
        };
        world.services.iter().find(may).map(|service| quoted(&service.name))
    }
}

/// How many times something is tried, or waited for, before the old version is kept.
const TRIES: u32 = 8;
/// How many services a note names.
const NAMED: usize = 5;

/// What still uses an old version.
pub(super) enum Users {
    None,
    /// Tasks that should stop and have not been seen to.
    Dying(String),
    Some(String),
}

/// What uses an old version; but for one service, if it is given, that mounts it at a target for a password's sake.
pub(super) fn users(
    world: &Inventory,
    previous: &VersionRef,
    files_count: bool,
    but: Option<(&ServiceId, String)>,
) -> Users {
    let mut users: Vec<String> = Vec::new();
    let mut dying: Vec<String> = Vec::new();
    for service in &world.services {
        let beside = but.as_ref().filter(|(id, _)| **id == service.id).map(|(_, target)| target);
        if service.references.iter().any(|r| r.id == previous.id.as_str() && Some(&r.target) != beside) {
            users.push(format!("service {}", quoted(&service.name)));
        } else if beside.is_none() && service.tasks.mounts(&previous.id).wanted > 0 {
            users.push(format!("running tasks of service {}", quoted(&service.name)));
        }
        let leaving = service.tasks.leaving.iter().filter(|task| task.secrets.contains(&previous.id));
        dying.extend(leaving.map(|task| task_words(task, service)));
    }
    if world.strays.contains(previous.id.as_str()) {
        dying.push("a task of a service that was removed".into());
    }
    for stack in world.stacks.iter().filter(|_| files_count) {
        if stack.references.iter().any(|r| r.secret == previous.name.as_str()) {
            users.push(format!("the file of stack {}", quoted(&stack.name)));
        } else if let Some(why) = &stack.unreadable {
            users.push(format!("perhaps the file of stack {}, which cannot be read ({why})", quoted(&stack.name)));
        }
    }
    match (users.is_empty(), dying.is_empty()) {
        (true, true) => Users::None,
        (true, false) => Users::Dying(dying.join(", ")),
        (false, _) => Users::Some(users.join(", ")),
    }
}

fn task_words(task: &LeavingTask, service: &ServiceNode) -> String {
    let node = task.node.as_ref().map(|node| format!(" on node {node}")).unwrap_or_default();
    format!("task {} of service {}{node}", task.id, quoted(&service.name))
}

/// A `PreviousSpec` does not hold a secret back, but Swarm's own rollback to it cannot work any more.
fn lost_rollbacks(consumers: &[crate::plan::PlannedConsumer], world: &Inventory) -> Vec<String> {
    let mut notes = Vec::new();
    if !consumers.is_empty() {
        let names = quoted_list(consumers.iter().take(NAMED).map(|c| &c.service));
        let more = if consumers.len() > NAMED { " and others" } else { "" };
        notes.push(format!(
            "`docker service rollback` of {names}{more} cannot go back to the version before: its secret is gone"
        ));
    }
    if let Visibility::Partial { reason } = &world.visibility {
        notes.push(format!(
            "the view was partial ({reason}): the Engine itself had to say that nothing uses the old version"
        ));
    }
    notes
}

impl super::State {
    /// Whether nothing is left to do but to let time pass or a person act.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, super::Stage::Ended(Ending::Complete | Ending::Stopped(_)))
    }
}
