//! A careful HTTP client for one service.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde::de::DeserializeOwned;
use swarmsecrets_core::ids::is_unprintable;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_tls::{Trust, config, words};
use tokio::time::timeout;

pub use reqwest::Method;

/// How much of an answer is read, in bytes.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// How long one call may take.
const WITHIN: Duration = Duration::from_secs(15);

/// What a service knows its caller by.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Nothing in the header: the caller signs.
    None,
    /// A user and a token or password (`Authorization: Basic`).
    Basic(String, SecretValue),
    /// A token (`Authorization: Bearer`).
    Bearer(SecretValue),
}

/// One service at one origin.
///
/// Plain HTTP is taken for this machine alone. Redirects are not followed, also none on the same host: an answer that is one
/// is an error. Nothing is sent twice. Proxies are not used. What an answer says stands in no error.
#[derive(Clone)]
pub struct Service {
    client: Client,
    base: Url,
    what: String,
    authorization: Option<HeaderValue>,
    limit: Duration,
}

/// Collects the settings of a [`Service`].
#[derive(Debug)]
pub struct ServiceBuilder {
    url: String,
    what: &'static str,
    credential: Credential,
    trust: Trust,
    limit: Duration,
}

/// One call.
#[derive(Debug)]
pub struct Call<'a> {
    method: Method,
    path: Vec<&'a str>,
    query: Vec<(&'a str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

/// An answer, whatever its status but a redirect or a failure of the service.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    headers: reqwest::header::HeaderMap,
    what: String,
}

impl<'a> Call<'a> {
    /// A call of this method, to a path below the service's URL. Each part of the path is one segment, and is encoded.
    #[must_use]
    pub fn new(method: Method, path: &[&'a str]) -> Self {
        Self { method, path: path.to_vec(), query: Vec::new(), headers: Vec::new(), body: None }
    }

    /// With a parameter, which is encoded.
    #[must_use]
    pub fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body of JSON.
    #[must_use]
    pub fn json(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }
}

impl Answer {
    /// A header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|e| {
            // The parser's words may show what came.
            let (line, column) = (e.line(), e.column());
            let text = format!("{}: the answer is not what was expected (line {line}, column {column})", self.what);
            Error::new(ErrorKind::Protocol, text)
        })
    }

    /// The same answer, if its status is one of these.
    ///
    /// # Errors
    /// By the status: `Unauthorized`, `Forbidden`, `NotFound`, `RateLimited`, `Invalid` for a request that was not understood.
    pub fn wanted(self, statuses: &[u16]) -> Result<Self> {
        if statuses.contains(&self.status) {
            return Ok(self);
        }
        let (kind, why) = match self.status {
            401 => (ErrorKind::Unauthorized, "it does not know the credential: renew the token in its file"),
            403 => (ErrorKind::Forbidden, "the account may not do that: give it the right"),
            404 => (ErrorKind::NotFound, "it is not there, or the account may not see it"),
            429 => (ErrorKind::RateLimited, "it wants to be asked less often: try again later"),
            400 | 422 => {
                (ErrorKind::Invalid, "it does not take the request: compare the fields in the policy with those it has")
            }
            _ => (ErrorKind::Protocol, "that was not expected"),
        };
        Err(Error::new(kind, format!("{}: HTTP {}: {why}", self.what, self.status)))
    }
}

impl Service {
    /// Begins a client of a service; `what` is what messages call it.
    #[must_use]
    pub fn builder(what: &'static str, url: &str) -> ServiceBuilder {
        let (credential, trust) = (Credential::None, Trust::System);
        ServiceBuilder { url: url.to_owned(), what, credential, trust, limit: WITHIN }
    }

    /// What messages call it: its kind and origin.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Calls it once.
    ///
    /// # Errors
    /// `Unreachable` if there was no connection, `Timeout`, `Protocol` for a redirect or a connection that broke, `TooLarge` for
    /// an answer of more than 4 MiB, `Unreachable` for a failure of the service (5xx).
    pub async fn call(&self, call: Call<'_>) -> Result<Answer> {
        match timeout(self.limit, self.answer(call)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.failed(ErrorKind::Timeout, &format!("no answer within {} s", self.limit.as_secs()))),
        }
    }

    async fn answer(&self, call: Call<'_>) -> Result<Answer> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = self.client.request(call.method, url).header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(
                self.failed(ErrorKind::Protocol, "a redirect, which is not followed: give the URL that it leads to")
            );
        }
        if status.is_server_error() {
            return Err(self.failed(ErrorKind::Unreachable, &format!("HTTP {}: try again later", status.as_u16())));
        }
        let body = self.body(&mut response).await?;
        Ok(Answer { status: status.as_u16(), body, headers: response.headers().clone(), what: self.what.clone() })
    }

    async fn body(&self, response: &mut Response) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if body.len() + piece.len() > LONGEST_ANSWER {
                return Err(self.failed(ErrorKind::TooLarge, "an answer of more than 4 MiB"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn broken(&self, error: &reqwest::Error) -> Error {
        let (kind, other) = match error.is_connect() {
            true => (ErrorKind::Unreachable, "no connection"),
            false => (ErrorKind::Protocol, "a connection that broke, or no HTTP"),
        };
        self.failed(kind, words(error).unwrap_or(other))
    }

    fn failed(&self, kind: ErrorKind, why: &str) -> Error {
        Error::new(kind, format!("{}: {why}", self.what))
    }
}

impl ServiceBuilder {
    /// What the service knows us by.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// Believes certificates of this authority **only** (PEM, one or several).
    #[must_use]
    pub fn ca_certificate(mut self, pem: &[u8]) -> Self {
        self.trust = Trust::Only(pem.to_vec());
        self
    }

    /// How long one call may take: 15 seconds if not set.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Checks the settings. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying which setting is wrong, without a word of it.
    pub fn build(self) -> Result<Service> {
        let what = self.what;
        let wrong = |why: &str| Error::new(ErrorKind::Settings, format!("cannot set up {what}: {why}"));
        if self.url.chars().any(|c| c.is_whitespace() || is_unprintable(c)) {
            return Err(wrong("the URL holds a space, a line break or a control character"));
        }
        let base =
            Url::parse(&self.url).map_err(|_| wrong("the URL is none: give it like `https://tickets.example.org`"))?;
        if !base.username().is_empty()
            || base.password().is_some()
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(wrong("the URL holds more than a host and a path: credentials come from files"));
        }
        let here = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if base.scheme() != "https" && !(base.scheme() == "http" && here) {
            return Err(wrong("the URL must begin with `https://`: what is sent opens the service"));
        }
        let mut config = config(&self.trust)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .http1_only()
            .user_agent(concat!("swarmsecrets/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .map_err(|e| wrong("the HTTP client").with_source(e))?;
        let authorization = match &self.credential {
            Credential::None => None,
            Credential::Basic(user, token) => {
                let pair = [user.as_bytes(), b":", token.expose()].concat();
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Credential::Bearer(token) => match std::str::from_utf8(token.expose()) {
                Ok(token) => Some(format!("Bearer {token}")),
                Err(_) => return Err(wrong("the token in the file is no text")),
            },
        };
        let authorization = authorization.map(|text| {
            let mut value =
                HeaderValue::from_str(&text).map_err(|_| wrong("the token in the file is not one line of text"))?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        let what = format!("{what} at {}", base.origin().ascii_serialization());
        Ok(Service { client, base, what, authorization: authorization.transpose()?, limit: self.limit })
    }
}
