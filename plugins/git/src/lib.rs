//! Where the branches of git repositories stand, asked over git's smart HTTP protocol, as `git ls-remote` does.
//!
//! Public repositories only: no credential is sent, also none that a URL holds.

mod advertised;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::Verifier;
use swarmsecrets_core::git::GitRemotes;
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::time::timeout;

/// The longest list of branches that is read, in bytes: some hundred thousand of them.
const LONGEST: usize = 32 * 1024 * 1024;
/// How many redirects on the same host are followed.
const REDIRECTS: usize = 5;

/// Asks the servers of git repositories over HTTP(S).
///
/// Redirects are followed on the same scheme, host and port only. The certificates of the authorities that the system
/// believes are believed. A proxy of the system is used.
pub struct HttpRemotes {
    client: Result<Client>,
    limit: Duration,
}

impl Default for HttpRemotes {
    /// With 15 seconds for each question.
    fn default() -> Self {
        Self::new(Duration::from_secs(15))
    }
}

impl HttpRemotes {
    /// Sets up the client. Nothing is sent. Each question may take so long. Where TLS cannot be set up, no question is
    /// answered.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { client: client(), limit }
    }

    async fn list(&self, url: Url) -> Result<Vec<u8>> {
        let broken = |_| failed("no connection, or one that broke");
        let unset = |error: &Error| Error::new(error.kind(), error.message());
        let client = self.client.as_ref().map_err(unset)?;
        let mut response = client.get(url).send().await.map_err(broken)?;
        match response.status().as_u16() {
            200 => {}
            401 | 403 => return Err(failed("it wants a credential")),
            404 => return Err(failed("there is none, or it wants a credential")),
            status => return Err(failed(&format!("HTTP {status}"))),
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            if body.len() + piece.len() > LONGEST {
                return Err(failed("its list of branches is longer than 32 MiB"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

#[async_trait]
impl GitRemotes for HttpRemotes {
    async fn head(&self, url: &str, reference: &str) -> Result<String> {
        let asked = timeout(self.limit, self.list(address(url)?)).await;
        let body = asked.map_err(|_| failed(&format!("no answer within {} s", self.limit.as_secs())))??;
        advertised::commit(&body, reference)
    }
}

fn failed(why: &str) -> Error {
    Error::new(ErrorKind::Unreachable, format!("the server of the git repository: {why}"))
}

/// What is asked for. It prints nothing of the URL, which may hold a credential.
fn address(repository: &str) -> Result<Url> {
    let invalid = |why: &str| Error::new(ErrorKind::Invalid, format!("the URL of the git repository {why}"));
    let mut url = Url::parse(repository).map_err(|_| invalid("is none"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("is neither http nor https, and only those are asked"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("holds a credential, which is not sent"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("has a query or a fragment"));
    }
    url.path_segments_mut().map_err(|()| invalid("is none"))?.pop_if_empty().extend(["info", "refs"]);
    url.set_query(Some("service=git-upload-pack"));
    Ok(url)
}

fn on_the_same_host(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let stays = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if stays && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
}

fn client() -> Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls()?)
        // Some servers show a page for people to whoever does not call itself git.
        .user_agent(concat!("git/2 (swarmsecrets/", env!("CARGO_PKG_VERSION"), ")"))
        .redirect(Policy::custom(on_the_same_host))
        .referer(false)
        .build()
        .map_err(|e| Error::new(ErrorKind::Settings, "the HTTP client for git cannot be set up").with_source(e))
}

/// rustls with ring, nothing installed for the whole process.
fn tls() -> Result<ClientConfig> {
    let failed = |why: &'static str| move |e| Error::new(ErrorKind::Settings, why).with_source(e);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(provider.clone())
        .map_err(failed("this system has no certificate authorities: install its `ca-certificates`"))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed("TLS cannot be set up"))?;
    let verified = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(verified.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_branches_stands_beside_the_repository() {
        for url in ["https://git.example.com/a/shop.git", "https://git.example.com/a/shop.git/"] {
            let wanted = "https://git.example.com/a/shop.git/info/refs?service=git-upload-pack";
            assert_eq!(address(url).unwrap().as_str(), wanted);
        }
    }

    #[test]
    fn what_is_not_asked_is_said_without_the_url() {
        for (url, why) in [
            ("git@example.com:shop.git", "is none"),
            ("ssh://git@example.com/shop.git", "neither http nor https"),
            ("file:///srv/shop.git", "neither http nor https"),
            ("https://made-up-token@example.com/shop.git", "holds a credential"),
            ("https://u:made-up-token@example.com/shop.git", "holds a credential"),
            ("https://example.com/shop.git?token=made-up-token", "has a query"),
        ] {
            let error = address(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(why) && !error.to_string().contains("made-up"), "{url}: {error}");
        }
    }
}
