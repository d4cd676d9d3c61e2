//! The consumers on the way to the new versions, and on the way back.

use super::hand::{Hand, HandEnd, Want};
use super::machine::{Next, Rotation};
use super::route::{Route, Swap};
use super::state::{Progress, Stage};
use crate::clock::Now;
use crate::error::Result;
use crate::ids::SpecVersion;
use crate::journal::{Access, End, Event};
use crate::plan::{PlannedConsumer, PlannedMount};
use crate::policy::Direction;

impl Rotation {
    /// Moves the consumers, wave by wave, several at a time if the plan says so.
    pub(super) fn update(&mut self, now: Now) -> Result<Next> {
        if let Some(next) = self.before_next_consumer()? {
            return Ok(next);
        }
        let (wave, stops) = (self.wave(), self.begins_no_more());
        let is_in_turn = |planned: &PlannedConsumer| Some(planned.wave) == wave;
        let begun = self.not_in_hand(|planned, p| *p == Progress::Begun && is_in_turn(planned));
        let fresh = self.not_in_hand(|planned, p| *p == Progress::Pending && is_in_turn(planned) && !stops);
        for n in begun.into_iter().chain(fresh).take(self.free_hands()) {
            if self.state.consumers[n] == Progress::Pending {
                self.emit(Event::ConsumerBegun { service: self.state.plan.consumers[n].id.clone() })?;
            }
            self.take_in_hand(n, Direction::Forward);
        }
        self.turn(now)
    }

    /// The wave whose turn it is: the first that is not done, or, once no other consumer is begun, the first with one that was.
    fn wave(&self) -> Option<u32> {
        let (goes_on, stops) = (self.state.goes_on_in_spite_of_failures(), self.begins_no_more());
        let is_open = |p: &Progress| if stops { *p == Progress::Begun } else { p.is_open(goes_on) };
        let consumers = self.state.plan.consumers.iter().zip(&self.state.consumers);
        consumers.filter(|(_, p)| is_open(p)).map(|(planned, _)| planned.wave).min()
    }

    pub(super) fn free_hands(&self) -> usize {
        (self.state.plan.rollout.concurrency.max(1) as usize).saturating_sub(self.work.hands.len())
    }

    /// The consumers that satisfy and are not in hand.
    fn not_in_hand(&self, wanted: impl Fn(&PlannedConsumer, &Progress) -> bool) -> Vec<usize> {
        let consumers = self.state.plan.consumers.iter().zip(&self.state.consumers).enumerate();
        let found = consumers.filter(|(n, (planned, p))| wanted(planned, p) && !self.work.hands.contains_key(n));
        found.map(|(n, _)| n).collect()
    }

    /// A consumer that has failed, or a wish to stop, comes before the next one.
    fn before_next_consumer(&mut self) -> Result<Option<Next>> {
        if let Some(reason) = self.state.stuck() {
            self.undo_because(reason.to_owned())?;
            return Ok(Some(Next::Again));
        }
        if !self.state.goes_on_in_spite_of_failures()
            && let Some((n, reason)) = self.failed()
        {
            return self.after_a_failure(n, reason).map(Some);
        }
        let in_hand = !self.work.hands.is_empty() || self.consumer(|p| *p == Progress::Begun).is_some();
        if !self.begins_no_more() || in_hand {
            return Ok(None);
        }
        if let Some(reason) = self.unsure() {
            self.stop(End::NeedsHuman, reason)?;
            return Ok(Some(Next::Again));
        }
        let done = (0..self.state.consumers.len()).filter(|n| self.state.is_touched(*n)).count();
        if done == 0 && self.ended_password().is_none() {
            self.undo_because("it was interrupted before any consumer was touched")?;
            return Ok(Some(Next::Again));
        }
        let id = &self.state.rotation;
        // Nothing goes back to a password that no longer opens anything.
        let back =
            if self.ended_password().is_some() { "" } else { &format!(", `swarmsecrets rollback {id}` undoes it") };
        let all = self.state.consumers.len();
        let reason =
            format!("it was interrupted after {done} of {all} consumers: `swarmsecrets resume {id}` goes on{back}");
        self.stop(End::NeedsHuman, reason)?;
        Ok(Some(Next::Again))
    }

    /// Whether those in hand are brought to an end, and no other is begun.
    fn begins_no_more(&self) -> bool {
        self.state.interrupted || self.unsure().is_some()
    }

    /// What a person is told of the first consumer whose probes cannot tell, unless the rotation goes on all the same.
    fn unsure(&self) -> Option<String> {
        let unsure =
            |p: &Progress| matches!(p, Progress::Unsure(_)) && p.is_open(self.state.goes_on_in_spite_of_failures());
        let Progress::Unsure(reason) = &self.state.consumers[self.consumer(unsure)?] else { return None };
        let id = &self.state.rotation;
        Some(format!(
            "{reason}; look at it: `swarmsecrets resume {id}` asks again, with --accept-inconclusive it takes such an answer \
             for good, and `swarmsecrets rollback {id}` undoes everything"
        ))
    }

    /// A consumer that has failed and is not on its way back, with the reason.
    fn failed(&self) -> Option<(usize, String)> {
        self.state.consumers.iter().enumerate().find_map(|(n, p)| match p {
            Progress::Failed(reason) if !self.work.hands.contains_key(&n) => Some((n, reason.clone())),
            _ => None,
        })
    }

