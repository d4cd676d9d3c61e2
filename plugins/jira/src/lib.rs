//! Approvals by Jira Cloud issues (REST API v3).
//!
//! Each change request becomes an issue that carries its digest as a label, and its text as a block of code in the description. People approve by
//! moving the issue to a status that the policy names, and deny by moving it to another one.
//!
//! | what | how |
//! | --- | --- |
//! | is it there already | `POST /rest/api/3/search/jql` by project and label |
//! | make it known | `POST /rest/api/3/issue` with a description in the Atlassian Document Format |
//! | what was decided | `GET /rest/api/3/issue/{key}?expand=changelog`: who moved it where, and when, by Jira's own history |
//!
//! A move to an approving status is that account's approval; a later move to a status that neither approves nor denies takes approvals back. The digest is
//! read from the description. An issue whose description is not what was asked for, or was ever edited, is refused: who approved it may
//! have read something else.
//!
//! Jira's search needs some seconds to see a new issue. Until then another process may make a second issue for the same request; the
//! decisions on both count.

mod approver;
mod document;
mod history;

pub use self::approver::{JiraApprover, JiraBuilder};
