//! The consumer in hand: looked at, updated, judged. The same walk leads forward and back.

use std::time::Duration;

use jiff::Timestamp;

use super::action::{Action, Answer, Change, Look, Reply};
use super::route::{Route, Swap};
use super::verdict::{Expected, Verdict, judge};
use crate::clock::Now;
use crate::error::{Error, ErrorKind};
use crate::health::Health;
use crate::ids::{SecretId, SpecVersion, TaskId, quoted};
use crate::inventory::UpdateStatus;
use crate::model::ServiceState;
use crate::plan::{PlannedConsumer, Timing, humane};
use crate::policy::Direction;

/// What a consumer in hand wants next.
pub(super) enum Want {
    Act(Action),
    Wait(Now),
    End(HandEnd),
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HandEnd {
    /// Healthy on the wanted version.
    Converged(Option<String>),
    /// It will not be.
    Failed(String),
    /// It runs on the wanted version, and its probes cannot tell whether it works.
    Unsure(String),
    /// It is gone, or its reference is somebody else's now.
    Left(String),
}

#[derive(Debug)]
enum Doing {
    Looking,
    Sending(Box<ServiceState>),
    Judging,
    /// Its tasks are well; its probes are asked. What is worth saying of the tasks.
    Asking(Option<String>),
    Ended(Option<HandEnd>),
}

/// One consumer on its way.
#[derive(Debug)]
pub(super) struct Hand {
    consumer: PlannedConsumer,
    route: Route,
    timing: Timing,
    doing: Doing,
    begun: Option<Duration>,
    not_before: Option<Now>,
    tries: u32,
    /// Whether it was looked at after its time was over.
    late: bool,
    /// Since when these tasks have been healthy.
    healthy: Option<(Duration, Vec<TaskId>)>,
    before: Option<UpdateStatus>,
    since: Option<Timestamp>,
    missing: String,
    /// How many times its probes could not tell.
    asked: u32,
    /// Whether it counts as good although they cannot.
    accepting: bool,
    /// Whether some of its references are somebody else's by now, so that only the others go back.
    shared: bool,
    /// The newest version of the service that is known of: what is older was said by who does not know it yet.
    newest: SpecVersion,
}

/// How many times probes that cannot tell are asked.
const ASKED: u32 = 3;

impl Hand {
    pub(super) fn new(consumer: PlannedConsumer, route: Route, timing: Timing) -> Self {
        Self {
            consumer,
            route,
            timing,
            doing: Doing::Looking,
            begun: None,
            not_before: None,
            tries: 0,
            late: false,
            healthy: None,
            before: None,
            since: None,
            missing: "nothing could be seen of it".into(),
            asked: 0,
            accepting: false,
            shared: false,
            newest: SpecVersion(0),
        }
    }

    /// The same, which counts as good even if its probes cannot tell, or not.
    pub(super) fn accepting(self, accepting: bool) -> Self {
        Self { accepting, ..self }
    }

    /// The same, which knows of this version of the service.
    pub(super) fn knowing(self, newest: SpecVersion) -> Self {
        Self { newest, ..self }
    }

    /// The newest version of the service that is known of.
    pub(super) fn newest(&self) -> SpecVersion {
        self.newest
    }

    pub(super) fn direction(&self) -> Direction {
        self.route.direction
    }

