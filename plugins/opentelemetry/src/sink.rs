//! The sink.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};
use swarmsecrets_core::audit::{AuditRecord, AuditSink};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_tls::words;

use crate::answer::accepted;
use crate::builder::Builder;
use crate::message::request;

/// How much of an answer is read, in bytes. A good one has a few dozen.
const ANSWER: usize = 64 * 1024;

/// Audit records as log records of OpenTelemetry. See [the crate](crate).
pub struct OpenTelemetryAudit {
    pub(crate) client: Client,
    pub(crate) logs: Url,
    pub(crate) login: Option<(HeaderName, HeaderValue)>,
    pub(crate) host: String,
    pub(crate) place: String,
}

impl OpenTelemetryAudit {
    /// Begins with the place of the receiver, such as `https://collector.example.org:4318`; `/v1/logs` is added to it.
    #[must_use]
    pub fn at(url: &str) -> Builder {
        Builder::at(url)
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), String> {
        const JSON: &str = "application/json";
        let mut request =
            self.client.post(self.logs.clone()).header(CONTENT_TYPE, JSON).header(ACCEPT, JSON).body(body);
        if let Some((name, value)) = &self.login {
            request = request.header(name.clone(), value.clone());
        }
        let response = request.send().await.map_err(|error| cause(&error))?;
        let status = response.status();
        if status.is_success() {
            return accepted(status, &body_of(response).await?);
        }
        let why = match status.as_u16() {
            300..400 => "a redirect, which is not followed",
            400 => "it cannot read the record",
            401 => "the login is refused",
            403 => "whoever logs in may not send there",
            404 | 405 => "it takes no OTLP over HTTP there",
            413 => "the record is too large for it",
            415 => "it takes no JSON",
            429 | 503 => "it takes nothing at the moment",
            status => return Err(format!("HTTP {status}")),
        };
        Err(format!("HTTP {}: {why}", status.as_u16()))
    }
}

#[async_trait]
impl AuditSink for OpenTelemetryAudit {
    async fn append(&self, record: &AuditRecord) -> Result<()> {
        let body = request(record, &self.host, Timestamp::now())?;
        self.send(body).await.map_err(|why| {
            let text = format!("the OpenTelemetry receiver {} did not take the record: {why}", self.place);
            Error::new(ErrorKind::Audit, text)
        })
    }

    /// It is accepted when [`AuditSink::append`] returns, and may be nowhere but in the receiver's memory.
    fn acknowledges(&self) -> bool {
        false
    }
}

/// What this machine is called; nothing if it does not say.
pub(crate) fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
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
