//! The approver.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Map, Value};
use swarmsecrets_core::approval::{Approver, ChangeRequest, Given};
use swarmsecrets_core::ids::{RequestDigest, quoted};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_tickets::{Call, Credential, Method, Service, check_text, digest_of, fill, summary, ticket_text};

use crate::record::{ASKED, Asked, CHANGE, Change, Wrapped};

/// Longest description that ServiceNow takes without being told otherwise, in bytes.
const LONGEST_TEXT: usize = 4000;
/// So many records of one request, and approvals of one record, are read at most.
const MOST: usize = 64;

/// Makes a change request in ServiceNow of each change request, and reads back what people said to it there.
pub struct ServiceNowApprover {
    service: Service,
    fields: BTreeMap<String, String>,
    name: String,
}

/// Collects the settings of a [`ServiceNowApprover`].
#[derive(Debug)]
pub struct ServiceNowBuilder {
    url: String,
    credential: Credential,
    fields: BTreeMap<String, String>,
    authority: Option<Vec<u8>>,
}

impl ServiceNowApprover {
    /// Begins an approver that makes records in the instance at this URL: as this user with this password, or with a token alone
    /// (OAuth).
    #[must_use]
    pub fn builder(url: &str, user: Option<&str>, secret: SecretValue) -> ServiceNowBuilder {
        let credential = match user {
            Some(user) => Credential::Basic(user.to_owned(), secret),
            None => Credential::Bearer(secret),
        };
        ServiceNowBuilder { url: url.to_owned(), credential, fields: BTreeMap::new(), authority: None }
    }

    /// Rows of a table, all of them.
    async fn rows<T: serde::de::DeserializeOwned>(&self, table: &str, query: String, fields: &str) -> Result<Vec<T>> {
        let call = Call::new(Method::GET, &["api", "now", "table", table]);
        let call = call.query("sysparm_query", query).query("sysparm_fields", fields);
        let call = call.query("sysparm_display_value", "false").query("sysparm_exclude_reference_link", "true");
        let call = call.query("sysparm_limit", (MOST + 1).to_string());
        let found: Wrapped<Vec<T>> = self.service.call(call).await?.wanted(&[200])?.json()?;
        if found.result.len() > MOST {
            let text = format!(
                "{} has more than {MOST} rows of {table} for one request: remove those that are none",
                self.name
            );
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        Ok(found.result)
    }

    async fn changes(&self, digest: &RequestDigest) -> Result<Vec<Change>> {
        // Hexadecimal: nothing in it has a meaning in a query.
        let found: Vec<Change> = self.rows("change_request", format!("correlation_id={digest}"), CHANGE).await?;
        // A query that is not understood is passed over by some settings of ServiceNow, which then gives all rows.
        let ours = found.into_iter().filter(|change| change.correlation_id == digest.as_str());
        ours.map(Change::checked).collect()
    }

    async fn decided(&self, request: &ChangeRequest, change: &Change) -> Result<Vec<Given>> {
        let shown = quoted(&change.number);
        let about = digest_of(&change.description, &shown)?;
        // One that names another request is judged as such.
        if about == *request.digest() {
            check_text(&change.description, &ticket_text(request, LONGEST_TEXT), &shown)?;
        }
        let asked: Vec<Asked> =
            self.rows("sysapproval_approver", format!("sysapproval={}", change.sys_id), ASKED).await?;
        let decided = asked.iter().filter_map(|one| one.decision(&about, &change.number).transpose());
        decided.map(|one| one.map(Given::ReadBack)).collect()
    }
}

#[async_trait]
impl Approver for ServiceNowApprover {
    async fn request(&self, request: &ChangeRequest) -> Result<()> {
        if !self.changes(request.digest()).await?.is_empty() {
            return Ok(());
        }
        let mut fields: Map<String, Value> =
            fill(request, &self.fields)?.into_iter().map(|(name, text)| (name, text.into())).collect();
        for (name, text) in [
            ("short_description", summary(request)),
            ("description", ticket_text(request, LONGEST_TEXT)),
            ("correlation_id", request.digest().to_string()),
            ("correlation_display", "swarmsecrets".to_owned()),
        ] {
            fields.insert(name.to_owned(), text.into());
        }
        let body = serde_json::to_vec(&fields)
            .map_err(|e| Error::new(ErrorKind::Invalid, "the record cannot be written").with_source(e))?;
        let call = Call::new(Method::POST, &["api", "now", "table", "change_request"]).json(body);
        let made: Wrapped<Change> = self.service.call(call).await?.wanted(&[201])?.json()?;
        made.result.checked().map(drop)
    }

    async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        let mut given = Vec::new();
        for change in self.changes(request.digest()).await? {
            given.extend(self.decided(request, &change).await?);
        }
        Ok(given)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl ServiceNowBuilder {
    /// Further fields of the record, each with a fact of the request, or, after `=`, this text.
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
    pub fn build(self) -> Result<ServiceNowApprover> {
        let builder = Service::builder("ServiceNow", &self.url).credential(self.credential);
        let service = self.authority.iter().fold(builder, |builder, pem| builder.ca_certificate(pem)).build()?;
        let name = service.what().to_owned();
        Ok(ServiceNowApprover { service, fields: self.fields, name })
    }
}
