//! A client that reads, plans and asks.

use swarmsecrets_core::approval::ChangeRequest;
use swarmsecrets_core::executor::{
    Attempt, Cancellation, Executor, Parts, Silent, Values, check_reach, read_inventory,
};
use swarmsecrets_core::ids::RequestDigest;
use swarmsecrets_core::inventory::Inventory;
use swarmsecrets_core::plan::{Plan, RotationRequest, plan_create, plan_rotation};
use swarmsecrets_core::policy::{Guard, Policy, Word};
use swarmsecrets_core::rotation::Report;
use swarmsecrets_core::transport::Read;
use swarmsecrets_core::{Error, Result};
use swarmsecrets_host::{Asking, Desk, OsRandom};

use crate::equipment::Equipment;
use crate::question::{Listed, Question, Said, listed};
use crate::wanted::{Wanted, WantedFirst};

/// A client without a method that changes a Swarm: it reads, plans, and asks people for an approval.
pub struct ReadOnlyClient(pub(crate) Equipment);

impl ReadOnlyClient {
    /// A client of this equipment. Nothing is sent yet.
    #[must_use]
    pub fn new(equipment: Equipment) -> Self {
        Self(equipment)
    }

    /// The AI agent that acts, if one does.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.0.agent.as_deref()
    }

    /// Whether the world is known to be simulated. Over HTTP that is known after the first answer.
    #[must_use]
    pub fn simulated(&self) -> bool {
        self.0.transport.simulated()
    }

    /// The policies in force. What is not known to be simulated counts as real.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        self.0.policies.in_world(self.simulated())
    }

    /// Reads which secrets there are, in which versions, and what uses them.
    ///
    /// # Errors
    /// Those of the way to Portainer.
    pub async fn inventory(&self) -> Result<Inventory> {
        read_inventory(&*self.0.transport, self.0.environment, &*self.0.clock).await
    }

    /// Plans a rotation and changes nothing. The policies in force stand in the plan.
    ///
    /// # Errors
    /// Those of [`Wanted::in_world`] and of planning, and those of the way to Portainer.
    pub async fn plan(&self, wanted: Wanted) -> Result<Plan> {
        let inventory = self.inventory().await?;
        let probes = self.0.probes.of(&*self.0.transport, self.0.environment, &*self.0.clock)?.requested();
        let request = wanted.in_world(&inventory, &self.0.credentials, &self.0.sources).await?;
        let plan = plan_rotation(&inventory, &RotationRequest { probes, ..self.signed(request) })?;
        let plan = self.judged(plan, &inventory)?;
        check_reach(&*self.0.transport, self.0.environment, &plan).await?;
        Ok(plan)
    }

    fn signed(&self, request: RotationRequest) -> RotationRequest {
        RotationRequest { agent: self.0.agent.clone(), ..request }
    }

    /// Plans the first version of a secret and changes nothing.
    ///
    /// # Errors
    /// As [`ReadOnlyClient::plan`].
    pub async fn plan_create(&self, wanted: WantedFirst) -> Result<Plan> {
        let inventory = self.inventory().await?;
        let mut request = wanted.request(&self.0.sources).await?;
        request.agent.clone_from(&self.0.agent);
        self.judged(plan_create(&inventory, &request)?, &inventory)
    }

    /// A plan with the decision that the policies in force make of it. The inventory was read: the world is known.
    fn judged(&self, plan: Plan, inventory: &Inventory) -> Result<Plan> {
        plan.judged(self.guards().iter().map(Guard::policy), inventory)
    }

    /// Asks people for a plan that needs an approval. Nothing is changed in the Swarm.
    ///
    /// # Errors
    /// `NeedsApproval` if no policy says who approves, and those of the approvers.
    pub async fn ask_people(&self, plan: &Plan, values: &Values, reason: Option<&str>) -> Result<ChangeRequest> {
        self.meet().await?;
        let asking = Asking {
            plan,
            values,
            agent: self.agent(),
            reasoning: reason.or(plan.reason.as_deref()).unwrap_or_default(),
            instance: &self.0.instance,
            now: self.0.clock.now().wall,
            fingerprint_key: self.0.fingerprint_key.as_ref(),
        };
        self.desk()?.ask(asking, &mut OsRandom).await
    }

    /// A change request that was made before, from the policy's folder.
    ///
    /// # Errors
    /// `NeedsApproval` if no policy says who approves, `NotFound` if there is none with this digest, `Invalid` if it was changed.
    pub async fn change_request(&self, digest: &RequestDigest) -> Result<ChangeRequest> {
        self.meet().await?;
        self.desk()?.load(digest).await
    }

    /// What the policies in force say, and the built-in one.
    ///
    /// # Errors
    /// As [`Question::put`], and those of the way to Portainer.
    pub async fn explain(&self, question: &Question) -> Result<Said> {
        let (inventory, builtin) = (self.inventory().await?, Policy::default());
        let policies = self.guards().iter().map(|guard| (guard.name(), guard.policy())).chain([("built in", &builtin)]);
        question.put(&inventory, self.agent(), self.0.clock.now().wall, policies)
    }

    /// When secrets are to be rotated.
    ///
    /// # Errors
    /// Those of the way to Portainer.
    pub async fn due(&self) -> Result<Vec<Listed>> {
        let inventory = self.inventory().await?;
        let policies: Vec<&Policy> = self.guards().iter().map(Guard::policy).collect();
        Ok(listed(&policies, &inventory, self.0.clock.now().wall))
    }

    /// The rotations of the journal that have not ended, oldest first, as they stand. Nothing is asked of Portainer.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn unfinished(&self) -> Result<Vec<Report>> {
        Ok(self.looking(None).unfinished().await?.iter().map(Report::of).collect())
    }

    /// Tells the audit trail of an attempt that was refused before it could be judged.
    ///
    /// # Errors
    /// As [`Executor::tell_refused`].
    pub async fn tell_refused(&self, attempt: Attempt<'_>, error: &Error, reason: Option<&str>) -> Result<()> {
        self.looking(reason).tell_refused(attempt, &mut OsRandom, error).await
    }

    /// An executor without the word, which changes nothing.
    fn looking(&self, reason: Option<&str>) -> Executor<'_> {
        Executor::new(Parts {
            transport: &*self.0.transport,
            environment: self.0.environment,
            clock: &*self.0.clock,
            journal: &*self.0.journal,
            audit: &*self.0.audit,
            observer: &Silent,
            cancellation: Cancellation::default(),
            agent: self.0.agent.clone(),
            reason: reason.map(str::to_owned),
            word: Word::NotGiven,
        })
    }

    /// Sees whether the world is simulated, where policies depend on it: over HTTP that is known after the first answer.
    pub(crate) async fn meet(&self) -> Result<()> {
        if self.0.policies.depend_on_the_world() && !self.simulated() {
            self.0.transport.read(&Read::me()).await?;
        }
        Ok(())
    }

    /// Where change requests are made known and decided on.
    pub(crate) fn desk(&self) -> Result<Desk<'_>> {
        let (guards, mut approvers) = (self.guards(), self.0.approvers.clone());
        for (name, approver) in swarmsecrets_settings::approvers(guards)? {
            // One that is handed over may know more, as of decisions that were sent to it.
            if !approvers.iter().any(|(known, _)| *known == name) {
                approvers.push((name, approver));
            }
        }
        Desk::open(guards, self.simulated(), approvers)
    }
}
