//! The policies in force, asked before anything is begun and before each mutation.

use super::run::{Executor, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::PlanDigest;
use crate::inventory::Inventory;
use crate::plan::{Content, Plan, PlannedSecret, ValueRecipe, acts, decide_now};
use crate::policy::{Decision, Direction, Gate, Guard};
use crate::rotation::Stage;
use crate::secret::SecretValue;

impl<'a> Executor<'a> {
    /// The same executor, for which these policies hold, beside the one that is built in. The strictest decides.
    #[must_use]
    pub fn guarded(mut self, guards: &'a [Guard]) -> Self {
        self.guards = guards;
        self
    }

    /// The gate for a plan, by what the policies say to the world as it is now.
    pub(super) fn gate(&self, plan: &Plan, world: &Inventory) -> Gate {
        let digest: &PlanDigest = plan.digest();
        let acts = acts(plan, world);
        let decision = decide_now(plan, &acts, self.guards);
        let hours = self.guards.iter().flat_map(|guard| acts.iter().map(|act| guard.policy().hours(act)));
        Gate::new(digest.clone(), decision, self.parts.word).within(hours.collect())
    }

    /// Whether the kill switches leave this direction open.
    pub(super) async fn switches(&self, direction: Direction) -> Result<()> {
        for guard in self.guards {
            guard.check_switch(direction).await?;
        }
        Ok(())
    }

    /// Whether the kill switches leave one mutation open. Those that restore were heeded just before, on the way to the new
    /// versions.
    pub(super) async fn switches_for(&self, run: &Run<'_, '_>, direction: Direction) -> Result<()> {
        let heeded = moves(&run.rotation.state().stage);
        for guard in self.guards.iter().filter(|guard| !(heeded && guard.restores())) {
            guard.check_switch(direction).await?;
        }
        Ok(())
    }

    /// Whether a value may become a new version.
    pub(super) fn check_value(
        &self,
        plan: &Content,
        secret: &str,
        value: &SecretValue,
        world: &Inventory,
    ) -> Result<()> {
        let acts = acts(plan, world);
        let Some(act) = acts.iter().find(|act| act.secret == secret) else { return Ok(()) };
        let said = self.guards.iter().map(|guard| guard.policy().judge_value(act, value));
        match said.fold(Decision::Allow, Decision::stricter) {
            Decision::Deny { reason } | Decision::NeedsApproval { reason } => {
                Err(Error::new(ErrorKind::Denied, format!("denied by policy: {reason}")))
            }
            Decision::Allow => Ok(()),
        }
    }

    /// Whether all values that are handed over may become new versions.
    pub(super) fn check_values(&self, plan: &Content, values: &super::Values, world: &Inventory) -> Result<()> {
        let supplied = |s: &&PlannedSecret| s.recipe == ValueRecipe::Supplied;
        let taken = plan.secrets.iter().filter(supplied).filter_map(|s| Some((s, values.of(plan, &s.secret)?)));
        taken.into_iter().try_for_each(|(secret, value)| self.check_value(plan, &secret.secret, value, world))
    }

    /// Heeds what has changed since the last step: a closed window or a wish to stop lets no further consumer begin, and a kill
    /// switch that restores puts everything back.
    pub(super) async fn heed(&self, run: &mut Run<'_, '_>) -> Result<()> {
        let now = self.parts.clock.now().wall;
        if self.parts.cancellation.is_cancelled() || (run.gate.is_closed(now) && moves(&run.rotation.state().stage)) {
            run.rotation.interrupt()?;
        }
        if moves(&run.rotation.state().stage) {
            for guard in self.guards.iter().filter(|guard| guard.restores()) {
                if guard.check_switch(Direction::Forward).await.is_err() {
                    return run.rotation.roll_back("the kill switch was turned on");
                }
            }
        }
        Ok(())
    }
}

/// Whether the rotation is on its way to the new versions.
fn moves(stage: &Stage) -> bool {
    matches!(stage, Stage::Prepare | Stage::Credential | Stage::Update | Stage::Settle)
}
