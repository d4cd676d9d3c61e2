//! The settings of a sink, and what is wrong with them.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use reqwest::{Client, Url};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_tls::{Trust, config};
use zeroize::Zeroizing;

use crate::sink::ElasticsearchAudit;

/// How long an answer is waited for, and a connection.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// Collects the settings of an [`ElasticsearchAudit`]; [`Builder::build`] checks them.
pub struct Builder {
    url: String,
    index: String,
    trust: Trust,
    login: Option<Zeroizing<Vec<u8>>>,
}

impl Builder {
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), index: "swarmsecrets-audit".to_owned(), trust: Trust::System, login: None }
    }

    /// Writes to this index or data stream: `swarmsecrets-audit` if not set.
    #[must_use]
    pub fn index(self, index: &str) -> Self {
        Self { index: index.to_owned(), ..self }
    }

    /// Believes certificates of this authority **only** (PEM, one or several).
    #[must_use]
    pub fn ca_certificate(self, pem: &[u8]) -> Self {
        Self { trust: Trust::Only(pem.to_vec()), ..self }
    }

    /// Logs in as a user.
    #[must_use]
    pub fn password(self, user: &str, password: &SecretValue) -> Self {
        let pair = Zeroizing::new([user.as_bytes(), b":", password.expose()].concat());
        Self { login: Some(header(b"Basic ", Zeroizing::new(STANDARD.encode(&*pair)).as_bytes())), ..self }
    }

    /// Logs in with an API key, as Elasticsearch gives it in its `encoded` form.
    #[must_use]
    pub fn api_key(self, key: &SecretValue) -> Self {
        Self { login: Some(header(b"ApiKey ", key.expose())), ..self }
    }

    /// Checks the settings and makes the sink. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying which setting is wrong, and showing no credential.
    pub fn build(self) -> Result<ElasticsearchAudit> {
        let url = address(&self.url)?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let begins = self.index.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !begins || self.index.len() > 255 || !self.index.chars().all(good) {
            return Err(settings(
                "the index has lower-case letters, digits and `-_.`, and begins with one of the first two",
            ));
        }
        let bulk = url
            .join(&format!("{}/_bulk?filter_path=errors,items.create.status,items.create.error.type", self.index))
            .map_err(|_| settings("the URL cannot be gone on from"))?;
        let login = match &self.login {
            None => None,
            Some(login) => {
                let bad = |_| settings("the credential holds a line break or a control character");
                let mut value = HeaderValue::from_bytes(login).map_err(bad)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let mut tls = config(&self.trust)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .user_agent(concat!("swarmsecrets/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(PATIENCE.0)
            .connect_timeout(PATIENCE.1)
            .build()
            .map_err(|e| settings("the HTTP client cannot be set up").with_source(e))?;
        let place = format!("index {} of {}", self.index, url.origin().ascii_serialization());
        Ok(ElasticsearchAudit { client, bulk, login, place })
    }
}

fn header(scheme: &[u8], credential: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([scheme, credential].concat())
}

/// Messages show nothing of a URL that may hold a password.
fn address(text: &str) -> Result<Url> {
    let url =
        Url::parse(text).map_err(|_| settings("the URL is none: give it like `https://search.example.org:9200`"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(settings("the URL holds a user, a password, a query or a fragment: give the place alone"));
    }
    let host = url.host_str().unwrap_or_default();
    let near = host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if near => {}
        "http" => return Err(settings("over a network it must be `https://`: records and logins are sent there")),
        _ => return Err(settings("the URL must begin with `https://`")),
    }
    match url.path().ends_with('/') {
        true => Ok(url),
        false => Url::parse(&format!("{url}/")).map_err(|_| settings("the URL cannot be gone on from")),
    }
}

fn settings(why: &str) -> Error {
    Error::new(ErrorKind::Settings, format!("cannot set up an audit sink in OpenSearch: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_no_credential_is_shown() {
        let made_up = SecretValue::credential(b"made-up-password\n".to_vec());
        for (builder, part) in [
            (Builder::at("search.example.org"), "the URL is none"),
            (Builder::at("ftp://search.example.org/"), "must begin with `https://`"),
            (Builder::at("http://search.example.org:9200"), "over a network"),
            (Builder::at("https://me:made-up-password@search.example.org"), "a user, a password"),
            (Builder::at("https://search.example.org/?token=made-up-password"), "a query"),
            (Builder::at("https://h").index("../_all"), "the index"),
            (Builder::at("https://h").index("Audit"), "the index"),
            (Builder::at("https://h").index(""), "the index"),
            (Builder::at("https://h").api_key(&made_up), "the credential holds"),
            (Builder::at("https://h").ca_certificate(b"none"), "CA certificate"),
        ] {
            let error = builder.build().err().unwrap_or_else(|| panic!("{part}: it is taken"));
            assert!(error.kind() == ErrorKind::Settings && error.message().contains(part), "{error}");
            assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
        }
    }

    #[test]
    fn the_place_is_kept_with_its_path() {
        for (url, bulk) in [
            ("http://127.0.0.1:9200", "http://127.0.0.1:9200/a/_bulk"),
            ("http://[::1]:9200/", "http://[::1]:9200/a/_bulk"),
            ("http://localhost/search", "http://localhost/search/a/_bulk"),
        ] {
            let authority = rcgen::generate_simple_self_signed(vec!["h".into()]).unwrap().cert.pem();
            let built = Builder::at(url).index("a").ca_certificate(authority.as_bytes()).build().unwrap();
            assert!(built.bulk.as_str().starts_with(bulk), "{}", built.bulk);
        }
    }
}
