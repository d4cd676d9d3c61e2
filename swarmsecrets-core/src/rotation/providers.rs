//! The services in whose containers commands change passwords. While these run, old and new version are mounted there under
//! two targets; before the first one the new version takes the old one's place, and after the last one the old one goes.

use super::hand::HandEnd;
use super::machine::{Next, Rotation};
use super::route::Swap;
use super::state::{Progress, State};
use crate::clock::Now;
use crate::error::Result;
use crate::ids::{ServiceId, quoted};
use crate::inventory::{Inventory, Visibility};
use crate::journal::{Access, End, Event};
use crate::policy::Direction;

impl State {
    /// The services in whose containers commands change passwords, by their places in the plan, each with the secret.
    pub(super) fn providers(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let secrets = self.plan.secrets.iter().enumerate();
        secrets.filter_map(|(secret, planned)| {
            let service = &planned.provider()?.service;
            Some((self.plan.consumers.iter().position(|c| c.service == *service)?, secret))
        })
    }

    /// A service whose commands are done is to lose the old version that it has beside the new one.
    pub(super) fn release(&mut self, secret: usize) {
        let Some((consumer, _)) = self.providers().find(|(_, other)| *other == secret) else { return };
        let mut needed = self.providers().filter(|(other, _)| *other == consumer);
        let done = needed.all(|(_, secret)| self.versions[secret].access == Access::Closed);
        drop(needed);
        if done {
            self.consumers[consumer] = Progress::Begun;
        }
    }

    /// Whether no service is on its way to where commands need it, or from there.
    pub(super) fn providers_rest(&self) -> bool {
        let rests = |n: usize| matches!(self.consumers[n], Progress::Converged(_) | Progress::Left(_));
        self.providers().all(|(consumer, _)| rests(consumer))
    }

    /// What commands need is looked at anew when somebody resumes: meanwhile a redeploy may have taken the old version away.
    pub(super) fn offer_anew(&mut self) {
        let providers: Vec<usize> = self.providers().map(|(consumer, _)| consumer).collect();
        for n in providers {
            if !matches!(self.consumers[n], Progress::Pending | Progress::Left(_)) {
                self.consumers[n] = Progress::Begun;
            }
        }
    }
}

impl Rotation {
    /// Brings them to where the next step needs them. Nothing, if they are there.
    pub(super) fn ready_providers(&mut self, now: Now) -> Result<Option<Next>> {
        if !self.work.hands.is_empty() {
            return self.turn(now).map(Some);
        }
        if let Some(next) = self.offer_again(now)? {
            return Ok(Some(next));
        }
        // What somebody else has made of it since the old password was ended stays.
        let ended = self.ended_password().is_some();
        let rests = |p: &Progress| matches!(p, Progress::Converged(_)) || (ended && matches!(p, Progress::Left(_)));
        let Some(n) = self.state.providers().map(|(n, _)| n).find(|n| !rests(&self.state.consumers[*n])) else {
            return Ok(None);
        };
        match self.state.consumers[n].clone() {
            Progress::Failed(reason) | Progress::Left(reason) => self.undo_because(reason)?,
            Progress::Unsure(reason) => {
                let text = format!("{reason}; look at it, then `swarmsecrets resume {}`", self.state.rotation);
                self.stop(End::NeedsHuman, text)?;
            }
            so_far => {
                if so_far == Progress::Pending {
                    self.emit(Event::ConsumerBegun { service: self.state.plan.consumers[n].id.clone() })?;
                }
                self.take_in_hand(n, Direction::Forward);
            }
        }
        Ok(Some(Next::Again))
    }

    /// A redeploy may have taken the old version from a service whose commands need it: it is mounted there once more.
    pub(super) fn offer_again(&mut self, now: Now) -> Result<Option<Next>> {
        let Some(n) = self.work.lacking else { return Ok(None) };
        if !self.work.hands.contains_key(&n) {
            self.take_in_hand(n, Direction::Forward);
        }
        self.turn(now).map(Some)
    }

    /// On the way back this says nothing of the consumer, which goes back all the same.
    pub(super) fn offered_again(&mut self, n: usize, end: HandEnd) -> Result<()> {
        let reason = match end {
            HandEnd::Converged(_) => return Ok(()),
            HandEnd::Failed(reason) | HandEnd::Unsure(reason) | HandEnd::Left(reason) => reason,
        };
        let text = format!(
            "the old password is not restored: commands in {} need both versions: {reason}; mend that, then `swarmsecrets resume {}`",
            quoted(&self.state.plan.consumers[n].service),
            self.state.rotation
        );
        self.stop(End::NeedsHuman, text)
    }

    /// Whether the service whose commands change the password of a secret is there and does not have both versions. Then this
    /// comes first.
    pub(super) fn lacks(&mut self, secret: usize, world: &Inventory) -> Result<bool> {
        const OFFERS: u32 = 3;
        let Some((n, _)) = self.state.providers().find(|(_, other)| *other == secret) else { return Ok(false) };
        let planned = &self.state.plan.consumers[n];
        let Some(service) = world.services.iter().find(|service| service.id == planned.id) else {
            return self.provider_is_gone(n, secret, world);
        };
        let route = self.route(planned, Direction::Forward);
        // What is to go there goes once commands need nothing more.
        let mut needed = route.swaps.iter().filter(|swap| !matches!(swap, Swap::Drop { .. }));
        if needed.all(|swap| swap.is(&service.references, swap.after())) {
            return Ok(false);
        }
        self.work.offers += 1;
        if self.work.offers > OFFERS {
            let text = format!(
                "commands in {} need both versions, and somebody takes the old one away again and again: stop that, then `swarmsecrets resume {}`, {}",
                quoted(&service.name),
                self.state.rotation,
                self.or_close()
            );
            self.stop(End::NeedsHuman, text)?;
        } else {
            self.work.lacking = Some(n);
        }
        Ok(true)
    }

    /// Whether the service is gone for certain: where the view is partial, its commands will tell.
    fn provider_is_gone(&mut self, n: usize, secret: usize, world: &Inventory) -> Result<bool> {
        let Some(account) = self.state.plan.secrets[secret].credential.clone() else { return Ok(false) };
        if !matches!(world.visibility, Visibility::Full) {
            return Ok(false);
        }
        let text = format!(
            "{}, in which commands change the password of {account}, is gone: see to that password in the system itself, then `swarmsecrets close {}`",
            quoted(&self.state.plan.consumers[n].service),
            self.state.rotation
        );
        self.stop(End::NeedsHuman, text)?;
        Ok(true)
    }

    /// The service and the target where the old version of a secret is ours, beside the new one.
    pub(super) fn beside(&self, secret: usize) -> Option<(&ServiceId, String)> {
        let (n, _) = self.state.providers().find(|(_, other)| *other == secret)?;
        let consumer = &self.state.plan.consumers[n];
        let mount = consumer.mounts.iter().find(|mount| mount.secret == secret)?;
        Some((&consumer.id, self.state.plan.secrets[secret].beside(consumer, mount)?))
    }

    /// The targets where a service has old versions beside new ones.
    pub(super) fn beside_in(&self, service: &ServiceId) -> impl Iterator<Item = String> {
        let all = 0..self.state.plan.secrets.len();
        all.filter_map(|n| self.beside(n)).filter(move |(id, _)| *id == service).map(|(_, target)| target)
    }

    /// Whether commands in a service's container are yet to give an old password back.
    pub(super) fn is_needed(&self, service: &ServiceId) -> bool {
        self.to_restore().any(|(n, _)| self.beside(n).is_some_and(|(id, _)| id == service))
    }
}
