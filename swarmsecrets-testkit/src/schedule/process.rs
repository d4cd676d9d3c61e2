//! One operation of one process, from beginning to end, as the command would do it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use swarmsecrets_core::credential::CredentialSetter as _;
use swarmsecrets_core::error::Result;
use swarmsecrets_core::executor::{Executor, Parts, PasswordChange, Probes, Supply, Values, read_inventory};
use swarmsecrets_core::generate::{GenerateSpec, Random};
use swarmsecrets_core::ids::{EnvironmentId, RotationId};
use swarmsecrets_core::inventory::{Inventory, Labels};
use swarmsecrets_core::plan::{
    Allowances, CreateRequest, Plan, PlannedSecret, Probed, RotationRequest, ValueRecipe, plan_create, plan_rotation,
};
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::{Report, State};
use swarmsecrets_core::{Error, ErrorKind, SecretValue};

use super::ask::{Ask, Value};
use super::disk::{Host, lock};
use super::door::Door;
use super::probes::MadeUp;
use super::providers;
use super::records::Records;
use super::rules::BY_HAND;
use super::scene::{SECRETS, Scene};
use super::script::Op;
use super::stage::Stage;
use super::values;
use super::wire::Wire;
use crate::credential::FakeCredential;
use crate::sim::Dice;

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);

/// All that an operation works with.
pub(super) struct Desk {
    pub(super) stage: Arc<Stage>,
    pub(super) scene: Arc<Scene>,
    pub(super) host: Host,
    pub(super) who: usize,
    pub(super) user: &'static str,
    pub(super) dice: Dice,
    /// How long it waits before it begins.
    pub(super) later: Duration,
}

impl Random for Dice {
    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        into.iter_mut().for_each(|byte| *byte = self.below(256) as u8);
        Ok(())
    }
}

impl Desk {
    /// Does it. Gives the reports, in order.
    pub(super) async fn run(self, op: Op) -> Result<Vec<Report>> {
        if !self.later.is_zero() {
            self.stage.sleep(self.who, self.later).await;
        }
        let records = Arc::new(Records::new(self.stage.clone(), self.host.clone(), self.who, op.clone()));
        let wire = Wire::new(records.clone(), self.user)?;
        let executor = |passwords| {
            let parts = Parts {
                transport: &wire,
                environment: ENVIRONMENT,
                clock: records.as_ref(),
                journal: records.as_ref(),
                audit: records.as_ref(),
                observer: records.as_ref(),
                cancellation: self.stage.live().processes[self.who].cancellation.clone(),
                agent: Some("agent-7".into()),
                reason: Some("a simulation".into()),
                word: Word::Given,
            };
            let executor = Executor::new(parts).with_passwords(passwords).with_probes(self.probes(&records));
            executor.with_git(self.stage.swarm.portainer().as_ref())
        };
        let plain = executor(BTreeMap::new());
        let mut dice = self.dice.clone();
        match &op {
            Op::Rotate(_) | Op::Create { .. } => {
                let inventory = read_inventory(&wire, ENVIRONMENT, records.as_ref()).await?;
                let plan = match &op {
                    Op::Rotate(ask) => plan_rotation(&inventory, &self.request(ask, &records, &inventory))?,
                    _ => first(&inventory, &op)?,
                };
                let passwords = self.passwords(&records, &plan);
                let mut supply = Supply { values: self.values(&op, &plan)?, random: &mut dice };
                Ok(vec![executor(passwords).apply(&plan, &mut supply).await?])
            }
            Op::Resume { with_value, accept } => {
                let mut ids: Vec<RotationId> = plain.unfinished().await?.into_iter().map(|s| s.rotation).collect();
                let gone = self.stage.gone();
                ids.extend(plain.lost().await?.into_iter().filter(|id| gone.contains(id)));
                let mut reports = Vec::new();
                for id in ids {
                    let values = if *with_value { self.values_of(&id)? } else { Values::none() };
                    let mut supply = Supply { values, random: &mut dice };
                    let executor = executor(self.passwords_of(&records, &id));
                    let executor = if *accept { executor.accepting_inconclusive() } else { executor };
                    match executor.resume(&id, &mut supply).await {
                        Ok(report) => reports.push(report),
                        Err(error) => self.stage.refused(self.who, &format!("resume {id}"), &error),
                    }
                }
                Ok(reports)
            }
            Op::Rollback { back } => {
                let id = lock(&self.host).rotations().into_iter().rev().nth(*back);
                let id = id.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is nothing to undo"))?;
                Ok(vec![executor(self.passwords_of(&records, &id)).rollback(&id, BY_HAND).await?])
            }
            Op::Retire => {
                // Whoever retires hands over the values of what is in the middle of its change.
                let open = plain.unfinished().await?.into_iter().filter(State::has_open_password);
                let passwords = open.flat_map(|state| self.passwords_of(&records, &state.rotation)).collect();
                executor(passwords).retire().await
            }
        }
    }

