//! The way of one operation to the systems behind secrets: where their faults are met, and each change of a password is
//! looked at before it is made and after.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use swarmsecrets_core::credential::{Account, CredentialSetter, Login};
use swarmsecrets_core::error::{Error, ErrorKind, Result};
use swarmsecrets_core::ids::RotationId;
use swarmsecrets_core::journal::{ChangeRecord, CredentialStep};
use swarmsecrets_core::plan::Strategy;
use swarmsecrets_core::secret::SecretValue;

use super::late::{Asks, SetterCall};
use super::providers;
use super::records::Records;
use super::stage::Fired;
use super::trouble::Class;
use super::watch::By;
use crate::credential::{FakeCredential, Step};

/// The setter of one secret, as one process has it.
pub(super) struct Door {
    records: Arc<Records>,
    system: FakeCredential,
    /// The secret, by number.
    secret: usize,
    /// Whose password it is, as the plan has it.
    account: Account,
}

impl Door {
    pub(super) fn new(records: Arc<Records>, secret: usize, system: FakeCredential, account: Account) -> Self {
        Self { records, system, secret, account }
    }

    /// Comes to a point before a call or after it. Gives after which time the call is carried out, if its sender gives up on it.
    async fn pass(&self, class: Class, step: Step) -> Option<Duration> {
        let Records { stage, who, .. } = &*self.records;
        let mut late = None;
        match stage.reach(*who, class) {
            Fired::Crash(leaves) => self.records.die(leaves).await,
            Fired::Stall(time) => {
                stage.note(|| format!("process {who}: stands still for {time:?} before {step:?}"));
                stage.stand_still(*who, time).await;
            }
            Fired::Late(after) => late = Some(after),
            Fired::System(fault) => {
                stage.note(|| format!("process {who}: {fault:?} at {step:?}"));
                stage.live().denied.push((self.secret, step, fault));
                self.system.fail(step, fault);
            }
            _ => {}
        }
        stage.give_way().await;
        late
    }

    /// What must be there before a password may be changed.
    fn check(&self, rotation: &RotationId, wanted: CredentialStep) -> std::result::Result<usize, String> {
        let what = format!("{wanted:?} of the password of secret {}", self.secret);
        let leave = self.records.take_leave(&what)?;
        match leave.change {
            ChangeRecord::Credential { secret, step } if step == wanted && leave.intent.rotation == *rotation => {
                Ok(secret)
            }
            change => Err(format!("{what}: the journal's last intent is another one ({change:?})")),
        }
    }

    /// A password is ended when nothing is on the old version any more, but for what people have put back there since the
    /// world was looked at: nothing guards a password. A revocation ends it first of all.
    fn may_end(&self, rotation: &RotationId, secret: usize) -> std::result::Result<(), String> {
        let world = self.records.stage.swarm.engine().world();
        let mut live = self.records.stage.live();
        let looked = live.processes[self.records.who].listed;
        let Some(begun) = live.begun.get(rotation) else { return Err("its rotation was never begun".into()) };
        let old = begun.pair(secret).old_id().to_owned();
        if begun.plan.strategy == Strategy::Revoke {
            live.ended.insert(old);
            return Ok(());
        }
        let on_old = |service: &&String| {
            let uses = |references: &[(String, String)]| {
                let mut uses = references.iter().filter(|(_, id)| *id == old);
                uses.any(|(target, id)| !providers::is_beside(&live, service, target, id))
            };
            let spec = live.watch.references(service).is_some_and(|references| uses(references));
            let alive = |task: &&crate::sim::Task| task.service == **service && !task.state.is_terminal();
            let mut tasks = world.tasks.values().filter(alive);
            spec || tasks.any(|task| uses(&crate::sim::task_references(&task.spec)))
        };
        let since =
            |service: &str| live.watch.person_at(service).is_some_and(|at| looked.is_none_or(|looked| at >= looked));
        match world.services.keys().filter(on_old).find(|service| !since(service)) {
            None => Ok(()),
            Some(service) => Err(format!("the old password of secret {secret} is ended while {service} uses it")),
        }
    }

    /// What commands need in the container must be there, unless its process is late.
    fn ready(&self, rotation: &RotationId) -> std::result::Result<(), String> {
        let Records { stage, who, .. } = &*self.records;
        let late = stage.is_overtaken(*who);
        if late { Ok(()) } else { providers::ready(&stage.live(), *who, rotation, self.secret) }
    }