    pub(super) fn poll(&mut self, now: Now) -> Want {
        let begun = *self.begun.get_or_insert(now.mono);
        if let Doing::Ended(end) = &mut self.doing {
            return Want::End(end.take().unwrap_or(HandEnd::Failed(self.missing.clone())));
        }
        // Nobody is late who was not looked at: the time may have passed elsewhere.
        let out_of_time = self.tries > 0 && self.is_late(now.mono.saturating_sub(begun));
        match &self.doing {
            // Its tasks are well: that nobody could be asked is no reason to put it back.
            Doing::Asking(_) if out_of_time => return Want::End(HandEnd::Unsure(self.unsure(&self.missing))),
            _ if out_of_time => return Want::End(HandEnd::Failed(self.too_late())),
            _ => {}
        }
        if let Some(until) = self.not_before.filter(|until| now.mono < until.mono) {
            return Want::Wait(until);
        }
        match &self.doing {
            Doing::Looking | Doing::Ended(_) => Want::Act(Action::Look(Look::Service(self.consumer.id.clone()))),
            Doing::Judging => Want::Act(Action::Look(Look::Rollout(self.consumer.id.clone()))),
            Doing::Asking(_) => Want::Act(Action::Look(Look::Health(self.consumer.id.clone()))),
            Doing::Sending(service) => match self.change(service) {
                Ok(change) => Want::Act(Action::Change(change)),
                Err(error) => Want::End(HandEnd::Failed(error.to_string())),
            },
        }
    }

    /// The spec that was read, with our references exchanged and nothing else.
    fn change(&self, service: &ServiceState) -> Result<Change, Error> {
        if let Some(field) = service.spec.oversized() {
            let text = format!(
                "cannot update service {}: {field} holds an integer of 2^53 or more, which Portainer rounds",
                quoted(&service.name)
            );
            return Err(Error::new(ErrorKind::Refused, text));
        }
        let (spec, swap) = self.route.edit(&service.spec)?;
        Ok(Change::Update {
            service: service.id.clone(),
            name: quoted(&service.name).trim_matches('`').to_owned(),
            version: service.version,
            spec,
            direction: self.route.direction,
            swap,
        })
    }

    pub(super) fn handle(&mut self, reply: Reply, now: Now) {
        match (std::mem::replace(&mut self.doing, Doing::Looking), reply) {
            (Doing::Looking, Reply::Done(Answer::Service(service))) if service.version < self.newest => {
                self.again(&self.outdated(), now);
            }
            (Doing::Judging, Reply::Done(Answer::Rollout(service, _))) if service.version < self.newest => {
                self.again(&self.outdated(), now);
                self.doing = Doing::Judging;
            }
            (Doing::Looking, Reply::Done(Answer::Service(service))) => self.looked(service, now),
            (Doing::Judging, Reply::Done(Answer::Rollout(service, tasks))) => {
                self.doing = Doing::Judging;
                self.newest = service.version;
                let ids = |end: fn(&Swap) -> Option<&SecretId>| -> Vec<&str> {
                    self.route.swaps.iter().filter_map(|swap| Some(end(swap)?.as_str())).collect()
                };
                let expected = Expected {
                    wanted: &ids(Swap::after),
                    unwanted: &ids(Swap::before),
                    direction: self.route.direction,
                    since: self.since,
                    before: self.before.as_ref(),
                };
                let verdict = judge(&service, &tasks, &expected);
                self.judged(verdict, now);
            }
            (Doing::Asking(note), Reply::Done(Answer::Health(health))) => self.told(health, note, now),
            (Doing::Sending(service), Reply::Done(_)) => {
                self.newest = SpecVersion(service.version.0.saturating_add(1));
                self.judge_from(now);
            }
            (Doing::Sending(_), Reply::Refused(error)) if error.kind() == ErrorKind::Conflict => {
                self.again(&error, now)
            }
            (Doing::Sending(_), Reply::Refused(error)) => self.end(HandEnd::Failed(error.to_string())),
            (_, Reply::Refused(error)) if error.kind() == ErrorKind::NotFound => {
                self.end(HandEnd::Left(format!("service {} was removed meanwhile", quoted(&self.consumer.service))));
            }
            (Doing::Asking(note), Reply::Refused(error)) if !error.is_retryable() => {
                self.told(Some(Health::inconclusive(error.to_string())), note, now);
            }
            (doing, Reply::Refused(error)) if !error.is_retryable() => {
                self.doing = doing;
                self.end(HandEnd::Failed(error.to_string()));
            }
            (doing @ (Doing::Judging | Doing::Asking(_)), Reply::Refused(error) | Reply::Unknown(error)) => {
                self.again(&error, now);
                self.doing = doing;
            }
            (_, Reply::Refused(error) | Reply::Unknown(error)) => self.again(&error, now),
            (doing, Reply::Done(_)) => self.doing = doing,
        }
    }

