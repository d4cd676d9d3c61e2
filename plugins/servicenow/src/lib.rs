//! Approvals by ServiceNow change requests (Table API).
//!
//! Each change request of swarmsecrets becomes a record of the table `change_request` whose `correlation_id` is the digest and whose description is
//! its text. ServiceNow's own approval rules ask people; what they say stands in `sysapproval_approver`.
//!
//! | what | how |
//! | --- | --- |
//! | is it there already | `GET /api/now/table/change_request` by `correlation_id` |
//! | make it known | `POST /api/now/table/change_request` |
//! | what was decided | `GET /api/now/table/sysapproval_approver` by `sysapproval`: `approved` and `rejected` |
//!
//! A decision counts as that of the user who was asked (`approver.user_name`), and only if the same user was the last to write the record: one
//! that an administrator or an integration has set for somebody is refused. The time is that of that write. The digest is read from the record's
//! description, which must still be what was asked for.

mod approver;
mod record;

pub use self::approver::{ServiceNowApprover, ServiceNowBuilder};
