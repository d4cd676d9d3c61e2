//! The policies in force, asked before anything is begun and before each mutation.

use super::reach::check_reach;
use super::run::{Executor, Run};
use super::trail::Ended;
use super::{Supply, Values};
use crate::approval::Approved;
use crate::error::{Error, ErrorKind, Result};
use crate::inventory::Inventory;
use crate::plan::{Content, Plan, acts, decide_now};
use crate::policy::{Act, Decision, Direction, Gate, Guard};
use crate::rotation::{Stage, State};

impl<'a> Executor<'a> {
    /// The same executor, for which these policies hold, beside the one that is built in. The strictest decides.
    #[must_use]
    pub fn guarded(mut self, guards: &'a [Guard]) -> Self {
        self.guards = guards;
        self
    }

    /// Leave to begin a plan. Where it is withheld, the audit trail is told.
    pub(super) async fn may_begin(
        &self,
        plan: &Plan,
        supply: &mut Supply<'_>,
        world: &Inventory,
    ) -> Result<(Gate, Option<Approved>)> {
        let asked = self.leave_to_begin(plan, &mut supply.values, world).await;
        if let Err(error) = &asked {
            self.tell_refusal(plan, supply, world, error).await?;
        }
        asked
    }

    /// Sees that the world is still as a plan says, and that nobody is in its way. A plan that the world has overtaken is refused, and
    /// that is told too.
    pub(super) async fn must_fit(&self, plan: &Plan, supply: &mut Supply<'_>, world: &Inventory) -> Result<()> {
        let fits = self.fits(plan, world).await;
        if let Err(error) = &fits {
            self.tell_refusal(plan, supply, world, error).await?;
        }
        fits
    }

    async fn fits(&self, plan: &Plan, world: &Inventory) -> Result<()> {
        plan.check(world)?;
        self.probes.check(plan, world)?;
        check_reach(&self.transport, self.parts.environment, plan).await?;
        self.nobody_changes_passwords_of(plan, None).await
    }

    /// Spends an approval. One that was used before is refused, and that is told too.
    pub(super) async fn use_up(
        &self,
        approved: Option<&Approved>,
        plan: &Plan,
        supply: &mut Supply<'_>,
        world: &Inventory,
    ) -> Result<()> {
        let Some(approved) = approved else { return Ok(()) };
        let spent = self.spend(approved).await;
        if let Err(error) = &spent {
            self.tell_refusal(plan, supply, world, error).await?;
        }
        spent
    }

    async fn leave_to_begin(
        &self,
        plan: &Plan,
        values: &mut Values,
        world: &Inventory,
    ) -> Result<(Gate, Option<Approved>)> {
        let approved = self.judge_approval(plan, values, world).await?;
        let gate = self.gate(plan, world);
        let gate = approved.iter().fold(gate, |gate, approved| gate.approved_until(approved.expires()));
        gate.check(self.parts.clock.now().wall)?;
        self.switches(Direction::Forward).await?;
        let earlier = self.earlier(plan, world, None);
        self.can_compare(&earlier)?;
        // Not sooner: what must not be begun has no use for a value.
        self.fetch(plan, values).await?;
        self.check_values(plan, values, world)?;
        self.check_earlier(plan, values, &earlier).await?;
        Ok((gate, approved))
    }

    /// The gate for a plan, by what the policies say to the world as it is now.
    pub(super) fn gate(&self, plan: &Plan, world: &Inventory) -> Gate {
        let asked = self.asked(plan, world);
        let said = asked.iter().map(|acts| decide_now(plan, acts, self.guards));
        let decision = said.fold(Decision::Allow, Decision::stricter);
        let hours = self.guards.iter().flat_map(|guard| asked.iter().flatten().map(|act| guard.policy().hours(act)));
        Gate::new(plan.digest().clone(), decision, self.parts.word).within(hours.collect())
    }

    /// What policies are asked about. Whoever carries a plan out is judged beside whoever planned it: one must not act under
    /// the other's name.
    pub(super) fn asked<'w>(&'w self, plan: &'w Plan, world: &'w Inventory) -> Vec<Vec<Act<'w>>> {
        let (planner, actor) = (plan.agent.as_deref(), self.parts.agent.as_deref());
        let mut asked = vec![acts(plan, world, planner)];
        if actor != planner {
            asked.push(acts(plan, world, actor));
        }
        asked
    }

    /// Whether a rotation that is done may be put back, or one ended where it stands, by whoever asks now. Where that is withheld, the audit
    /// trail is told.
    pub(super) async fn may_undo(&self, run: &Run<'_, '_>, words: &str) -> Result<()> {
        let asked = run.gate.check_undoing(self.parts.agent.as_deref());
        if let Err(error) = &asked {
            self.trail(run, Direction::Restore).outcome(words, Ended::Refused(error)).await;
        }
        asked
    }

    /// Whether the kill switches leave this direction open.
    pub(super) async fn switches(&self, direction: Direction) -> Result<()> {
        for guard in self.guards {
            guard.check_switch(direction, &self.swarm_labels()).await?;
        }
        Ok(())
    }

    /// Whether the kill switches leave one mutation open. Those that restore were heeded just before, on the way to the new
    /// versions.
    pub(super) async fn switches_for(&self, run: &Run<'_, '_>, direction: Direction) -> Result<()> {
        let heeded = moves(&run.rotation.state().stage);
        for guard in self.guards.iter().filter(|guard| !(heeded && guard.restores())) {
            guard.check_switch(direction, &self.swarm_labels()).await?;
        }
        Ok(())
    }

    /// Whether all values that are handed over, or were fetched, may become new versions.
    pub(super) fn check_values(&self, plan: &Content, values: &Values, world: &Inventory) -> Result<()> {
        let acts = acts(plan, world, self.parts.agent.as_deref());
        let secrets = acts.iter().zip(&plan.secrets);
        let in_hand = secrets.filter_map(|(act, secret)| Some((act, values.of(plan, &secret.secret)?)));
        let said = in_hand.flat_map(|(act, value)| self.guards.iter().map(move |g| g.judge_value(act, value)));
        match said.fold(Decision::Allow, Decision::stricter) {
            Decision::Deny { reason } | Decision::NeedsApproval { reason } => {
                Err(Error::new(ErrorKind::Denied, format!("denied by policy: {reason}")))
            }
            Decision::Allow => Ok(()),
        }
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
                if guard.check_switch(Direction::Forward, &self.swarm_labels()).await.is_err() {
                    return run.rotation.roll_back("the kill switch was turned on");
                }
            }
        }
        Ok(())
    }
}

/// Whether the rotation is on its way to the new versions, or back from them.
pub(super) fn is_half_way(state: &State) -> bool {
    moves(&state.stage) || state.undo.is_some()
}

/// Whether the rotation is on its way to the new versions.
fn moves(stage: &Stage) -> bool {
    matches!(stage, Stage::Prepare | Stage::Credential | Stage::Update | Stage::Settle)
}
