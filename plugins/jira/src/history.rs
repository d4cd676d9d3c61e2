//! What Jira's own history says of an issue.

use jiff::Timestamp;
use serde::Deserialize;
use swarmsecrets_core::approval::{ReadBack, Verdict};
use swarmsecrets_core::ids::{RequestDigest, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result};

/// An issue, as `expand=changelog` gives it.
#[derive(Deserialize)]
pub(crate) struct Issue {
    pub(crate) key: String,
    pub(crate) fields: Fields,
    changelog: Changelog,
}

#[derive(Deserialize)]
pub(crate) struct Fields {
    pub(crate) description: serde_json::Value,
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    id: String,
}

#[derive(Deserialize)]
struct Changelog {
    total: usize,
    histories: Vec<History>,
}

#[derive(Deserialize)]
struct History {
    author: Option<Author>,
    created: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Author {
    account_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    field: String,
    to: Option<String>,
    #[serde(rename = "toString")]
    to_name: Option<String>,
}

/// What the statuses of a project mean. Each by its name or its number.
pub(crate) struct Statuses {
    pub(crate) approved: Vec<String>,
    pub(crate) denied: Vec<String>,
}

impl Statuses {
    fn verdict(&self, item: &Item) -> Option<Verdict> {
        let is = |names: &[String]| {
            names.iter().any(|name| Some(name) == item.to.as_ref() || Some(name) == item.to_name.as_ref())
        };
        // One that stands in both denies.
        match (is(&self.denied), is(&self.approved)) {
            (true, _) => Some(Verdict::Deny),
            (false, true) => Some(Verdict::Approve),
            (false, false) => None,
        }
    }
}

impl Issue {
    /// What was decided on it.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] if its description was ever edited; [`ErrorKind::TooLarge`] if there is more history than Jira gives at
    /// once; [`ErrorKind::Protocol`] for a history that cannot be what happened.
    pub(crate) fn decisions(&self, about: &RequestDigest, statuses: &Statuses) -> Result<Vec<ReadBack>> {
        let key = quoted(&self.key);
        if self.changelog.histories.len() < self.changelog.total {
            let text = format!("the issue {key} has a longer history than can be read: make the change request again");
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        let odd = |why: &str| Error::new(ErrorKind::Protocol, format!("the history of the issue {key} {why}"));
        let mut steps = Vec::new();
        for history in &self.changelog.histories {
            steps.push((time(&history.created).ok_or_else(|| odd("has a time that is none"))?, history));
        }
        // Jira gives the newest first; of the same time the sort keeps what came later behind.
        steps.reverse();
        steps.sort_by_key(|(at, _)| *at);
        let (mut decided, mut last): (Vec<ReadBack>, _) = (Vec::new(), None);
        for (at, history) in steps {
            for item in &history.items {
                if item.field == "description" {
                    let text = format!(
                        "the ticket {key} was changed: its description was edited at {at}; make the change request again, and find out who did that"
                    );
                    return Err(Error::new(ErrorKind::Denied, text));
                }
                if item.field != "status" {
                    continue;
                }
                last = item.to.clone();
                match statuses.verdict(item) {
                    Some(verdict) => {
                        let author = history.author.as_ref().ok_or_else(|| odd("has a move by nobody"))?;
                        decided.push(ReadBack::new(about.clone(), verdict, &author.account_id, at, &self.key)?);
                    }
                    // It was opened again: what was approved before is not any more.
                    None => decided.retain(|one| one.decision() == Verdict::Deny),
                }
            }
        }
        if last.is_some_and(|last| last != self.fields.status.id) {
            return Err(odd("does not end where the issue stands: read it again"));
        }
        Ok(decided)
    }
}

/// Jira writes `2026-05-07T12:05:00.000+0000`.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok().or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statuses() -> Statuses {
        Statuses { approved: vec!["Approved".into(), "10003".into()], denied: vec!["Rejected".into()] }
    }

    fn moves(steps: &[(&str, &str, &str)]) -> Issue {
        let histories: Vec<_> = steps
            .iter()
            .enumerate()
            .map(|(n, (who, field, to))| {
                json!({"author": {"accountId": who}, "created": format!("2026-05-07T14:0{n}:00.000+0200"),
                       "items": [{"field": field, "to": to, "toString": to}]})
            })
            .rev()
            .collect();
        let status = steps.iter().rev().find(|step| step.1 == "status").map_or("To Do", |step| step.2);
        let issue = json!({"key": "OPS-1", "fields": {"description": null, "status": {"id": status}},
                           "changelog": {"total": histories.len(), "histories": histories}});
        serde_json::from_value(issue).unwrap()
    }

    fn decided(steps: &[(&str, &str, &str)]) -> Result<Vec<(Verdict, String, String)>> {
        let read = moves(steps).decisions(&RequestDigest::from_sha256([7; 32]), &statuses())?;
        Ok(read.iter().map(|one| (one.decision(), one.account().to_owned(), one.at().to_string())).collect())
    }

    #[test]
    fn who_moved_it_where_counts_and_the_time_is_jiras() {
        let read = decided(&[("a", "status", "Doing"), ("b", "status", "10003"), ("c", "status", "Approved")]).unwrap();
        let wanted = [("b", "2026-05-07T12:01:00Z"), ("c", "2026-05-07T12:02:00Z")];
        assert_eq!(read, wanted.map(|(who, at)| (Verdict::Approve, who.to_owned(), at.to_owned())));
        assert!(decided(&[("a", "assignee", "Approved")]).unwrap().is_empty(), "a person of that name is no status");
    }

    #[test]
    fn what_was_opened_again_is_not_approved_and_a_denial_stays() {
        assert!(decided(&[("a", "status", "Approved"), ("b", "status", "Doing")]).unwrap().is_empty());
        let read =
            decided(&[("a", "status", "Rejected"), ("b", "status", "Doing"), ("c", "status", "Approved")]).unwrap();
        let verdicts: Vec<Verdict> = read.iter().map(|one| one.0).collect();
        assert_eq!(verdicts, [Verdict::Deny, Verdict::Approve]);
    }

    #[test]
    fn a_description_that_was_edited_is_refused_also_when_it_was_put_back() {
        let error =
            decided(&[("x", "description", "a"), ("x", "description", "b"), ("a", "status", "Approved")]).unwrap_err();
        assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("`OPS-1`"), "{error}");
    }

    #[test]
    fn a_history_that_cannot_be_is_refused() {
        let (about, mut issue) = (RequestDigest::from_sha256([7; 32]), moves(&[("a", "status", "Approved")]));
        issue.fields.status.id = "Doing".into();
        assert_eq!(issue.decisions(&about, &statuses()).unwrap_err().kind(), ErrorKind::Protocol);
        let mut issue = moves(&[("a", "status", "Approved")]);
        issue.changelog.total = 101;
        assert_eq!(issue.decisions(&about, &statuses()).unwrap_err().kind(), ErrorKind::TooLarge);
        let mut issue = moves(&[("a", "status", "Approved")]);
        issue.changelog.histories[0].author = None;
        assert_eq!(issue.decisions(&about, &statuses()).unwrap_err().kind(), ErrorKind::Protocol);
        let mut issue = moves(&[("a", "status", "Approved")]);
        issue.changelog.histories[0].created = "soon".into();
        assert_eq!(issue.decisions(&about, &statuses()).unwrap_err().kind(), ErrorKind::Protocol);
    }
}
