//! Where change requests are made known, decided on and used, as the policies in force say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use swarmsecrets_core::approval::{Approver, Approvers, ChangeRequest, Draft, Given, Requester, SignedDecision};
use swarmsecrets_core::executor::{Approval, Values};
use swarmsecrets_core::generate::Random;
use swarmsecrets_core::ids::{PolicyDigest, RequestDigest, quoted};
use swarmsecrets_core::keys::FingerprintKey;
use swarmsecrets_core::plan::Plan;
use swarmsecrets_core::policy::{Approvals, Guard, System, SystemKind, in_force};
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::{FileApprover, FileNonces};

/// The name of the folder among the approvers.
const FOLDER: &str = "folder";

/// The folder of change requests, the other approvers that the policy names, and the memory of used approvals.
pub struct Desk<'p> {
    approvals: &'p Approvals,
    policy: PolicyDigest,
    folder: FileApprover,
    approvers: Approvers,
    nonces: FileNonces,
}

/// Who asks for what, and why.
pub struct Asking<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// The values that are in hand.
    pub values: &'a Values,
    /// The AI agent that asks, if one does.
    pub agent: Option<&'a str>,
    /// Why, in the words of who asks.
    pub reasoning: &'a str,
    /// Which Portainer it is.
    pub instance: &'a str,
    /// What time it is there.
    pub now: Timestamp,
    /// The key by which a value in hand is known again.
    pub fingerprint_key: Option<&'a FingerprintKey>,
}

impl<'p> Desk<'p> {
    /// Opens the desk of the policy that comes first, which is the installed one if there is one. `others` are the approvers
    /// beside the folder, each under its name in the policy.
    ///
    /// # Errors
    /// [`ErrorKind::NeedsApproval`] if no policy says who approves; [`ErrorKind::Settings`] if an approver that the policy names
    /// is not among the others; [`ErrorKind::Io`].
    pub fn open(guards: &'p [Guard], simulated: bool, others: Vec<(String, Arc<dyn Approver>)>) -> Result<Self> {
        let approvals = guards.first().and_then(|guard| guard.policy().approvals()).ok_or_else(|| {
            let text = "needs an approval, and no policy says who approves: give it an `approval` section, or let a person do it by hand";
            Error::new(ErrorKind::NeedsApproval, text)
        })?;
        let there = |system: &System| {
            // A person at the terminal signs, and what is signed lies in the folder.
            system.kind == SystemKind::Terminal || others.iter().any(|(name, _)| *name == system.name)
        };
        if let Some(missing) = approvals.systems.iter().find(|system| !there(system)) {
            // It may be the one that has the denial.
            let text = format!(
                "the policy names the approver {}, which a program must hand over, and this one has not: do it where that approver is",
                quoted(&missing.name)
            );
            return Err(Error::new(ErrorKind::Settings, text));
        }
        let folder = FileApprover::open(approvals.folder.as_ref())?;
        let mut approvers = Approvers::default().and(FOLDER, Arc::new(folder.clone()))?;
        for (name, approver) in others {
            approvers = approvers.and(&name, approver)?;
        }
        // The latest time of a simulation would be remembered for real requests otherwise.
        let state = Path::new(&approvals.state);
        let nonces = match simulated {
            true => FileNonces::open(&state.join("simulated"))?,
            false => FileNonces::open(state)?,
        };
        Ok(Self { approvals, policy: in_force(guards), folder, approvers, nonces })
    }

    /// How many different people must approve.
    #[must_use]
    pub fn people(&self) -> u32 {
        self.approvals.people
    }

    /// Whether a person at the terminal of whoever carries a change out may sign there.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.approvals.systems.iter().any(|system| system.kind == SystemKind::Terminal)
    }

    /// Puts a decision into the folder.
    ///
    /// # Errors
    /// As [`FileApprover::answer`].
    pub async fn answer(&self, decision: &SignedDecision) -> Result<()> {
        self.folder.answer(decision).await
    }

    /// The file of a request.
    #[must_use]
    pub fn path(&self, request: &ChangeRequest) -> PathBuf {
        self.folder.path(request.digest())
    }

    /// Makes a change request, and makes it known to those who may approve it.
    ///
    /// # Errors
    /// As [`Draft::seal`] and [`Approvers::request`].
    pub async fn ask(&self, asking: Asking<'_>, random: &mut (dyn Random + Send)) -> Result<ChangeRequest> {
        let Asking { plan, values, agent, reasoning, instance, now, fingerprint_key } = asking;
        let requester = Requester { account: plan.account.clone(), agent: agent.map(str::to_owned) };
        let draft = Draft {
            fingerprints: fingerprint_key.map(|key| values.fingerprints(plan, key)).unwrap_or_default(),
            reasoning: reasoning.to_owned(),
            valid_for: self.approvals.valid_for,
            approvals: self.approvals.people,
            ..Draft::new(plan.clone(), requester, instance, self.policy.clone(), now)
        };
        let request = draft.seal(random)?;
        self.approvers.request(&request).await?;
        Ok(request)
    }

    /// Reads a request from the folder.
    ///
    /// # Errors
    /// As [`FileApprover::load`].
    pub async fn load(&self, request: &RequestDigest) -> Result<ChangeRequest> {
        self.folder.load(request).await
    }

    /// What was decided on a request so far.
    ///
    /// # Errors
    /// As [`Approvers::decisions`].
    pub async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        self.approvers.decisions(request).await
    }

    /// The approval, as an executor takes it and judges it.
    #[must_use]
    pub fn approval<'a>(
        &'a self,
        request: &'a ChangeRequest,
        decisions: &'a [Given],
        instance: &'a str,
        fingerprint_key: Option<&'a FingerprintKey>,
    ) -> Approval<'a> {
        let (keyring, nonces) = (&self.approvals.keyring, &self.nonces);
        Approval { request, decisions, keyring, nonces, instance, fingerprint_key }
    }
}
