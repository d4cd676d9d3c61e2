//! Stacks: their stored files name the new versions, or a person is told what to change.
//!
//! Portainer redeploys a stack as soon as its file is written, which undoes what people changed by hand on its services,
//! and it offers no compare-and-swap. So a file is written only if the redeploy would change nothing but the secrets, from
//! a look taken just before, and is read back after.

use std::collections::HashMap;

use super::action::{Action, Change, Look, Reply, StackSource};
use super::machine::{Next, Rotation};
use super::state::{Old, Progress};
use crate::clock::Now;
use crate::error::{Error, ErrorKind, Result};
use crate::git::{Repository, short};
use crate::ids::{SecretName, ServiceId, quoted, ticked};
use crate::inventory::{Inventory, SecretReference, ServiceNode, StackKind, StackNode};
use crate::journal::{End, Event, StackPatch};
use crate::plan::{PlannedConsumer, Strategy, VersionRef};
use crate::policy::Direction;

impl Rotation {
    pub(super) fn settle(&mut self) -> Result<Next> {
        if self.state.plan.stacks.is_empty() {
            self.emit(Event::Settled { stacks: Vec::new(), notes: Vec::new() })?;
            return Ok(Next::Again);
        }
        Ok(self.write_or_look(Direction::Forward))
    }

    /// Stacks that a person must patch are looked at once in each run.
    pub(super) fn await_patch(&self) -> Next {
        if self.work.rests && self.work.stack.is_none() { Next::Done } else { self.write_or_look(Direction::Forward) }
    }

    fn write_or_look(&self, direction: Direction) -> Next {
        Next::Act(match &self.work.stack {
            Some(write) => Action::Change(write.clone()),
            None => Action::Look(Look::Stacks(direction)),
        })
    }

    /// Takes the stacks as they are now: writes the next one that may be written, or says what is left to people.
    pub(super) fn settled(&mut self, world: &Inventory, now: Now) -> Result<()> {
        self.leave_moved_back(world)?;
        for (service, reason) in self.changed_since(world) {
            self.emit(Event::ConsumerLeft { service, reason })?;
        }
        self.work.stack = self.stack_to_write(world, Direction::Forward);
        if self.work.stack.is_some() {
            return Ok(());
        }
        match self.unrest(world) {
            Some(unrest) => self.look_later(&Error::new(ErrorKind::Conflict, unrest), now),
            None => {
                self.work.rests = true;
                let (stacks, notes) = (self.patches(world), self.moved_on(world));
                self.emit(Event::Settled { stacks, notes })
            }
        }
    }

    pub(super) fn stack_written(&mut self, written: &Change, reply: Reply, now: Now) -> Result<()> {
        let Change::Stack { name, .. } = written else { return Ok(()) };
        match reply {
            // What it says now is read back before anything else is done.
            Reply::Done(_) => Ok(()),
            Reply::Refused(error) => {
                self.work.unwritten.insert(name.clone(), error.to_string());
                Ok(())
            }
            Reply::Unknown(error) => self.look_later(&error, now),
        }
    }

    /// On the way back: stacks that were written, or may have been, get the old names again before the new versions go.
    pub(super) fn put_stacks_back(&self) -> Option<Next> {
        let done = self.state.written.is_empty() || self.work.settled;
        (!done).then(|| self.write_or_look(Direction::Restore))
    }

    pub(super) fn unsettled(&mut self, world: &Inventory) -> Result<()> {
        self.work.stack = self.stack_to_write(world, Direction::Restore);
        if self.work.stack.is_some() {
            return Ok(());
        }
        let pairs = self.renames(world, Direction::Restore);
        match world.stacks.iter().find(|stack| names_any(stack, &pairs)) {
            None => self.work.settled = true,
            Some(stack) => {
                let why = self.work.unwritten.get(&stack.name).map(|why| format!(" ({why})")).unwrap_or_default();
                let of_variables = stack.edit(&pairs).is_ok_and(|edit| edit.is_of_variables());
                let what = if of_variables { "a variable" } else { "the file" };
                let text = format!(
                    "every consumer is on the old version again, but {what} of stack {} names the new one and could not be written{why}: put the old name there, then `swarmsecrets resume {}`",
                    quoted(&stack.name),
                    self.state.rotation
                );
                self.stop(End::NeedsHuman, text)?;
            }
        }
        Ok(())
    }

