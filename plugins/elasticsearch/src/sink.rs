//! The sink.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use serde::Serialize;
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_tls::words;

use crate::answer::taken;
use crate::builder::Builder;

/// How much of an answer is read, in bytes. What is asked for is a few hundred.
const ANSWER: usize = 64 * 1024;

/// Audit records as documents of an index. See [the crate](crate).
pub struct ElasticsearchAudit {
    pub(crate) client: Client,
    pub(crate) bulk: Url,
    pub(crate) login: Option<HeaderValue>,
    pub(crate) place: String,
}

/// What to do with the document that follows.
#[derive(Serialize)]
struct Order<'a> {
    create: Name<'a>,
}

#[derive(Serialize)]
struct Name<'a> {
    _id: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@timestamp")]
    timestamp: Timestamp,
    #[serde(flatten)]
    record: &'a AuditRecord,
}

impl ElasticsearchAudit {
    /// Begins with the place of the server, such as `https://search.example.org:9200`.
    #[must_use]
    pub fn at(url: &str) -> Builder {
        Builder::at(url)
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), String> {
        let mut request = self.client.post(self.bulk.clone()).header(CONTENT_TYPE, "application/x-ndjson").body(body);
        if let Some(login) = &self.login {
            request = request.header(AUTHORIZATION, login.clone());
        }
        let response = request.send().await.map_err(|error| cause(&error))?;
        match response.status() {
            StatusCode::OK => taken(&body_of(response).await?),
            StatusCode::UNAUTHORIZED => Err("HTTP 401: the login is refused".into()),
            StatusCode::FORBIDDEN => Err("HTTP 403: the user may not create documents there".into()),
            status if status.is_redirection() => {
                Err(format!("HTTP {}: a redirect, which is not followed", status.as_u16()))
            }
            status => Err(format!("HTTP {}", status.as_u16())),
        }
    }
}

#[async_trait]
impl AuditSink for ElasticsearchAudit {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        let failed =
            |why: &str| Error::new(ErrorKind::Audit, format!("the {} did not take the record: {why}", self.place));
        let name = record.name()?;
        let order = serde_json::to_string(&Order { create: Name { _id: &name } });
        let document = serde_json::to_string(&Document { timestamp: record.at, record });
        let (Ok(order), Ok(document)) = (order, document) else { return Err(failed("it cannot be encoded")) };
        self.send(format!("{order}\n{document}\n").into_bytes()).await.map_err(|why| failed(&why))
    }
}

async fn body_of(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| cause(&error))? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER {
            return Err("an answer that is far too long".into());
        }
    }
    Ok(body)
}

fn cause(error: &reqwest::Error) -> String {
    let other = match () {
        () if error.is_timeout() => "no answer in time: it may have taken it",
        () if error.is_connect() => "no connection",
        () => "a connection that broke, or no HTTP: it may have taken it",
    };
    words(error).unwrap_or(other).into()
}
