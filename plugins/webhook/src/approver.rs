//! The approver.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use swarmsecrets_core::approval::{Approver, ChangeRequest, Given};
use swarmsecrets_core::ids::RequestDigest;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_tickets::{Answer, Call, Method, Service};

use crate::document;
use crate::signature::{Headers, Secret};

/// So many requests have decisions that were received at most; a request is good for a day at most.
const MOST_RECEIVED: usize = 1000;
/// So many decisions on one request are kept at most.
const MOST_DECISIONS: usize = 64;

/// Sends change requests to a URL, and takes decisions from another one or as they are sent.
pub struct WebhookApprover {
    out: Service,
    answers: Option<Service>,
    secret: Secret,
    name: String,
    /// What the receiver has sent by itself.
    received: Mutex<BTreeMap<RequestDigest, Vec<Given>>>,
}

/// Collects the settings of a [`WebhookApprover`].
#[derive(Debug)]
pub struct WebhookBuilder {
    url: String,
    answers: Option<String>,
    secret: SecretValue,
    authority: Option<Vec<u8>>,
}

impl WebhookApprover {
    /// Begins an approver that sends requests to this URL, and shares this secret with the receiver.
    #[must_use]
    pub fn builder(url: &str, secret: SecretValue) -> WebhookBuilder {
        WebhookBuilder { url: url.to_owned(), answers: None, secret, authority: None }
    }

    /// Takes decisions that the receiver has sent by itself, and says on which request. They are told by
    /// [`Approver::decisions`] of this approver, as long as it lives. What was sent twice counts once.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] for what is not signed with the secret, or is old; [`ErrorKind::Protocol`] for what is no document of
    /// decisions; [`ErrorKind::TooLarge`] for more than is kept.
    pub fn receive(&self, headers: Headers<'_>, body: &[u8]) -> Result<RequestDigest> {
        self.receive_at(headers, body, Timestamp::now())
    }

    fn receive_at(&self, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<RequestDigest> {
        let given = self.understood(headers, body, now)?;
        let about: RequestDigest = headers.id.parse()?;
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if !received.contains_key(&about) && received.len() >= MOST_RECEIVED {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "decisions on more requests than are kept: begin the program anew",
            ));
        }
        let known = received.entry(about.clone()).or_default();
        for one in given {
            if !known.contains(&one) && known.len() < MOST_DECISIONS {
                known.push(one);
            }
        }
        Ok(about)
    }

    fn understood(&self, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<Vec<Given>> {
        self.secret.check(headers, body, now)?;
        document::read(body)
    }

    async fn polled(&self, answers: &Service, digest: &RequestDigest) -> Result<Vec<Given>> {
        let (timestamp, signature) = self.secret.sign(digest.as_str(), Timestamp::now(), b"");
        let call = signed(Call::new(Method::GET, &[digest.as_str()]), digest, timestamp, signature);
        let answer = answers.call(call).await?;
        if matches!(answer.status, 204 | 404) {
            return Ok(Vec::new());
        }
        let answer = answer.wanted(&[200])?;
        let headers = headers_of(&answer)?;
        // Otherwise the answer to the poll of another request would do.
        if headers.id != digest.as_str() {
            return Err(Error::new(
                ErrorKind::Denied,
                "the answer of the webhook is refused: it is about another request",
            ));
        }
        self.understood(headers, &answer.body, Timestamp::now())
    }
}

#[async_trait]
impl Approver for WebhookApprover {
    async fn request(&self, request: &ChangeRequest) -> Result<()> {
        let (digest, body) = (request.digest(), request.to_json()?);
        let (timestamp, signature) = self.secret.sign(digest.as_str(), Timestamp::now(), &body);
        let call = signed(Call::new(Method::POST, &[]), digest, timestamp, signature);
        let call = call.header("idempotency-key", digest.as_str()).json(body);
        self.out.call(call).await?.wanted(&[200, 201, 202, 204]).map(drop)
    }

    async fn decisions(&self, request: &ChangeRequest) -> Result<Vec<Given>> {
        let digest = request.digest();
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned();
        let mut given = received.unwrap_or_default();
        if let Some(answers) = &self.answers {
            let polled = self.polled(answers, digest).await?;
            given.extend(polled.into_iter().filter(|one| !given.contains(one)).collect::<Vec<_>>());
        }
        Ok(given)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn signed<'a>(call: Call<'a>, digest: &RequestDigest, timestamp: String, signature: String) -> Call<'a> {
    let call = call.header("webhook-id", digest.as_str()).header("webhook-timestamp", timestamp);
    call.header("webhook-signature", signature)
}

fn headers_of(answer: &Answer) -> Result<Headers<'_>> {
    let header = |name: &str| {
        let missing =
            || Error::new(ErrorKind::Denied, format!("the answer of the webhook is refused: it has no `{name}`"));
        answer.header(name).ok_or_else(missing)
    };
    Ok(Headers {
        id: header("webhook-id")?,
        timestamp: header("webhook-timestamp")?,
        signature: header("webhook-signature")?,
    })
}

impl WebhookBuilder {
    /// Polls for decisions at this URL, with the digest as another part of the path.
    #[must_use]
    pub fn answers(mut self, url: &str) -> Self {
        self.answers = Some(url.to_owned());
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
    pub fn build(self) -> Result<WebhookApprover> {
        let service = |url: &str| {
            let builder = Service::builder("the webhook", url);
            self.authority.iter().fold(builder, |builder, pem| builder.ca_certificate(pem)).build()
        };
        let (out, answers) = (service(&self.url)?, self.answers.as_deref().map(service).transpose()?);
        let name = out.what().to_owned();
        Ok(WebhookApprover { out, answers, secret: Secret::new(self.secret)?, name, received: Mutex::default() })
    }
}