    /// Looks again after a moment: the reference tells whether the update was taken.
    fn again(&mut self, error: &Error, now: Now) {
        self.missing = error.to_string();
        self.tries += 1;
        let pause = Duration::from_millis(100 << self.tries.min(7)).min(Duration::from_secs(10));
        self.not_before = Some(now.after(pause));
        self.doing = Doing::Looking;
    }

    fn end(&mut self, end: HandEnd) {
        self.doing = Doing::Ended(Some(end));
    }

    /// A manager that was the leader may answer for a moment as if it still were.
    fn outdated(&self) -> Error {
        let text = format!("an answer showed {} as it was before", quoted(&self.consumer.service));
        Error::new(ErrorKind::Stale, text)
    }

    fn looked(&mut self, service: Box<ServiceState>, now: Now) {
        self.newest = service.version;
        let Ok(references) = service.spec.references() else {
            return self.end(HandEnd::Failed(format!("the spec of {} cannot be read", quoted(&self.consumer.service))));
        };
        self.route.take_along(&references);
        let all = self.route.swaps.len();
        let there = self.route.swaps.iter().filter(|swap| swap.is(&references, swap.after())).count();
        let to_move = self.route.swaps.iter().filter(|swap| swap.is(&references, swap.before())).count();
        // What is still ours moves although somebody else has changed the rest, unless that one has put some of it back.
        let back = self.route.direction == Direction::Restore;
        let ours = (there + to_move == all || self.route.only_exchanges()) && !self.route.is_half_done(&references);
        let goes = to_move > 0 && (ours || back);
        if there == all {
            self.since = self.history_ends(&service);
            if self.route.direction == Direction::Restore {
                self.forget_until(now, &service);
            }
            self.judge_from(now);
        } else if goes {
            let ours = |swap: &Swap| [swap.before(), swap.after()].iter().any(|side| swap.is(&references, *side));
            self.route.swaps.retain(ours);
            self.shared |= there + to_move < all;
            self.before.clone_from(&service.update_status);
            self.since = self.history_ends(&service);
            self.doing = Doing::Sending(service);
        } else {
            self.end(HandEnd::Left(format!(
                "somebody else changed the secret reference of {} meanwhile: it is left as it is",
                quoted(&self.consumer.service)
            )));
        }
    }

    /// On the way back the wanted version is an old one, whose failures of long ago do not count.
    fn history_ends(&self, service: &ServiceState) -> Option<Timestamp> {
        (self.route.direction == Direction::Restore).then_some(service.updated_at)
    }

    /// It is on the old version already. What has failed there until now may have been mended since: a person has, or the
    /// password of that version was given back.
    fn forget_until(&mut self, now: Now, service: &ServiceState) {
        self.since = self.since.max(Some(now.wall));
        if self.before.is_none() {
            self.before.clone_from(&service.update_status);
        }
    }

    fn judge_from(&mut self, now: Now) {
        self.doing = Doing::Judging;
        self.begun = Some(now.mono);
        (self.healthy, self.late) = (None, false);
        self.not_before = Some(now.after(pace(Duration::ZERO)));
    }

    /// Whether the time to get healthy, and to stay so, is over.
    fn is_late(&self, elapsed: Duration) -> bool {
        elapsed >= self.timing.deadline + self.timing.stability
    }

