//! Why the decisions on a request are not enough.

use std::fmt;

use jiff::Timestamp;

use crate::error::{Error, ErrorKind};
use crate::ids::{ClusterId, EnvironmentId, KeyId, PlanDigest, PolicyDigest, RequestDigest, quoted, ticked};

/// Why a change request is not approved. As an [`Error`] it is [`ErrorKind::NeedsApproval`] where approvals are missing or
/// have run out, and [`ErrorKind::Denied`] else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not enough people have approved yet.
    NotEnough {
        /// How many more must.
        missing: u32,
        /// How many must in all.
        needed: u32,
    },
    /// Somebody who may approve has said no.
    DeniedBy {
        /// Who.
        who: Vec<String>,
    },
    /// The request is too old.
    Expired {
        /// Since when.
        at: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// The request or a decision was made in the future: a clock is wrong.
    NotYetValid {
        /// Whose decision, if not the request.
        approver: Option<String>,
        /// When it was made.
        at: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// It is outside of the maintenance window.
    OutsideWindow {
        /// When the window opens.
        opens: Timestamp,
        /// When it closes.
        closes: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// A signature is not that of its key, or what was signed was changed.
    Forged {
        /// Whose decision it is said to be.
        approver: String,
        /// The key.
        key: KeyId,
    },
    /// A decision is signed with a key that the keyring does not know as the approver's.
    UnknownKey {
        /// Whose decision it is said to be.
        approver: String,
        /// The key.
        key: KeyId,
    },
    /// A decision was read back from a system that the policy does not name.
    UnknownSystem {
        /// The ticket, and where it is.
        place: String,
    },
    /// A decision was read back, and its account is nobody's.
    UnknownAccount {
        /// The account.
        account: String,
        /// The ticket, and where it is.
        place: String,
    },
    /// What was read back is about another request: the ticket was changed.
    OtherTicket {
        /// The ticket, and where it is.
        place: String,
        /// The digest of the request that it is about.
        about: RequestDigest,
    },
    /// What was read back was decided before the request was made: it cannot be about it.
    DecidedBefore {
        /// The ticket, and where it is.
        place: String,
        /// When it was decided.
        at: Timestamp,
        /// When the request was made.
        made: Timestamp,
    },
    /// A decision is about another request.
    OtherRequest {
        /// Whose decision it is.
        approver: String,
        /// The digest of the request that it is about.
        about: RequestDigest,
    },
    /// Another plan is about to run: it was edited, or made anew because the world moved.
    OtherPlan {
        /// What is approved.
        approved: PlanDigest,
        /// What is about to run.
        running: PlanDigest,
    },
    /// It is another Portainer.
    OtherInstance {
        /// What is approved.
        approved: String,
        /// Where it is about to run.
        here: String,
    },
    /// It is another environment, or another Swarm behind it.
    OtherSwarm {
        /// What is approved.
        approved: (EnvironmentId, ClusterId),
        /// Where it is about to run.
        here: (EnvironmentId, ClusterId),
    },
    /// The policy was exchanged since.
    OtherPolicy {
        /// The one under which it was asked for.
        approved: PolicyDigest,
        /// The one in force.
        here: PolicyDigest,
    },
    /// A value was exchanged since, or is not in hand any more.
    OtherValue {
        /// Of which secrets.
        secrets: Vec<String>,
    },
    /// Who asks has approved.
    SelfApproved {
        /// Who.
        who: Vec<String>,
    },
    /// There would be enough approvals if one person counted more than once.
    SamePerson {
        /// Who approved more than once.
        who: Vec<String>,
        /// How many other people must approve.
        missing: u32,
    },
}

impl Refusal {
    /// The kind of error that it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotEnough { .. } | Self::Expired { .. } => ErrorKind::NeedsApproval,
            _ => ErrorKind::Denied,
        }
    }

    /// Which of several refusals is told: what a person decided before what is wrong with a document. It depends on nothing but
    /// the refusals, so that the order of decisions does not matter.
    pub(super) fn rank(&self) -> (u8, String) {
        let rank = match self {
            Self::DeniedBy { .. } => 0,
            Self::SelfApproved { .. } => 1,
            Self::Forged { .. } => 2,
            Self::UnknownKey { .. } | Self::UnknownSystem { .. } | Self::UnknownAccount { .. } => 3,
            Self::OtherRequest { .. } | Self::OtherTicket { .. } => 4,
            _ => 5,
        };
        (rank, self.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let people = |n: u32| if n == 1 { "1 more person".to_owned() } else { format!("{n} more people") };
        let all = |who: &[String]| ticked(who.iter().map(String::as_str));
        match self {
            Self::NotEnough { missing, needed } => {
                write!(f, "not enough approvals: {} of {needed} must approve the change request", people(*missing))
            }
            Self::DeniedBy { who } => {
                write!(
                    f,
                    "the change request was denied by {}: ask them why, and make another one if it is right",
                    all(who)
                )
            }
            Self::Expired { at, now } => {
                write!(f, "the change request expired at {at}, and it is {now}: make it again and have it approved")
            }
            Self::NotYetValid { approver, at, now } => {
                let what = match approver {
                    None => "the change request was made".to_owned(),
                    Some(who) => format!("the decision of {} was made", quoted(who)),
                };
                write!(f, "{what} at {at}, which is in the future, as it is {now}: set the clock that is wrong")
            }
            Self::OutsideWindow { opens, closes, now } => write!(
                f,
                "the change may be carried out from {opens} until {closes}, and it is {now}: wait for that, or make a change request for another time"
            ),
            Self::Forged { approver, key } => write!(
                f,
                "the decision of {} is forged: its signature is not that of the key {key}, or it was changed; remove it, and find out where it came from",
                quoted(approver)
            ),
            Self::UnknownKey { approver, key } => write!(
                f,
                "the decision of {} is signed with the key {key}, which is not known as theirs: add it to the keyring if it is, or remove the decision",
                quoted(approver)
            ),
            Self::UnknownSystem { place } => write!(
                f,
                "a decision was read back from {place}, and the policy does not say whose the accounts there are: give it an `approvers` entry of that name with `identities`, or leave that approver out"
            ),
            Self::UnknownAccount { account, place } => write!(
                f,
                "the decision in {place} was made by the account {}, and the policy does not say whose it is: add it to the `identities` of that approver if it may approve, or take the decision back there",
                quoted(account)
            ),
            Self::OtherTicket { place, about } => write!(
                f,
                "{place} is about another change request ({about}): it was changed after it was made; make the change request again, and find out who did that"
            ),
            Self::DecidedBefore { place, at, made } => write!(
                f,
                "the decision in {place} was made at {at}, before the change request itself ({made}): set the clock that is wrong, or make the change request again"
            ),
            Self::OtherRequest { approver, about } => write!(
                f,
                "the decision of {} is signed for another change request ({about}): remove it, and let them decide on this one",
                quoted(approver)
            ),
            Self::OtherPlan { approved, running } => write!(
                f,
                "the plan {approved} is approved, and {running} is about to run: it was edited, or made anew because the world moved; make a change request for it"
            ),
            Self::OtherInstance { approved, here } => write!(
                f,
                "the change is approved for the Portainer at {}, and this one is {}: make a change request for this one",
                quoted(approved),
                quoted(here)
            ),
            Self::OtherSwarm { approved, here } => write!(
                f,
                "the change is approved for environment {} (Swarm {}), and this is environment {} (Swarm {}): make a change request for this one",
                approved.0, approved.1, here.0, here.1
            ),
            Self::OtherPolicy { approved, here } => write!(
                f,
                "the policy was exchanged since the change was asked for (it was {approved}, and is {here}): make the change request again"
            ),
            Self::OtherValue { secrets } => write!(
                f,
                "the value of {} is not the one that the change was asked for with: hand that one over, or make the change request again",
                all(secrets)
            ),
            Self::SelfApproved { who } => {
                write!(f, "{} asked for the change and cannot approve it: let somebody else decide", all(who))
            }
            Self::SamePerson { who, missing } => write!(
                f,
                "{} approved more than once, which counts as one person: {} must approve the change request",
                all(who),
                people(*missing)
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind(), refusal.to_string())
    }
}