    /// Which name takes the place of which. A version that a later rotation has replaced is no longer put anywhere.
    fn renames(&self, world: &Inventory, direction: Direction) -> Vec<(SecretName, SecretName)> {
        let replaced = |n| self.new_in(n, world).is_none() && self.made_since(n, world).is_some();
        let secrets = self.state.plan.secrets.iter().enumerate();
        let secrets = secrets.filter(|(n, _)| direction == Direction::Restore || !replaced(*n));
        secrets.filter_map(|(_, secret)| secret.renaming(direction)).collect()
    }

    /// The next stack whose stored file may be written, with what to write. Why another may not is remembered.
    fn stack_to_write(&mut self, world: &Inventory, direction: Direction) -> Option<Change> {
        let pairs = self.renames(world, direction);
        for stack in world.stacks.iter().filter(|s| names_any(s, &pairs)) {
            if self.work.unwritten.contains_key(&stack.name) {
                continue;
            }
            match stack.write(world, &pairs, self.state.plan.allow.redeploy) {
                Err(why) => drop(self.work.unwritten.insert(stack.name.clone(), why)),
                Ok((id, edit)) => {
                    let variables = edit.apply_to(&stack.variables);
                    let source = match &stack.repository {
                        None => StackSource::File(edit.file),
                        Some(Repository { reference, deployed, .. }) => {
                            StackSource::Repository { reference: reference.clone(), commit: deployed.clone() }
                        }
                    };
                    let (name, prune) = (stack.name.clone(), stack.prune);
                    return Some(Change::Stack { id, name, source, variables, prune, direction });
                }
            }
        }
        None
    }

    /// Leaves the consumers as they are that somebody else put back on an old version.
    pub(super) fn leave_moved_back(&mut self, world: &Inventory) -> Result<()> {
        for (service, reason) in self.moved_back(world) {
            self.emit(Event::ConsumerLeft { service, reason })?;
        }
        Ok(())
    }

    /// The consumers that somebody else put back on an old version since they were moved.
    fn moved_back(&self, world: &Inventory) -> Vec<(ServiceId, String)> {
        let old = |service: &ServiceNode| {
            let beside: Vec<String> = self.beside_in(&service.id).collect();
            let mut replaced = self.state.plan.replaced();
            let is = |v: &VersionRef, r: &SecretReference| r.id == v.id.as_str() && !beside.contains(&r.target);
            replaced.find(|v| service.references.iter().any(|r| is(v, r)))
        };
        let back = self.moved(world).filter_map(|service| Some((service, old(service)?)));
        back.map(|(service, version)| {
            let text =
                format!("somebody else put {} back on `{}`: it is left as it is", quoted(&service.name), version.name);
            (service.id.clone(), text)
        })
        .collect()
    }

    /// The consumers that mount something else by now: somebody has changed them, or the file of their stack says so and the
    /// redeploy was allowed. Whoever has a later version that came from ours is not meant.
    fn changed_since(&self, world: &Inventory) -> Vec<(ServiceId, String)> {
        let replaced = |n: usize| self.made_from(n, world).is_some();
        let changed = |(planned, service): &(&PlannedConsumer, &ServiceNode)| {
            let mut mounts = planned.mounts.iter().filter(|mount| !replaced(mount.secret));
            mounts.any(|mount| {
                let new = self.state.versions[mount.secret].created.as_ref().map(|created| created.id.as_str());
                let mut at = service.references.iter().filter(|r| r.target == mount.target);
                !at.any(|r| Some(r.id.as_str()) == new)
            })
        };
        self.moved_as_planned(world)
            .filter(changed)
            .map(|(planned, service)| {
                let name = quoted(&service.name);
                let text = format!("{name} does not mount the new version any more: its stack or somebody else has changed that, and it is left as it is");
                (planned.id.clone(), text)
            })
            .collect()
    }

