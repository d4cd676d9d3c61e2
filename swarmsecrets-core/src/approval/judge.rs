//! Whether the decisions on a request are enough for what is about to run.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{ChangeRequest, Given, ReadBack, Refusal, SignedDecision, Verdict};
use crate::ids::{ClusterId, EnvironmentId, Nonce, PlanDigest, PolicyDigest, RequestDigest};
use crate::keys::{Keyring, folded, same_person};

/// By how much the clocks of two machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// The world in which the change is about to be carried out, read there and not from the request.
#[derive(Clone, Copy, Debug)]
pub struct Judging<'a> {
    /// The keys and accounts that may approve.
    pub keyring: &'a Keyring,
    /// What time it is: as [`Nonces::latest`](super::Nonces::latest) gives it, so that no clock that was set back makes an
    /// expired request good again.
    pub now: Timestamp,
    /// The Portainer, written as in the request.
    pub instance: &'a str,
    /// The environment.
    pub environment: EnvironmentId,
    /// The Swarm behind it.
    pub cluster: &'a ClusterId,
    /// The policy in force.
    pub policy: &'a PolicyDigest,
    /// The plan that is about to run.
    pub plan: &'a PlanDigest,
    /// The keyed fingerprints of the values in hand, by the names of the logical secrets.
    pub fingerprints: &'a BTreeMap<String, String>,
}

/// That a change request was approved, and may be carried out once.
///
/// [`judge`] alone gives it. It cannot be cloned, built or read from a file outside this crate:
///
/// ```compile_fail,E0451
/// fn built(request: swarmsecrets_core::ids::RequestDigest) -> swarmsecrets_core::approval::Approved {
///     swarmsecrets_core::approval::Approved { request, ..unimplemented!() }
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn read(json: &str) -> swarmsecrets_core::approval::Approved {
///     serde_json::from_str(json).unwrap()
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn twice(approved: swarmsecrets_core::approval::Approved) -> [swarmsecrets_core::approval::Approved; 2] {
///     [approved.clone(), approved]
/// }
/// ```
///
/// Before anything is done on the strength of it, its nonce is spent:
///
/// ```
/// # use swarmsecrets_core::{Result, approval::{Approved, Nonces}};
/// async fn used(approved: Approved, nonces: &dyn Nonces) -> Result<()> {
///     nonces.spend(approved.nonce(), approved.expires()).await
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Approved {
    request: RequestDigest,
    plan: PlanDigest,
    nonce: Nonce,
    expires: Timestamp,
    approvers: Vec<String>,
    fingerprints: BTreeMap<String, String>,
}

impl Approved {
    pub(crate) fn grant(request: &ChangeRequest, approvers: Vec<String>) -> Self {
        Self {
            request: request.digest().clone(),
            plan: request.plan.digest().clone(),
            nonce: request.nonce.clone(),
            expires: request.window.map_or(request.expires, |window| window.closes.min(request.expires)),
            approvers,
            fingerprints: request.fingerprints.clone(),
        }
    }

    /// The digest of the request.
    #[must_use]
    pub fn request(&self) -> &RequestDigest {
        &self.request
    }

    /// The digest of the plan that may be carried out.
    #[must_use]
    pub fn plan(&self) -> &PlanDigest {
        &self.plan
    }

    /// What is spent before it is used.
    #[must_use]
    pub fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// From when on it is good for nothing: when the request expires, or its window closes if that is earlier.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The keyed fingerprints of the values that were in hand when it was asked for, by the names of their secrets.
    #[must_use]
    pub fn fingerprints(&self) -> &BTreeMap<String, String> {
        &self.fingerprints
    }

    /// Who approved, each person once, by the names that the keyring has for them, sorted.
    #[must_use]
    pub fn approvers(&self) -> &[String] {
        &self.approvers
    }
}

/// Holds the decisions against the request and the world.
///
/// It fails closed: one decision that is forged, unknown, about another request or made by who asks refuses the request, however
/// many good ones stand beside it, and so does one denial. Decisions that were signed and those that were read back differ in why
/// they are believed, and in nothing else. Who asks is the requester's account and agent, and those that the plan
/// was made by. A person who approves more than once counts as one.
///
/// # Errors
/// The [`Refusal`]; of several always the same one, in whatever order the decisions come.
pub fn judge(request: &ChangeRequest, decisions: &[Given], context: Judging<'_>) -> Result<Approved, Refusal> {
    check_place(request, &context)?;
    check_time(request, &context)?;
    let mut refusals = Vec::new();
    let mut approvals: BTreeMap<String, (String, u32)> = BTreeMap::new();
    let (mut denied, mut own) = (Vec::new(), Vec::new());
    for decision in decisions {
        match believed(request, decision, &context) {
            Err(refusal) => refusals.push(refusal),
            Ok(who) if decision.decision() == Verdict::Deny => denied.push(who.to_owned()),
            Ok(who) if asks(request, who) => own.push(who.to_owned()),
            Ok(who) => {
                let (name, times) = approvals.entry(folded(who)).or_insert_with(|| (who.to_owned(), 0));
                // One person may have keys under names in different spelling: the order of decisions must not tell.
                *name = std::mem::take(name).min(who.to_owned());
                *times = times.saturating_add(1);
            }
        }
    }
    if !denied.is_empty() {
        refusals.push(Refusal::DeniedBy { who: once(denied) });
    }
    if !own.is_empty() {
        refusals.push(Refusal::SelfApproved { who: once(own) });
    }
    if let Some(refusal) = refusals.into_iter().min_by_key(Refusal::rank) {
        return Err(refusal);
    }
    let needed = request.approvals;
    let missing = needed.saturating_sub(u32::try_from(approvals.len()).unwrap_or(u32::MAX));
    if missing == 0 {
        return Ok(Approved::grant(request, once(approvals.into_values().map(|(name, _)| name).collect())));
    }
    let given = approvals.values().fold(0_u32, |all, (_, times)| all.saturating_add(*times));
    if given >= needed {
        let who = approvals.into_values().filter(|(_, times)| *times > 1).map(|(name, _)| name).collect();
        return Err(Refusal::SamePerson { who: once(who), missing });
    }
    Err(Refusal::NotEnough { missing, needed })
}

/// Whether it is about to run where, on what and under which rules it was asked for.
fn check_place(request: &ChangeRequest, context: &Judging<'_>) -> Result<(), Refusal> {
    if request.instance != context.instance {
        let (approved, here) = (request.instance.clone(), context.instance.to_owned());
        return Err(Refusal::OtherInstance { approved, here });
    }
    if (request.environment, &request.cluster) != (context.environment, context.cluster) {
        return Err(Refusal::OtherSwarm {
            approved: (request.environment, request.cluster.clone()),
            here: (context.environment, context.cluster.clone()),
        });
    }
    if request.plan.digest() != context.plan {
        let (approved, running) = (request.plan.digest().clone(), context.plan.clone());
        return Err(Refusal::OtherPlan { approved, running });
    }
    if request.policy != *context.policy {
        return Err(Refusal::OtherPolicy { approved: request.policy.clone(), here: context.policy.clone() });
    }
    let exchanged = |(secret, fingerprint): &(&String, &String)| context.fingerprints.get(*secret) != Some(fingerprint);
    let secrets: Vec<String> =
        request.fingerprints.iter().filter(exchanged).map(|(secret, _)| secret.clone()).collect();
    if secrets.is_empty() { Ok(()) } else { Err(Refusal::OtherValue { secrets }) }
}

fn check_time(request: &ChangeRequest, context: &Judging<'_>) -> Result<(), Refusal> {
    let now = context.now;
    if is_future(request.created, now) {
        return Err(Refusal::NotYetValid { approver: None, at: request.created, now });
    }
    if now >= request.expires {
        return Err(Refusal::Expired { at: request.expires, now });
    }
    match request.window {
        Some(window) if !(window.opens..window.closes).contains(&now) => {
            Err(Refusal::OutsideWindow { opens: window.opens, closes: window.closes, now })
        }
        _ => Ok(()),
    }
}

/// Whether a time lies so far ahead of another one that no two clocks differ by as much.
fn is_future(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > CLOCKS_DIFFER
}

/// Who made the decision, by the keyring's name for them, if it is theirs and about this request.
fn believed<'a>(request: &ChangeRequest, given: &Given, context: &Judging<'a>) -> Result<&'a str, Refusal> {
    let who = match given {
        Given::Signed(decision) => signed_by(request, decision, context)?,
        Given::ReadBack(read) => read_back_from(request, read, context)?,
    };
    if is_future(given.at(), context.now) {
        return Err(Refusal::NotYetValid { approver: Some(given.said_by()), at: given.at(), now: context.now });
    }
    Ok(who)
}

