//! One operation of one process, from beginning to end, as the command would do it.

use std::sync::Arc;

use swarmsecrets_core::error::Result;
use swarmsecrets_core::executor::{Executor, Parts, Supply, read_inventory};
use swarmsecrets_core::generate::{GenerateSpec, Random};
use swarmsecrets_core::ids::{EnvironmentId, RotationId};
use swarmsecrets_core::inventory::Labels;
use swarmsecrets_core::plan::{CreateRequest, Plan, RotationRequest, ValueRecipe, plan_create, plan_rotation};
use swarmsecrets_core::policy::Word;
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::{Error, ErrorKind, SecretValue};

use super::records::{Host, Records, lock};
use super::scene::SECRETS;
use super::script::{Op, Value};
use super::stage::Stage;
use super::values;
use super::wire::Wire;
use crate::sim::Dice;

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);

/// All that an operation works with.
pub(super) struct Desk {
    pub(super) stage: Arc<Stage>,
    pub(super) host: Host,
    pub(super) who: usize,
    pub(super) user: &'static str,
    pub(super) dice: Dice,
}

impl Random for Dice {
    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        into.iter_mut().for_each(|byte| *byte = self.below(256) as u8);
        Ok(())
    }
}

impl Desk {
    /// Does it. Gives the reports, in order.
    pub(super) async fn run(mut self, op: Op) -> Result<Vec<Report>> {
        let records = Arc::new(Records {
            stage: self.stage.clone(),
            host: self.host.clone(),
            who: self.who,
            op: op.clone(),
            leave: std::sync::Mutex::default(),
        });
        let wire = Wire::new(records.clone(), self.user)?;
        let executor = Executor::new(Parts {
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
        });
        match op {
            Op::Rotate { .. } | Op::Create { .. } => {
                let inventory = read_inventory(&wire, ENVIRONMENT, records.as_ref()).await?;
                let (plan, value) = match &op {
                    Op::Create { name } => (first(&inventory, name)?, Value::Good(0)),
                    _ => rotation(&inventory, &op)?,
                };
                let mut supply = Supply { values: supplied(value)?.into(), random: &mut self.dice };
                Ok(vec![executor.apply(&plan, &mut supply).await?])
            }
            Op::Resume { with_value } => {
                let mut reports = Vec::new();
                for state in executor.unfinished().await? {
                    let value = if with_value { self.value_of(&state.rotation)? } else { None };
                    let mut supply = Supply { values: value.into(), random: &mut self.dice };
                    reports.push(executor.resume(&state.rotation, &mut supply).await?);
                }
                Ok(reports)
            }
            Op::Rollback { back } => {
                let id = lock(&self.host).order.iter().rev().nth(back).cloned();
                let id = id.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is nothing to undo"))?;
                Ok(vec![executor.rollback(&id, "somebody says so").await?])
            }
            Op::Retire => executor.retire().await,
        }
    }

    /// The value that a rotation was begun with.
    fn value_of(&self, rotation: &RotationId) -> Result<Option<SecretValue>> {
        let op = self.stage.live().begun.get(rotation).map(|begun| begun.op.clone());
        match op {
            Some(Op::Rotate { value, .. }) => supplied(value),
            _ => supplied(Value::Good(0)),
        }
    }
}

fn first(inventory: &swarmsecrets_core::inventory::Inventory, name: &str) -> Result<Plan> {
    let recipe = ValueRecipe::Supplied;
    let request = CreateRequest { name: name.to_owned(), recipe, labels: Labels::default(), reason: None, agent: None };
    plan_create(inventory, &request)
}

fn rotation(inventory: &swarmsecrets_core::inventory::Inventory, op: &Op) -> Result<(Plan, Value)> {
    let Op::Rotate { secret, value, timing } = op else {
        return Err(Error::new(ErrorKind::Invalid, "only a rotation is planned here"));
    };
    let recipe = match value {
        Value::Generated => ValueRecipe::Generate(GenerateSpec::default()),
        _ => ValueRecipe::Supplied,
    };
    let mut request = RotationRequest::new(SECRETS[*secret], recipe);
    request.timing = *timing;
    Ok((plan_rotation(inventory, &request)?, *value))
}

fn supplied(value: Value) -> Result<Option<SecretValue>> {
    let bytes = match value {
        Value::Good(n) => values::GOOD[n],
        Value::Bad => values::BAD,
        Value::Generated => return Ok(None),
    };
    SecretValue::new(bytes.to_vec()).map(Some)
}