    /// Within the budget of failures the consumer alone is put back, to be tried again; beyond it everything is.
    fn after_a_failure(&mut self, n: usize, reason: String) -> Result<Next> {
        // Those that are on their way back now are counted when they have got there.
        let on_the_way = self.work.hands.values().filter(|hand| hand.direction() == Direction::Restore).count();
        let failures = self.state.failures as usize + on_the_way;
        let budget = failures < self.state.plan.rollout.failures as usize;
        if budget && self.can_go_back_alone(n) && !self.state.interrupted {
            self.take_in_hand(n, Direction::Restore);
        } else {
            self.undo_because(reason)?;
        }
        Ok(Next::Again)
    }

    /// In a system with one password the old one logs in only once everything is put back.
    fn can_go_back_alone(&self, n: usize) -> bool {
        let secret = |mount: &PlannedMount| self.state.plan.secrets.get(mount.secret);
        let mut accounts = self.state.plan.consumers[n].mounts.iter().filter_map(|m| secret(m)?.credential.as_ref());
        accounts.all(|account| account.way.holds_two())
    }

    pub(super) fn take_in_hand(&mut self, n: usize, direction: Direction) {
        let mut consumer = self.state.plan.consumers[n].clone();
        if !matches!(self.state.stage, Stage::Credential | Stage::Update) {
            // It is known to work with the new version.
            consumer.probes.clear();
        }
        let route = self.route(&consumer, direction);
        let hand = Hand::new(consumer, route, self.state.plan.timing);
        let newest = self.newest.get(&n).copied().unwrap_or(SpecVersion(0));
        self.work.hands.insert(n, hand.accepting(self.accepting).knowing(newest));
        // What was seen of the world is so no more.
        self.work.cleared = None;
    }

    /// From the old versions to the new ones, or back, wherever the consumer mounts one. Where commands in its container
    /// change a password, it has the old version beside the new one until that is done. Once it had that, only the secrets of
    /// these passwords matter there: another rotation may have replaced the others since.
    pub(super) fn route(&self, consumer: &PlannedConsumer, direction: Direction) -> Route {
        let beside = |mount: &PlannedMount| self.state.plan.secrets.get(mount.secret)?.beside(consumer, mount);
        let set = |mount: &&PlannedMount| self.state.versions[mount.secret].access > Access::Old;
        let provides = consumer.mounts.iter().filter(|mount| beside(mount).is_some()).any(|mount| set(&mount));
        let swaps = |mount: &PlannedMount| {
            let secret = self.state.plan.secrets.get(mount.secret)?;
            let previous = secret.previous.as_ref()?;
            let state = self.state.versions.get(mount.secret)?;
            let old = (previous.id.clone(), previous.name.clone());
            let new = (state.created.as_ref()?.id.clone(), secret.next.name.clone());
            let beside = beside(mount).map(|target| match direction {
                Direction::Forward if state.access < Access::Closed => {
                    Swap::Add { target, version: old.clone(), like: mount.target.clone() }
                }
                _ => Swap::Drop { target, version: old.clone() },
            });
            let (from, to) = match direction {
                Direction::Forward => (old, new),
                Direction::Restore => (new, old),
            };
            Some([Some(Swap::Exchange { target: mount.target.clone(), from, to }), beside].into_iter().flatten())
        };
        let (swaps, also) = {
            let needed =
                |mount: &&PlannedMount| !provides || direction == Direction::Restore || beside(mount).is_some();
            let (needed, others): (Vec<_>, Vec<_>) = consumer.mounts.iter().partition(needed);
            let all = |mounts: Vec<&PlannedMount>| mounts.into_iter().filter_map(swaps).flatten().collect();
            (all(needed), all(others))
        };
        Route { swaps, also, direction }
    }

    /// Lets each consumer in hand do its next step.
    pub(super) fn turn(&mut self, now: Now) -> Result<Next> {
        let mut until: Option<Now> = None;
        for (n, hand) in &mut self.work.hands {
            match hand.poll(now) {
                Want::Act(action) => return Ok(Next::For(*n, action)),
                Want::Wait(time) => {
                    until = Some(until.map_or(time, |other| if other.mono < time.mono { other } else { time }))
                }
                Want::End(end) => {
                    let n = *n;
                    return self.ended(n, end).map(|()| Next::Again);
                }
            }
        }
        Ok(until.map_or(Next::Done, Next::Wait))
    }

    fn ended(&mut self, n: usize, end: HandEnd) -> Result<()> {
        let Some(hand) = self.work.hands.remove(&n) else { return Ok(()) };
        let service = self.state.plan.consumers[n].id.clone();
        if self.work.lacking.take_if(|lacking| *lacking == n).is_some() && self.state.stage == Stage::Undo {
            return self.offered_again(n, end);
        }
        match (hand.direction(), end) {
            (_, HandEnd::Left(reason)) => self.emit(Event::ConsumerLeft { service, reason }),
            (Direction::Forward, HandEnd::Converged(note)) => self.emit(Event::ConsumerConverged { service, note }),
            (Direction::Forward, HandEnd::Unsure(reason)) => self.emit(Event::ConsumerUnsure { service, reason }),
            (Direction::Forward, HandEnd::Failed(reason)) => self.emit(Event::ConsumerFailed { service, reason }),
            (Direction::Restore, HandEnd::Converged(_)) => self.emit(Event::ConsumerRestored { service }),
            (Direction::Restore, HandEnd::Failed(reason) | HandEnd::Unsure(reason)) => {
                self.emit(Event::RestoreFailed { service, reason })
            }
        }
    }

    /// The consumers that an undo puts back and has not in hand. Those whose commands it needs yet come last.
    pub(super) fn to_put_back(&self) -> Vec<usize> {
        let touched = |p: &Progress| {
            matches!(p, Progress::Begun | Progress::Converged(_) | Progress::Failed(_) | Progress::Unsure(_))
        };
        self.not_in_hand(|planned, p| touched(p) && !self.is_needed(&planned.id))
    }
}