    /// The git stacks whose repositories went on just when their variables were set, or since: Portainer has deployed that.
    fn moved_on(&self, world: &Inventory) -> Vec<String> {
        let commits = self.state.written.iter().filter_map(|(name, commit)| Some((name, commit.as_ref()?)));
        let moved = commits.filter_map(|(name, commit)| {
            let stack = world.stacks.iter().find(|stack| stack.name == *name)?;
            let deployed = &stack.repository.as_ref()?.deployed;
            let (shown, from, to) = (quoted(name), short(commit), short(deployed));
            let text = format!("{shown} was deployed from {from} when its variables were set, and is from {to} now: its repository has moved meanwhile, and Portainer has deployed that");
            (deployed != commit && !self.state.notes.contains(&text)).then_some(text)
        });
        moved.collect()
    }

    /// A redeploy that restarts tasks after all is waited for.
    fn unrest(&self, world: &Inventory) -> Option<String> {
        if self.state.written.is_empty() {
            return None;
        }
        let troubled = self.moved(world).find_map(|s| Some((s, s.tasks.trouble.as_ref()?)));
        let (service, trouble) = troubled?;
        Some(format!("after its stack was redeployed, service {} is not healthy: {trouble}", quoted(&service.name)))
    }

    /// The services that were moved, as they are now.
    fn moved<'a>(&'a self, world: &'a Inventory) -> impl Iterator<Item = &'a ServiceNode> {
        self.moved_as_planned(world).map(|(_, service)| service)
    }

    fn moved_as_planned<'a>(
        &'a self,
        world: &'a Inventory,
    ) -> impl Iterator<Item = (&'a PlannedConsumer, &'a ServiceNode)> {
        let consumers = self.state.plan.consumers.iter().zip(&self.state.consumers);
        let moved = consumers.filter(|(_, p)| matches!(p, Progress::Converged(_))).map(|(planned, _)| planned);
        let services: HashMap<&ServiceId, &ServiceNode> = world.services.iter().map(|s| (&s.id, &**s)).collect();
        moved.filter_map(move |planned| Some((planned, services.get(&planned.id).copied()?)))
    }

    /// The stacks whose files still name an old version, and what to change in them.
    fn patches(&self, world: &Inventory) -> Vec<StackPatch> {
        let pairs = self.renames(world, Direction::Forward);
        let planned = |stack: &StackNode| self.state.plan.stacks.iter().any(|s| s.name == stack.name);
        let cli = |stack: &&StackNode| stack.kind == StackKind::Cli && planned(stack);
        let open = world.stacks.iter().filter(|stack| names_any(stack, &pairs) || cli(stack));
        open.map(|stack| StackPatch {
            name: stack.name.clone(),
            kind: stack.kind.word().to_owned(),
            patch: stack.edit(&pairs).ok().map(|edit| edit.patch(&stack.path)),
            reason: self.work.unwritten.get(&stack.name).cloned(),
        })
        .collect()
    }
}

fn names_any(stack: &StackNode, pairs: &[(SecretName, SecretName)]) -> bool {
    stack.references.iter().any(|r| pairs.iter().any(|(from, _)| r.secret == from.as_str()))
}

/// What a person has to do about a stack.
pub(super) fn words(state: &super::State, patch: &StackPatch) -> String {
    let old = ticked(state.plan.replaced().map(|v| v.name.as_str()));
    let are = if state.plan.secrets.len() == 1 { "is" } else { "are" };
    let new = ticked(state.plan.secrets.iter().map(|s| s.next.name.as_str()));
    let name = quoted(&patch.name);
    if patch.kind == "cli" {
        return format!("put {new} in place of {old} into the file that stack {name} was deployed from");
    }
    let why = patch.reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let (what, not_written, apply) = match (patch.is_of_variables(), patch.kind.as_str()) {
        (true, _) => ("variables", format!(", and were not set{why}"), "set them as the patch says, and redeploy"),
        (false, "git") => ("repository", String::new(), "apply the patch there, and redeploy"),
        (false, _) => ("file", format!(", and was not written{why}"), "apply the patch"),
    };
    let then = if state.plan.strategy == Strategy::Revoke {
        let gone = state.versions.iter().all(|version| version.old == Old::Retired);
        let then = if gone { format!("fails, as {old} {are} gone") } else { format!("puts {old} back") };
        format!("until then a redeploy {then}")
    } else {
        format!("then `swarmsecrets resume {}`; {old} {are} kept until then", state.rotation)
    };
    format!("the {what} of stack {name} must name {new} in place of {old}{not_written}: {apply}; {then}")
}
