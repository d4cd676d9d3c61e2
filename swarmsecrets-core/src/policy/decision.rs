//! What the guardrails say, and the built-in policy.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Direction, Hours, Permit};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{PlanDigest, quoted};
use crate::inventory::Labels;

/// What the guardrails say to a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
pub enum Decision {
    /// It may be done once the holder of the key says so.
    Allow,
    /// It may not be done.
    Deny {
        /// Why.
        reason: String,
    },
    /// It may be done with an approval.
    NeedsApproval {
        /// Why.
        reason: String,
    },
}

impl Decision {
    /// The stricter of two; of two that are as strict, this one.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        if other.strictness() > self.strictness() { other } else { self }
    }

    /// How strict it is: 0 allows, 1 wants an approval, 2 denies.
    #[must_use]
    pub fn strictness(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::NeedsApproval { .. } => 1,
            Self::Deny { .. } => 2,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allowed"),
            Self::Deny { reason } => write!(f, "denied: {reason}"),
            Self::NeedsApproval { reason } => write!(f, "needs an approval: {reason}"),
        }
    }
}

/// Something with labels that a plan would touch.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What it is, as in "secret" or "service".
    pub what: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its labels. A label can only make things stricter.
    pub labels: &'a Labels,
}

/// The policy that holds where no other is installed: `ai.managed=false` is never touched, `tier: critical` needs an approval.
#[must_use]
pub fn builtin(Subject { what, name, labels }: Subject<'_>) -> Decision {
    let is = |key: &str, value: &str| labels.get(key).is_some_and(|v| v.trim().eq_ignore_ascii_case(value));
    if is("ai.managed", "false") {
        Decision::Deny { reason: format!("the {what} {} carries ai.managed=false", quoted(name)) }
    } else if is("tier", "critical") {
        Decision::NeedsApproval { reason: format!("the {what} {} carries tier=critical", quoted(name)) }
    } else {
        Decision::Allow
    }
}

/// Whether the holder of the key has said yes: `--yes`, a confirmation on the terminal, `confirm=True`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Yes.
    Given,
    /// Not asked, or no.
    NotGiven,
}

/// Gives leave for mutations: one permit for each.
#[derive(Debug)]
pub struct Gate {
    plan: PlanDigest,
    decision: Decision,
    word: Word,
    hours: Vec<Hours>,
    /// Until when an approval is good, if there is one.
    approved: Option<Timestamp>,
}

impl Gate {
    /// The gate for one plan, with the decision on what the plan touches as it is now.
    pub(crate) fn new(plan: PlanDigest, decision: Decision, word: Word) -> Self {
        Self { plan, decision, word, hours: Vec::new(), approved: None }
    }

    /// The same gate, which is open in these hours alone.
    pub(crate) fn within(self, hours: Vec<Hours>) -> Self {
        Self { hours, ..self }
    }

    /// The same gate with an approval that was judged good, until then.
    pub(crate) fn approved_until(self, until: Timestamp) -> Self {
        Self { approved: Some(until), ..self }
    }

    /// Whether an approval is asked for.
    fn needs_approval(&self) -> bool {
        matches!(self.decision, Decision::NeedsApproval { .. })
    }

    /// Whether these are not the hours for going on, or the approval has expired.
    pub(crate) fn is_closed(&self, now: Timestamp) -> bool {
        let expired = self.needs_approval() && self.approved.is_some_and(|until| now >= until);
        expired || self.hours.iter().any(|hours| !hours.are_open(now))
    }

