//! An approval in hand: judged before anything is begun, and spent before the first mutation.

use std::time::Duration;

use jiff::Timestamp;

use super::Values;
use super::run::Executor;
use crate::approval::{Approved, ChangeRequest, Given, Judging, Nonces, judge};
use crate::audit::Leave;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::ticked;
use crate::inventory::Inventory;
use crate::keys::{FingerprintKey, Keyring};
use crate::plan::Plan;
use crate::policy::{Gate, in_force};
use crate::rotation::{Stage, State};

/// How long after its approval has expired a rotation that was begun with it may be resumed.
const RESUMED_WITHIN: Duration = Duration::from_secs(3600);

/// An approval in hand, and what it is judged by.
pub struct Approval<'a> {
    /// What was asked for.
    pub request: &'a ChangeRequest,
    /// What people have said to it.
    pub decisions: &'a [Given],
    /// The keys and accounts that may approve.
    pub keyring: &'a Keyring,
    /// Which approvals were used.
    pub nonces: &'a dyn Nonces,
    /// Which Portainer this is, written as in requests.
    pub instance: &'a str,
    /// The key by which a value that was in hand when it was asked for is known again.
    pub fingerprint_key: Option<&'a FingerprintKey>,
}

impl<'a> Executor<'a> {
    /// The same executor with an approval in hand, for the plan that it is about.
    #[must_use]
    pub fn approved(mut self, approval: Approval<'a>) -> Self {
        self.approval = Some(approval);
        self
    }

    /// The same executor, which knows values again by this key: those that were in hand when an approval was asked for, and are
    /// handed over once more on resuming; and those of before, which policies may forbid to come back. The versions that it makes
    /// carry their fingerprint as a label. Without a key they carry none.
    #[must_use]
    pub fn knowing_values_by(mut self, key: Option<&'a FingerprintKey>) -> Self {
        self.fingerprint_key = key;
        self
    }

    /// Checks that values which are handed over to go on are those that were approved.
    ///
    /// # Errors
    /// `Denied`, with the secrets whose value is another one, or cannot be known again without the key.
    pub(super) fn check_approved_values(&self, state: &State, values: &Values) -> Result<()> {
        let Some(leave) = &state.actor.leave else { return Ok(()) };
        let given = self.fingerprint_key.map(|key| values.fingerprints(&state.plan, key)).unwrap_or_default();
        let in_hand = |secret: &&String| values.of(&state.plan, secret.as_str()).is_some();
        let exchanged = |secret: &&String| leave.fingerprints.get(*secret) != given.get(*secret);
        let secrets: Vec<&str> =
            leave.fingerprints.keys().filter(in_hand).filter(exchanged).map(String::as_str).collect();
        if secrets.is_empty() {
            return Ok(());
        }
        let text = format!(
            "the value of {} is not the one that was approved, or cannot be known again: hand that one over, with the same SWARMSECRETS_FINGERPRINT_KEY_FILE",
            ticked(secrets)
        );
        Err(Error::new(ErrorKind::Denied, text))
    }

    /// Judges the approval in hand, if there is one.
    pub(super) async fn judge_approval(
        &self,
        plan: &Plan,
        values: &Values,
        world: &Inventory,
    ) -> Result<Option<Approved>> {
        let Some(approval) = &self.approval else { return Ok(None) };
        let fingerprints = approval.fingerprint_key.map(|key| values.fingerprints(plan, key));
        let context = Judging {
            keyring: approval.keyring,
            now: approval.nonces.latest(self.parts.clock.now().wall).await?,
            instance: approval.instance,
            environment: world.environment,
            cluster: &world.cluster,
            policy: &in_force(self.guards),
            plan: plan.digest(),
            fingerprints: &fingerprints.unwrap_or_default(),
        };
        Ok(Some(judge(approval.request, approval.decisions, context)?))
    }

    /// Spends an approval: from here on it is good for this run alone.
    pub(super) async fn spend(&self, approved: &Approved) -> Result<()> {
        match &self.approval {
            Some(approval) => approval.nonces.spend(approved.nonce(), approved.expires()).await,
            None => Ok(()),
        }
    }
}

/// The gate of a rotation that is taken up again, with the leave that it was begun with. Removing the old versions after their
/// grace is a part of what was approved; whatever else is left must be done soon, or a person is needed.
pub(super) fn with_leave(gate: Gate, state: &State) -> Gate {
    let Some(Leave { expires, .. }) = &state.actor.leave else { return gate };
    let until = match state.stage {
        Stage::Grace => Timestamp::MAX,
        _ => expires.saturating_add(RESUMED_WITHIN).unwrap_or(Timestamp::MAX),
    };
    gate.approved_until(until)
}