    fn judged(&mut self, verdict: Verdict, now: Now) {
        self.tries = 0;
        let elapsed = now.mono.saturating_sub(self.begun.unwrap_or(now.mono));
        self.not_before = Some(now.after(pace(elapsed)));
        let late = self.is_late(elapsed);
        let was_late = std::mem::replace(&mut self.late, late);
        match verdict {
            Verdict::Failed { reason } => self.end(HandEnd::Failed(reason)),
            Verdict::Wait { reason } => {
                self.healthy = None;
                self.missing = reason;
                if self.late {
                    self.end(HandEnd::Failed(self.too_late()));
                }
            }
            Verdict::Healthy { note, tasks } => {
                // A task that ended between two looks has a successor now: it has not been healthy for as long.
                let since = match self.healthy.take() {
                    Some((since, same)) if same == tasks => since,
                    // Whoever is well at the end of the time may show that it lasts, once.
                    _ if was_late => return self.end(HandEnd::Failed(self.too_late())),
                    _ => now.mono,
                };
                self.healthy = Some((since, tasks));
                let left = self.timing.stability.saturating_sub(now.mono.saturating_sub(since));
                if left.is_zero() {
                    return self.stable(note, now);
                }
                // Look again in mid-window, and exactly at its end.
                self.not_before = Some(now.after(left.min(Duration::from_secs(2))));
                self.missing = "it runs, but not for long enough".into();
            }
        }
    }

    /// On the way back nobody is asked: that a service worked before it was touched is known, and it goes back either way.
    fn stable(&mut self, note: Option<String>, now: Now) {
        if self.shared {
            let moved = if self.route.direction == Direction::Restore { "put back" } else { "moved" };
            return self.end(HandEnd::Left(format!(
                "somebody else changed a secret reference of {} meanwhile: it is left as it is, and the others are {moved}",
                quoted(&self.consumer.service)
            )));
        }
        if self.route.direction == Direction::Restore || self.consumer.probes.is_empty() {
            return self.end(HandEnd::Converged(note));
        }
        self.not_before = Some(now);
        self.missing = "its probes gave no answer".into();
        self.doing = Doing::Asking(note);
    }

    /// What its probes say. One that cannot tell is asked again after a pause: a service that has just begun may be slow.
    fn told(&mut self, health: Option<Health>, note: Option<String>, now: Now) {
        let name = quoted(&self.consumer.service);
        let reason = match health {
            Some(Health::Healthy) => return self.end(HandEnd::Converged(note)),
            Some(Health::Unhealthy { reason }) => {
                let text = format!("{name} does not work with the new version: {reason}");
                return self.end(HandEnd::Failed(text));
            }
            None => {
                let nobody = format!("no task of {name} is meant to run, so its probes were not asked");
                return self.end(HandEnd::Converged(note.or(Some(nobody))));
            }
            Some(Health::Inconclusive { reason }) => reason,
        };
        self.asked += 1;
        if self.asked < ASKED {
            self.not_before = Some(now.after(Duration::from_secs(5) * self.asked));
            self.missing.clone_from(&reason);
            self.doing = Doing::Asking(note);
        } else if self.accepting {
            let text = format!("{name} was accepted although its probes cannot tell whether it works: {reason}");
            self.end(HandEnd::Converged(Some(text)));
        } else {
            self.end(HandEnd::Unsure(self.unsure(&reason)));
        }
    }

    fn unsure(&self, reason: &str) -> String {
        let name = quoted(&self.consumer.service);
        format!("nobody can tell whether {name} works with the new version: {reason}")
    }

    fn too_late(&self) -> String {
        format!(
            "{} did not get healthy within {}: {}",
            quoted(&self.consumer.service),
            humane(self.timing.deadline),
            self.missing
        )
    }
}

/// How long to wait before the next look: a twelfth of the time that has passed, so that a quick rollout is seen at once
/// and a slow one costs few requests.
fn pace(elapsed: Duration) -> Duration {
    (elapsed / 12).clamp(Duration::from_millis(100), Duration::from_secs(2))
}