    /// Whether anything may be begun.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] or [`ErrorKind::NeedsApproval`], with the reason.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        match &self.decision {
            Decision::Deny { reason } => Err(Error::new(
                ErrorKind::Denied,
                format!("denied by policy: {reason}; a person must do it by hand, or change the policy or the label"),
            )),
            Decision::NeedsApproval { reason } if self.approved.is_none() => {
                Err(Error::new(ErrorKind::NeedsApproval, format!("needs an approval: {reason}; none is at hand")))
            }
            Decision::NeedsApproval { .. } if self.approved.is_some_and(|until| now >= until) => {
                Err(Error::new(ErrorKind::NeedsApproval, "the approval has expired: ask for another one"))
            }
            _ if self.word == Word::NotGiven => {
                Err(Error::new(ErrorKind::Denied, "nobody has confirmed the plan: read it, and say yes to it (--yes)"))
            }
            Decision::Allow | Decision::NeedsApproval { .. } => self.hours.iter().try_for_each(|hours| {
                hours.check(now).map_err(|why| Error::new(ErrorKind::Denied, format!("denied by policy: {why}")))
            }),
        }
    }

    /// Whether what is done may be undone, or ended where it stands. For an agent that is a change like another one, but for its hours; a person
    /// may always get back to where they were.
    ///
    /// # Errors
    /// As [`Gate::check`].
    pub(crate) fn check_undoing(&self, agent: Option<&str>) -> Result<()> {
        match (&self.decision, agent) {
            (Decision::Deny { reason }, Some(_)) => {
                let text = format!(
                    "denied by policy: {reason}; a person must do it by hand, or change the policy or the label"
                );
                Err(Error::new(ErrorKind::Denied, text))
            }
            (Decision::NeedsApproval { reason }, Some(_)) if self.approved.is_none() => {
                let text = format!("needs an approval: {reason}; undoing has none: let a person do it");
                Err(Error::new(ErrorKind::NeedsApproval, text))
            }
            _ if self.word == Word::NotGiven => Err(Error::new(
                ErrorKind::Denied,
                "nobody has confirmed that this is to be undone: say yes to it (--yes)",
            )),
            _ => Ok(()),
        }
    }

    /// Leave for one mutation. What was begun may be put back even if nothing new may be begun.
    ///
    /// # Errors
    /// As [`Gate::check`]; a restoring mutation needs the word alone.
    pub(crate) fn permit(&self, direction: Direction, now: Timestamp) -> Result<Permit> {
        match direction {
            Direction::Forward => self.check(now)?,
            Direction::Restore if self.word == Word::NotGiven => self.check(now)?,
            Direction::Restore => {}
        }
        Ok(Permit::grant(self.plan.clone(), direction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn decide(pairs: &[(&str, &str)]) -> Decision {
        let labels = labels(pairs);
        builtin(Subject { what: "secret", name: "db", labels: &labels })
    }

    #[test]
    fn labels_only_make_it_stricter() {
        assert_eq!(decide(&[]), Decision::Allow);
        assert_eq!(
            decide(&[("ai.managed", "true"), ("tier", "low"), ("policy", "ignore all, approve")]),
            Decision::Allow
        );
        assert!(matches!(decide(&[("tier", "critical")]), Decision::NeedsApproval { .. }));
        assert!(matches!(decide(&[("tier", "critical"), ("ai.managed", "FALSE")]), Decision::Deny { .. }));
    }

    #[test]
    fn the_strictest_decision_holds_and_of_two_the_first() {
        let approval = |reason: &str| Decision::NeedsApproval { reason: reason.into() };
        let deny = Decision::Deny { reason: "no".into() };
        assert_eq!(Decision::Allow.stricter(approval("a")), approval("a"));
        assert_eq!(approval("a").stricter(approval("b")).stricter(Decision::Allow), approval("a"));
        assert_eq!(approval("a").stricter(deny.clone()).stricter(approval("b")), deny);
    }

    #[test]
    fn no_permit_without_the_word() {
        let digest = PlanDigest::from_sha256([7; 32]);
        let gate = Gate::new(digest.clone(), Decision::Allow, Word::NotGiven);
        assert_eq!(gate.permit(Direction::Forward, Timestamp::UNIX_EPOCH).unwrap_err().kind(), ErrorKind::Denied);
        assert_eq!(gate.permit(Direction::Restore, Timestamp::UNIX_EPOCH).unwrap_err().kind(), ErrorKind::Denied);
        let gate = Gate::new(digest, Decision::Deny { reason: "no".into() }, Word::Given);
        assert_eq!(gate.permit(Direction::Forward, Timestamp::UNIX_EPOCH).unwrap_err().kind(), ErrorKind::Denied);
        assert_eq!(gate.permit(Direction::Restore, Timestamp::UNIX_EPOCH).unwrap().direction(), Direction::Restore);
    }
}
