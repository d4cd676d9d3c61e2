//! Limits: what is begun is counted before it is, and what has ended is not in hand any more.

use super::Supply;
use super::run::Executor;
use crate::error::Result;
use crate::ids::RotationId;
use crate::inventory::Inventory;
use crate::plan::Plan;
use crate::policy::{Act, Beginning, Held};
use crate::rotation::{Report, Stage, State};

/// The places of a rotation that is about to begin, one for each policy that counts it.
pub(super) type Places = Vec<Box<dyn Held>>;

impl Executor<'_> {
    /// Counts a rotation that is about to begin, unless a limit has no room for it; that is told to the audit trail.
    pub(super) async fn count(
        &self,
        id: &RotationId,
        plan: &Plan,
        supply: &mut Supply<'_>,
        world: &Inventory,
    ) -> Result<Places> {
        let counted = self.count_all(id, plan, world).await;
        if let Err(error) = &counted {
            self.tell_refusal(plan, supply, world, error).await?;
        }
        counted
    }

    async fn count_all(&self, id: &RotationId, plan: &Plan, world: &Inventory) -> Result<Places> {
        let asked = self.asked(plan, world);
        let acts: Vec<&Act<'_>> = asked.iter().flatten().collect();
        let mut places = Vec::new();
        for guard in self.guards {
            let beginning = Beginning {
                rotation: id.clone(),
                now: self.parts.clock.now().wall,
                simulated: self.parts.transport.simulated(),
                tallies: guard.policy().tallies(&acts, world.cluster.as_str()),
            };
            places.extend(guard.count(beginning).await?);
        }
        Ok(places)
    }

    /// What was begun keeps its places until it ends.
    pub(super) async fn keep(places: Places) -> Result<()> {
        for place in places {
            place.keep().await?;
        }
        Ok(())
    }

    /// Gives the places of a rotation free, if it has come to rest. Where that cannot be written down they stay taken, and the
    /// report says so.
    pub(super) async fn let_go(&self, state: &State, report: &mut Report) {
        if is_in_hand(&state.stage) {
            return;
        }
        self.forget_unmade(state, report).await;
        for guard in self.guards {
            if let Err(error) = guard.end(&state.rotation, self.parts.transport.simulated()).await {
                let then = format!("mend that, then `swarmsecrets resume {}`", state.rotation);
                report.warnings.push(format!("limits still count the rotation as in hand: {error}; {then}"));
            }
        }
    }
}

/// Whether something of a rotation is on its way. What waits for people or for the end of its grace is not.
fn is_in_hand(stage: &Stage) -> bool {
    !matches!(stage, Stage::AwaitPatch | Stage::Grace | Stage::Ended(_))
}
