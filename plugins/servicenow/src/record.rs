//! Records, as the Table API gives them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use swarmsecrets_core::approval::{ReadBack, Verdict};
use swarmsecrets_core::ids::{RequestDigest, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result};

/// What every answer is wrapped in.
#[derive(Deserialize)]
pub(crate) struct Wrapped<T> {
    pub(crate) result: T,
}

/// A change request of ServiceNow's.
#[derive(Deserialize)]
pub(crate) struct Change {
    pub(crate) sys_id: String,
    pub(crate) number: String,
    #[serde(default)]
    pub(crate) correlation_id: String,
    #[serde(default)]
    pub(crate) description: String,
}

/// The fields of a [`Change`].
pub(crate) const CHANGE: &str = "sys_id,number,correlation_id,description";

/// What one person was asked, and said.
#[derive(Deserialize)]
pub(crate) struct Asked {
    state: String,
    #[serde(rename = "approver.user_name")]
    user: String,
    sys_updated_by: String,
    sys_updated_on: String,
}

/// The fields of an [`Asked`].
pub(crate) const ASKED: &str = "state,approver.user_name,sys_updated_by,sys_updated_on";

impl Change {
    /// A record whose id can be a part of a query.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if it is none.
    pub(crate) fn checked(self) -> Result<Self> {
        let fits = self.sys_id.len() == 32 && self.sys_id.bytes().all(|b| b.is_ascii_hexdigit());
        match fits {
            true => Ok(self),
            false => Err(Error::new(ErrorKind::Protocol, "ServiceNow gives a record an id that is none")),
        }
    }
}

impl Asked {
    /// What was decided, if anything was.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] if somebody else has set it; [`ErrorKind::Protocol`] for a time that is none.
    pub(crate) fn decision(&self, about: &RequestDigest, number: &str) -> Result<Option<ReadBack>> {
        let verdict = match self.state.as_str() {
            "approved" => Verdict::Approve,
            "rejected" => Verdict::Deny,
            _ => return Ok(None),
        };
        if self.user != self.sys_updated_by {
            let text = format!(
                "the approval of {} in {} was last written by {}: let them decide themselves",
                quoted(&self.user),
                quoted(number),
                quoted(&self.sys_updated_by)
            );
            return Err(Error::new(ErrorKind::Denied, text));
        }
        let at = time(&self.sys_updated_on).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, format!("an approval in {} has a time that is none", quoted(number)))
        })?;
        ReadBack::new(about.clone(), verdict, &self.user, at, number).map(Some)
    }
}

/// The Table API writes `2026-05-07 12:05:00`, in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(state: &str, user: &str, by: &str, on: &str) -> Result<Option<(Verdict, String, String)>> {
        let [state, user, sys_updated_by, sys_updated_on] = [state, user, by, on].map(str::to_owned);
        let asked = Asked { state, user, sys_updated_by, sys_updated_on };
        let read = asked.decision(&RequestDigest::from_sha256([7; 32]), "CHG0030001")?;
        Ok(read.map(|one| (one.decision(), one.account().to_owned(), one.at().to_string())))
    }

    #[test]
    fn only_what_was_said_is_a_decision() {
        let at = "2026-05-07 12:05:00";
        for state in ["requested", "not requested", "cancelled", "not_required", "duplicate", ""] {
            assert_eq!(decision(state, "alice", "system", at).unwrap(), None, "{state}");
        }
        let said = decision("approved", "alice", "alice", at).unwrap().unwrap();
        assert_eq!(said, (Verdict::Approve, "alice".to_owned(), "2026-05-07T12:05:00Z".to_owned()));
        assert_eq!(decision("rejected", "bob", "bob", at).unwrap().unwrap().0, Verdict::Deny);
    }

    #[test]
    fn what_somebody_else_has_set_is_refused() {
        let error = decision("approved", "alice", "admin", "2026-05-07 12:05:00").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!(
            error.message(),
            "the approval of `alice` in `CHG0030001` was last written by `admin`: let them decide themselves"
        );
        assert_eq!(decision("approved", "alice", "alice", "soon").unwrap_err().kind(), ErrorKind::Protocol);
    }
}
