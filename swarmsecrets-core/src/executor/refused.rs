//! Attempts that were refused before anything was begun, in the audit trail.

use sha2::{Digest as _, Sha256};

use super::Supply;
use super::progress::Progress;
use super::run::Executor;
use crate::audit::{Actor, AuditRecord, Phase};
use crate::error::{Error, Result};
use crate::generate::Random;
use crate::ids::{PlanDigest, RotationId};
use crate::inventory::Inventory;
use crate::plan::Plan;
use crate::policy::Direction;

/// Who acted, where Portainer could not be asked.
const NOBODY_KNOWN: &str = "unknown";

/// What somebody wanted to begin with, and could not.
#[derive(Clone, Copy, Debug)]
pub enum Attempt<'a> {
    /// A plan or a change request that cannot be believed: it was edited, cut off, or is something else.
    Document(&'a [u8]),
    /// A plan on whose change request nobody can say what was decided.
    Plan(&'a Plan),
    /// Something else, in words, that whoever asked may not do at all.
    Act(&'a str),
}

impl Executor<'_> {
    /// Tells the audit trail of an attempt that was refused before it came to [`Executor::apply`], which tells of its own. For a
    /// document, or words, the SHA-256 of its bytes stands in the place of the plan's digest. Nothing is changed.
    ///
    /// # Errors
    /// Those of the random source. What the trail does not take is told to the observer: the refusal stands all the same.
    pub async fn tell_refused(&self, attempt: Attempt<'_>, random: &mut dyn Random, error: &Error) -> Result<()> {
        let account = match self.world().await {
            Ok(world) => world.account.name,
            Err(_) => NOBODY_KNOWN.to_owned(),
        };
        let (agent, reason) = (self.parts.agent.clone(), self.parts.reason.clone());
        let actor = Actor { account, agent, reason, leave: None };
        let (digest, action) = match attempt {
            Attempt::Plan(plan) => (plan.digest().clone(), format!("begin with {}", plan.names())),
            Attempt::Document(bytes) => {
                let digest = PlanDigest::from_sha256(Sha256::digest(bytes).into());
                (digest, "begin with a document that cannot be believed".to_owned())
            }
            Attempt::Act(words) => (PlanDigest::from_sha256(Sha256::digest(words).into()), words.to_owned()),
        };
        self.write_refusal(actor, digest, action, random, error).await
    }

    /// A refusal stands whether it can be written down or not: nothing is done.
    pub(super) async fn tell_refusal(
        &self,
        plan: &Plan,
        supply: &mut Supply<'_>,
        world: &Inventory,
        error: &Error,
    ) -> Result<()> {
        let action = format!("begin with {}", plan.names());
        self.write_refusal(self.actor(world), plan.digest().clone(), action, &mut *supply.random, error).await
    }

    async fn write_refusal(
        &self,
        actor: Actor,
        plan: PlanDigest,
        action: String,
        random: &mut dyn Random,
        error: &Error,
    ) -> Result<()> {
        let mut id = [0; 10];
        random.fill(&mut id)?;
        let record = AuditRecord {
            at: self.parts.clock.now().wall,
            actor,
            environment: self.parts.environment,
            rotation: RotationId::from_random(id),
            plan,
            phase: Phase::Outcome,
            step: 0,
            direction: Direction::Forward,
            action,
            outcome: Some(format!("refused: {error}")),
            simulated: self.parts.transport.simulated(),
        };
        if let Err(error) = self.parts.audit.append(&record).await {
            self.parts.observer.tell(&Progress::Trouble { message: error.message() });
        }
        Ok(())
    }
}
