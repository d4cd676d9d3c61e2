//! One request for a page, and whether its answer is the wanted one.

use std::time::{Duration, Instant};

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, Url};
use swarmsecrets_core::{Error, ErrorKind, Result};
use swarmsecrets_tls::{Trust, config, words};
use tokio::time::timeout;

/// How much of a body is searched, in bytes.
const BODY: usize = 256 * 1024;
/// How many redirects on the same host are followed.
const REDIRECTS: usize = 5;

/// What is asked for, and what is wanted.
pub(crate) struct Page {
    pub(crate) client: Client,
    pub(crate) url: Url,
    /// Any 2xx if none is given.
    pub(crate) status: Option<u16>,
    pub(crate) body: Option<Vec<u8>>,
}

/// A client that makes a connection for each request and goes to no other host.
pub(crate) fn client(trust: &Trust) -> Result<Client> {
    let mut config = config(trust)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Client::builder()
        .tls_backend_preconfigured(config)
        .http1_only()
        .user_agent(concat!("swarmsecrets/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::custom(on_the_same_host))
        .referer(false)
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .map_err(|e| Error::new(ErrorKind::Settings, "the HTTP client cannot be set up").with_source(e))
}

fn on_the_same_host(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let stays = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if stays && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
}

impl Page {
    /// Asks once. What is wrong with the answer is said without a word of it.
    pub(crate) async fn ask(&self, limit: Duration) -> Result<Duration, String> {
        let begun = Instant::now();
        match timeout(limit, self.answer()).await {
            Err(_) => Err(format!("no answer within {} ms", limit.as_millis())),
            Ok(Err(wrong)) => Err(wrong),
            Ok(Ok(())) => Ok(begun.elapsed()),
        }
    }

    async fn answer(&self) -> Result<(), String> {
        let response = self.client.get(self.url.clone()).send().await.map_err(|error| cause(&error))?;
        let status = response.status();
        let wanted = self.status.map_or(status.is_success(), |wanted| wanted == status.as_u16());
        if !wanted {
            let elsewhere = if status.is_redirection() { ", to another host or too often" } else { "" };
            return Err(format!("HTTP {}{elsewhere}", status.as_u16()));
        }
        match &self.body {
            Some(wanted) if !holds(response, wanted).await? => Err("a body without the wanted text".into()),
            _ => Ok(()),
        }
    }
}

async fn holds(mut response: Response, wanted: &[u8]) -> Result<bool, String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| cause(&error))? {
        body.extend_from_slice(&piece[..piece.len().min(BODY - body.len())]);
        if body.len() == BODY {
            break;
        }
    }
    Ok(wanted.is_empty() || body.windows(wanted.len()).any(|window| window == wanted))
}

fn cause(error: &reqwest::Error) -> String {
    let other = if error.is_connect() { "no connection" } else { "a connection that broke, or no HTTP" };
    words(error).unwrap_or(other).into()
}