    /// Does what changes something, with a look before and after. What must be there is looked at first: a process that is
    /// paused between that and the sending has nothing left that holds its call back.
    async fn change(&self, rotation: &RotationId, asks: Asks) -> Result<()> {
        let Records { stage, who, .. } = &*self.records;
        let sent = stage.live().reached.len();
        let call = SetterCall { secret: self.secret, rotation: rotation.clone(), asks, sent };
        let (step, leave) = (call.step(), self.check(rotation, recorded(call.step())));
        let late = self.pass(Class::Call(step), step).await;
        let allowed = leave.and_then(|secret| match step {
            Step::Revoke => self.may_end(rotation, secret),
            _ => Ok(()),
        });
        stage.look(&By::Engine, None);
        let allowed = allowed.and_then(|()| self.ready(rotation));
        stage.live().processes[*who].sent += 1;
        if let Err(why) = allowed {
            stage.violated(why.clone());
            return Err(Error::new(ErrorKind::Protocol, why));
        }
        if let Some(after) = late {
            stage.note(|| format!("process {who}: {step:?}: no answer; it arrives after {after:?}"));
            stage.post_call(after, call);
            return Err(Error::new(ErrorKind::Timeout, format!("no answer from the made-up system to {step:?}")));
        }
        let done = stage.carry_out(&call, stage.is_overtaken(*who).then_some("its process was paused and overtaken"));
        stage.note(|| {
            let said = done.as_ref().map_or_else(ToString::to_string, |()| "done".into());
            format!("process {who}: {step:?} of secret {}: {said}", self.secret)
        });
        stage.check_logins();
        self.pass(Class::Called, step).await;
        done
    }
}

/// How the journal calls a step.
fn recorded(step: Step) -> CredentialStep {
    match step {
        Step::Revoke => CredentialStep::Revoke,
        Step::Undo => CredentialStep::Undo,
        Step::Set | Step::Verify => CredentialStep::Set,
    }
}

#[async_trait]
impl CredentialSetter for Door {
    fn account(&self) -> Account {
        self.account.clone()
    }

    fn next_value(&self, current: &SecretValue, password: &SecretValue) -> Result<SecretValue> {
        self.system.next_value(current, password)
    }

    async fn set(&self, rotation: &RotationId, current: &SecretValue, next: &SecretValue) -> Result<()> {
        self.change(rotation, Asks::Set { current: current.clone(), next: next.clone() }).await
    }

    async fn verify(&self, value: &SecretValue) -> Login {
        self.pass(Class::Call(Step::Verify), Step::Verify).await;
        let stage = &self.records.stage;
        stage.look(&By::Engine, None);
        if let Some((rotation, _)) = self.records.in_hand() {
            stage.check(self.ready(&rotation).map_err(|why| format!("{why}, to try a password")));
        }
        self.system.verify(value).await
    }

    async fn revoke(&self, rotation: &RotationId, old: &SecretValue) -> Result<()> {
        self.change(rotation, Asks::Revoke { old: old.clone() }).await
    }

    async fn undo(&self, rotation: &RotationId, current: &SecretValue) -> Result<()> {
        self.change(rotation, Asks::Undo { current: current.clone() }).await
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use swarmsecrets_core::audit::{Actor, AuditRecord, AuditSink, Phase};
    use swarmsecrets_core::credential::Way;
    use swarmsecrets_core::ids::{EnvironmentId, PlanDigest};
    use swarmsecrets_core::journal::JournalStore as _;
    use swarmsecrets_core::policy::Direction;

    use super::*;
    use crate::schedule::disk::{Host, lock};
    use crate::schedule::scene::Scene;
    use crate::schedule::script::Op;
    use crate::schedule::stage::Stage;

    /// Turns until it is done.
    fn done<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
        }
    }

    #[test]
    fn a_process_that_has_seen_that_its_lease_is_lost_sends_nothing() {
        for lost in [false, true] {
            let scene = (0..).map(Scene::of).find(|scene| scene.systems[0] == Some(Way::HoldsTwo)).unwrap();
            let stage = Arc::new(Stage::of(&scene, false).unwrap());
            let (host, rotation) = (Host::default(), RotationId::from_random([1; 10]));
            let records = Arc::new(Records::new(stage.clone(), host.clone(), 0, Op::Retire));
            let lease = done(records.lock(&rotation)).unwrap();
            if lost {
                lock(&host).leases.insert(rotation.clone(), (1, 9));
            }
            assert_eq!(lease.held(), !lost);
            let actor = Actor { account: "admin".into(), agent: None, reason: None, leave: None };
            let intent = AuditRecord {
                at: stage.now_of(0).wall,
                actor,
                environment: EnvironmentId(1),
                rotation: rotation.clone(),
                plan: PlanDigest::from_sha256([1; 32]),
                phase: Phase::Intent,
                step: 1,
                direction: Direction::Forward,
                action: String::new(),
                outcome: None,
                simulated: true,
            };
            done(AuditSink::append(&*records, &intent)).unwrap();
            let system = stage.systems[0].clone().unwrap();
            let account = system.account();
            let door = Door::new(records, 0, system, account);
            let value = SecretValue::new(b"made-up-value".to_vec()).unwrap();
            let refused = done(door.undo(&rotation, &value)).unwrap_err().to_string();
            let why = if lost { "has seen that its lease is lost" } else { "without an intent in the journal" };
            assert!(refused.contains(why) && stage.violation().is_some_and(|what| what.contains(why)), "{refused}");
            assert!(stage.live().reached.is_empty());
        }
    }
}