    /// The probes of the services that are there; one is at hand for each.
    fn probes(&self, records: &Arc<Records>) -> Probes<'static> {
        let world = self.stage.swarm.engine().world();
        let there = |name: &str| world.services.values().any(|service| service.name() == name);
        let services = self.scene.services.iter().filter(|service| there(&service.name));
        services.fold(Probes::none(), |probes, service| {
            let probe = Arc::new(MadeUp::new(records.clone(), service));
            probes.and(Probed::Named(service.name.clone()), probe)
        })
    }

    fn request(&self, ask: &Ask, records: &Arc<Records>, inventory: &Inventory) -> RotationRequest {
        let recipe = |value: &Value| match value {
            Value::Generated => ValueRecipe::Generate(GenerateSpec::default()),
            _ => ValueRecipe::Supplied,
        };
        let secrets = ask.secrets.iter().map(|(secret, value)| (SECRETS[*secret].to_owned(), recipe(value)));
        let service = |n: &usize| self.scene.services.get(*n).map_or_else(String::new, |service| service.name.clone());
        let account = |number: usize| {
            let system = self.stage.systems.get(number)?.as_ref()?;
            let account = providers::provided(system.account(), inventory, &self.scene, number);
            Some((SECRETS[number].to_owned(), account))
        };
        RotationRequest {
            strategy: ask.strategy,
            credentials: ask.secrets.iter().filter_map(|(number, _)| account(*number)).collect(),
            timing: ask.timing,
            rollout: ask.rollout,
            canary: ask.canary.named(&self.scene),
            after: ask.after.iter().map(|(one, other)| (service(one), service(other))).collect(),
            probes: if ask.probes { self.probes(records).requested() } else { Vec::new() },
            allow: Allowances { redeploy: ask.redeploy, ..Allowances::default() },
            ..RotationRequest::of(secrets)
        }
    }

    /// The setters for the secrets of a plan that open a system, with the values that their current versions have.
    fn passwords(&self, records: &Arc<Records>, plan: &Plan) -> BTreeMap<String, PasswordChange> {
        let change = |secret: &PlannedSecret| {
            let (number, system) = self.system(&secret.secret)?;
            let account = secret.credential.clone()?;
            let setter = Arc::new(Door::new(records.clone(), number, system.clone(), account));
            Some((secret.secret.clone(), PasswordChange::Setter { setter, current: self.current(secret) }))
        };
        plan.secrets.iter().filter_map(change).collect()
    }

    fn passwords_of(&self, records: &Arc<Records>, rotation: &RotationId) -> BTreeMap<String, PasswordChange> {
        let plan = self.stage.live().begun.get(rotation).map(|begun| begun.plan.clone());
        plan.map(|plan| self.passwords(records, &plan)).unwrap_or_default()
    }

    fn system(&self, secret: &str) -> Option<(usize, &FakeCredential)> {
        let number = SECRETS.iter().position(|name| *name == secret)?;
        Some((number, self.stage.systems.get(number)?.as_ref()?))
    }

    /// The value that the version before has. Swarm gives none back; people have it.
    fn current(&self, secret: &PlannedSecret) -> Option<SecretValue> {
        let previous = secret.previous.as_ref()?.id.as_str();
        self.stage.live().watch.values.get(previous).cloned()
    }

    /// The values that a rotation was begun with.
    fn values_of(&self, rotation: &RotationId) -> Result<Values> {
        let begun = self.stage.live().begun.get(rotation).map(|begun| (begun.op.clone(), begun.plan.clone()));
        begun.map_or_else(|| Ok(Values::none()), |(op, plan)| self.values(&op, &plan))
    }

    /// The values that people hand over: for a system, the current one with another password in it.
    fn values(&self, op: &Op, plan: &Plan) -> Result<Values> {
        let Op::Rotate(ask) = op else { return supplied(Value::Good(0)).map(Values::from) };
        let mut named = Vec::new();
        for (number, value) in &ask.secrets {
            let name = SECRETS[*number];
            let planned = plan.secrets.iter().find(|secret| secret.secret == name);
            let current = planned.filter(|secret| secret.credential.is_some()).and_then(|secret| self.current(secret));
            let value = match (current, self.system(name)) {
                (Some(current), Some((_, system))) if *value != Value::Generated => {
                    let password = password(*value, &current, plan)?;
                    self.stage.live().needles.add(password.expose());
                    Some(system.next_value(&current, &password)?)
                }
                _ => supplied(*value)?,
            };
            named.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(Values::named(named))
    }
}

/// A password that the system has never had: the one that nobody should take, or one named after the plan.
fn password(value: Value, current: &SecretValue, plan: &Plan) -> Result<SecretValue> {
    let bytes = match value {
        Value::Bad if current.expose() != values::BAD => values::BAD.to_vec(),
        _ => format!("made-up-pass-{}", plan.digest()).into_bytes(),
    };
    SecretValue::new(bytes)
}

fn first(inventory: &Inventory, op: &Op) -> Result<Plan> {
    let Op::Create { name } = op else { return Err(Error::new(ErrorKind::Invalid, "it makes no first version")) };
    let recipe = ValueRecipe::Supplied;
    let request = CreateRequest { name: name.to_owned(), recipe, labels: Labels::default(), reason: None, agent: None };
    plan_create(inventory, &request)
}

fn supplied(value: Value) -> Result<Option<SecretValue>> {
    let bytes = match value {
        Value::Good(n) => values::GOOD[n],
        Value::Bad => values::BAD,
        Value::Generated => return Ok(None),
    };
    SecretValue::new(bytes.to_vec()).map(Some)
}
