//! What an approver brings: a decision that proves itself, or one that was read back from a system which the operator trusts.

use jiff::Timestamp;

use super::{SignedDecision, Verdict};
use crate::error::Result;
use crate::ids::{RequestDigest, quoted};
use crate::keys::check_name;

/// A decision on a change request, as an approver brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// Signed with a key of the approver's: it is believed whoever brings it.
    Signed(SignedDecision),
    /// Read back from a system. It proves nothing by itself, and counts only if the policy names that system and says whose its
    /// accounts are.
    ReadBack(ReadBack),
}

impl From<SignedDecision> for Given {
    fn from(decision: SignedDecision) -> Self {
        Self::Signed(decision)
    }
}

impl From<ReadBack> for Given {
    fn from(read: ReadBack) -> Self {
        Self::ReadBack(read)
    }
}

impl Given {
    /// The digest of the request that it is about.
    #[must_use]
    pub fn request(&self) -> &RequestDigest {
        match self {
            Self::Signed(decision) => decision.request(),
            Self::ReadBack(read) => read.request(),
        }
    }

    /// Approve or deny.
    #[must_use]
    pub fn decision(&self) -> Verdict {
        match self {
            Self::Signed(decision) => decision.decision(),
            Self::ReadBack(read) => read.decision(),
        }
    }

    /// When: by the approver's clock, or by that of the system.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Signed(decision) => decision.at(),
            Self::ReadBack(read) => read.at(),
        }
    }

    /// Who says so, for messages: whose it is says the keyring.
    pub(super) fn said_by(&self) -> String {
        match self {
            Self::Signed(decision) => decision.approver().to_owned(),
            Self::ReadBack(read) => read.account().to_owned(),
        }
    }
}

/// What stands in a system's own records about a decision: who made it, when, and on which request.
///
/// Which system that is does not say whoever reads it back: [`Approvers`](super::Approvers) writes it down, by the name under
/// which the approver was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadBack {
    request: RequestDigest,
    decision: Verdict,
    account: String,
    at: Timestamp,
    reference: String,
    system: Option<String>,
}

impl ReadBack {
    /// A decision that was read back. `request` is the digest as it stands in the ticket or message itself; `account` the
    /// account that decided, as the system identifies it to programs, and `at` the time, both by the system's own record;
    /// `reference` is what people call the ticket.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for an account or reference that is blank, longer than 256 bytes or
    /// unprintable.
    pub fn new(
        request: RequestDigest,
        decision: Verdict,
        account: &str,
        at: Timestamp,
        reference: &str,
    ) -> Result<Self> {
        check_name("account that decided", account)?;
        check_name("ticket", reference)?;
        let (account, reference) = (account.to_owned(), reference.to_owned());
        Ok(Self { request, decision, account, at, reference, system: None })
    }

    /// The digest of the request, as the system has it.
    #[must_use]
    pub fn request(&self) -> &RequestDigest {
        &self.request
    }

    /// Approve or deny.
    #[must_use]
    pub fn decision(&self) -> Verdict {
        self.decision
    }

    /// The account that decided.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// When, by the system's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What people call the ticket.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The system, once it is known.
    #[must_use]
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// The same, as read back from this system.
    pub(super) fn read_in(self, system: &str) -> Self {
        Self { system: Some(system.to_owned()), ..self }
    }

    /// Where it stands, for messages.
    pub(super) fn place(&self) -> String {
        let system = self.system.as_deref().map_or_else(|| "a system without a name".to_owned(), quoted);
        format!("{} in {system}", quoted(&self.reference))
    }
}