/// Whose key signed the decision.
fn signed_by<'a>(
    request: &ChangeRequest,
    decision: &SignedDecision,
    context: &Judging<'a>,
) -> Result<&'a str, Refusal> {
    let approver = || decision.approver().to_owned();
    let entry = context.keyring.get(decision.key()).filter(|entry| same_person(entry.identity(), decision.approver()));
    let Some(entry) = entry else {
        return Err(Refusal::UnknownKey { approver: approver(), key: decision.key().clone() });
    };
    if !decision.is_signed_by(entry.key()) {
        return Err(Refusal::Forged { approver: approver(), key: decision.key().clone() });
    }
    if decision.request() != request.digest() {
        return Err(Refusal::OtherRequest { approver: approver(), about: decision.request().clone() });
    }
    Ok(entry.identity())
}

/// Whose account made the decision, in a system that the policy names.
fn read_back_from<'a>(request: &ChangeRequest, read: &ReadBack, context: &Judging<'a>) -> Result<&'a str, Refusal> {
    let place = || read.place();
    let Some(system) = read.system().filter(|system| context.keyring.trusts(system)) else {
        return Err(Refusal::UnknownSystem { place: place() });
    };
    let Some(who) = context.keyring.account(system, read.account()) else {
        return Err(Refusal::UnknownAccount { account: read.account().to_owned(), place: place() });
    };
    if read.request() != request.digest() {
        return Err(Refusal::OtherTicket { place: place(), about: read.request().clone() });
    }
    // No signature binds it to the request's nonce. A ticket that was approved before there was anything to approve is another one.
    if is_future(request.created, read.at()) {
        return Err(Refusal::DecidedBefore { place: place(), at: read.at(), made: request.created });
    }
    Ok(who)
}

/// Whether it is who asks. What the plan says counts too: a request that names somebody else for it changes nothing.
fn asks(request: &ChangeRequest, who: &str) -> bool {
    let agents = [&request.requester.agent, &request.plan.agent].into_iter().flatten();
    [&request.requester.account, &request.plan.account].into_iter().chain(agents).any(|name| same_person(name, who))
}

fn once(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}
