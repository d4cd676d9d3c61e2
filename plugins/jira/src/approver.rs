//! The approver.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use swarmsecrets_core::approval::{Approver, ChangeRequest, Given};
use swarmsecrets_core::ids::{RequestDigest, is_unprintable, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_tickets::{Call, Credential, Method, Service, check_text, digest_of, fill, summary, ticket_text};

use crate::document;
use crate::history::{Issue, Statuses};

/// Longest description that Jira takes, in characters, with room for its own.
const LONGEST_TEXT: usize = 30_000;
/// So many issues of one request are read at most.
const MOST_ISSUES: usize = 8;

/// Makes a Jira issue of each change request, and reads back from its history what people decided.
pub struct JiraApprover {
    service: Service,
    project: String,
    issue_type: String,
    statuses: Statuses,
    fields: BTreeMap<String, String>,
    name: String,
    /// The issues that this process has made, which the search does not see at once.
    made: Mutex<BTreeMap<RequestDigest, String>>,
}

/// Collects the settings of a [`JiraApprover`].
#[derive(Debug)]
pub struct JiraBuilder {
    url: String,
    credential: Credential,
    project: String,
    issue_type: String,
    approved: Vec<String>,
    denied: Vec<String>,
    fields: BTreeMap<String, String>,
    authority: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct Found {
    issues: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    key: String,
}

impl JiraApprover {
    /// Begins an approver that makes issues in this project of the Jira at this URL, as this user with this API token.
    #[must_use]
    pub fn builder(url: &str, user: &str, token: SecretValue, project: &str) -> JiraBuilder {
        JiraBuilder {
            url: url.to_owned(),
            credential: Credential::Basic(user.to_owned(), token),
            project: project.to_owned(),
            issue_type: "Task".to_owned(),
            approved: Vec::new(),
            denied: Vec::new(),
            fields: BTreeMap::new(),
            authority: None,
        }
    }

    /// The issues of a request.
    async fn issues(&self, digest: &RequestDigest) -> Result<Vec<String>> {
        let jql = format!("project = \"{}\" AND labels = \"{}\"", self.project, label(digest));
        let body = json!({"jql": jql, "fields": ["labels"], "maxResults": MOST_ISSUES + 1});
        let call = Call::new(Method::POST, &["rest", "api", "3", "search", "jql"]).json(bytes(&body)?);
        let found: Found = self.service.call(call).await?.wanted(&[200])?.json()?;
        let mut keys: Vec<String> = found.issues.into_iter().map(|issue| issue.key).collect();
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned();
        keys.extend(made.filter(|key| !keys.contains(key)).into_iter().collect::<Vec<_>>());
        if keys.len() > MOST_ISSUES {
            let text = format!(
                "{} has more than {MOST_ISSUES} issues with the label {}: remove those that are none",
                self.name,
                label(digest)
            );
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        keys.into_iter().map(checked).collect()
    }

    async fn decided(&self, request: &ChangeRequest, key: &str) -> Result<Vec<Given>> {
        let call = Call::new(Method::GET, &["rest", "api", "3", "issue", key]);
        let call = call.query("expand", "changelog").query("fields", "description,status");
        let issue: Issue = self.service.call(call).await?.wanted(&[200])?.json()?;
        let shown = quoted(&issue.key);
        let text = document::text(&issue.fields.description).unwrap_or_default();
        let about = digest_of(&text, &shown)?;
        // One that names another request is judged as such.
        if about == *request.digest() {
            check_text(&text, &ticket_text(request, LONGEST_TEXT), &shown)?;
        }
        let decided = issue.decisions(&about, &self.statuses)?;
        Ok(decided.into_iter().map(Given::ReadBack).collect())
    }
}

#[async_trait]
impl Approver for JiraApprover {
    async fn request(&self, request: &ChangeRequest) -> Result<()> {
        if !self.issues(request.digest()).await?.is_empty() {
            return Ok(());
        }
        let mut fields: Map<String, Value> =
            fill(request, &self.fields)?.into_iter().map(|(name, text)| (name, text.into())).collect();
        for (name, value) in [
            ("project", json!({"key": self.project})),
            ("issuetype", json!({"name": self.issue_type})),
            ("summary", summary(request).into()),
            ("description", document::description(&ticket_text(request, LONGEST_TEXT))),
            ("labels", json!(["swarmsecrets", label(request.digest())])),
        ] {
            fields.insert(name.to_owned(), value);
        }
        let call = Call::new(Method::POST, &["rest", "api", "3", "issue"]).json(bytes(&json!({"fields": fields}))?);
        let made: Named = self.service.call(call).await?.wanted(&[201])?.json()?;
        let key = checked(made.key)?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(request.digest().clone(), key);
        Ok(())
    }

    async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        let mut given = Vec::new();
        for key in self.issues(request.digest()).await? {
            given.extend(self.decided(request, &key).await?);
        }
        Ok(given)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn label(digest: &RequestDigest) -> String {
    format!("swarmsecrets-{digest}")
}

fn bytes(body: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(body).map_err(|e| Error::new(ErrorKind::Invalid, "the issue cannot be written").with_source(e))
}

/// A key is a part of paths: `OPS-123`.
fn checked(key: String) -> Result<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match (1..=64).contains(&key.len()) && key.bytes().all(fits) {
        true => Ok(key),
        false => Err(Error::new(ErrorKind::Protocol, format!("Jira calls an issue {}, which is no key", quoted(&key)))),
    }
}

impl JiraBuilder {
    /// The kind of issue: `Task` if not set.
    #[must_use]
    pub fn issue_type(mut self, name: &str) -> Self {
        self.issue_type = name.to_owned();
        self
    }

    /// The statuses, by name or number, to which moving an issue approves.
    #[must_use]
    pub fn approved(mut self, statuses: &[String]) -> Self {
        self.approved = statuses.to_vec();
        self
    }

    /// The statuses to which moving an issue denies.
    #[must_use]
    pub fn denied(mut self, statuses: &[String]) -> Self {
        self.denied = statuses.to_vec();
        self
    }

    /// Further fields of the issue, each with a fact of the request, or, after `=`, this text.
    #[must_use]
    pub fn fields(mut self, fields: BTreeMap<String, String>) -> Self {
        self.fields = fields;
        self
    }

    /// Believes certificates of this authority **only** (PEM, one or several).
    #[must_use]
    pub fn ca_certificate(mut self, pem: &[u8]) -> Self {
        self.authority = Some(pem.to_vec());
        self
    }

    /// Checks the settings. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying which setting is wrong.
    pub fn build(self) -> Result<JiraApprover> {
        let wrong = |why: &str| Error::new(ErrorKind::Settings, format!("cannot set up Jira: {why}"));
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if self.project.is_empty() || !self.project.bytes().all(fits) {
            return Err(wrong("the project is named by its key, such as `OPS`"));
        }
        if self.issue_type.trim().is_empty() || self.issue_type.chars().any(is_unprintable) {
            return Err(wrong("the kind of issue has no name"));
        }
        if self.approved.is_empty() {
            return Err(wrong("no status approves: name one in `approved`"));
        }
        let builder = Service::builder("Jira", &self.url).credential(self.credential);
        let service = self.authority.iter().fold(builder, |builder, pem| builder.ca_certificate(pem)).build()?;
        let name = format!("{}, project {}", service.what(), self.project);
        let statuses = Statuses { approved: self.approved, denied: self.denied };
        Ok(JiraApprover {
            service,
            project: self.project,
            issue_type: self.issue_type,
            statuses,
            fields: self.fields,
            name,
            made: Mutex::default(),
        })
    }
}
