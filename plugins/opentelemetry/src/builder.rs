//! The settings of a sink, and what is wrong with them.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    TRANSFER_ENCODING, UPGRADE,
};
use reqwest::{Client, Url};
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use swarmsecrets_tls::{Trust, config, config_with_identity};
use zeroize::Zeroizing;

use crate::sink::{OpenTelemetryAudit, host};

/// How long an answer is waited for, and a connection.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// Headers that say how a request is to be read, and no login.
const TAKEN: [HeaderName; 7] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, UPGRADE];

/// Collects the settings of an [`OpenTelemetryAudit`]; [`Builder::build`] checks them.
pub struct Builder {
    url: String,
    trust: Trust,
    identity: Option<(Vec<u8>, SecretValue)>,
    login: Option<(String, Zeroizing<Vec<u8>>)>,
}

impl Builder {
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), trust: Trust::System, identity: None, login: None }
    }

    /// Believes certificates of this authority **only** (PEM, one or several).
    #[must_use]
    pub fn ca_certificate(self, pem: &[u8]) -> Self {
        Self { trust: Trust::Only(pem.to_vec()), ..self }
    }

    /// Shows the receiver this certificate, with those between it and its authority, and proves it with its key (both PEM).
    #[must_use]
    pub fn client_certificate(self, pem: &[u8], key: SecretValue) -> Self {
        Self { identity: Some((pem.to_vec(), key)), ..self }
    }

    /// Logs in with a token (`Authorization: Bearer`).
    #[must_use]
    pub fn token(self, token: &SecretValue) -> Self {
        self.login(AUTHORIZATION.as_str(), Zeroizing::new([b"Bearer ", token.expose()].concat()))
    }

    /// Logs in as a user (`Authorization: Basic`).
    #[must_use]
    pub fn password(self, user: &str, password: &SecretValue) -> Self {
        let pair = Zeroizing::new([user.as_bytes(), b":", password.expose()].concat());
        let encoded = Zeroizing::new(STANDARD.encode(&*pair));
        self.login(AUTHORIZATION.as_str(), Zeroizing::new([b"Basic ", encoded.as_bytes()].concat()))
    }

    /// Logs in with a header of this name, such as `api-key`, whose value is sent as it stands.
    #[must_use]
    pub fn header(self, name: &str, value: &SecretValue) -> Self {
        self.login(name, Zeroizing::new(value.expose().to_vec()))
    }

    fn login(self, name: &str, value: Zeroizing<Vec<u8>>) -> Self {
        Self { login: Some((name.to_owned(), value)), ..self }
    }

    /// Checks the settings and makes the sink. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying which setting is wrong, and showing no credential.
    pub fn build(self) -> Result<OpenTelemetryAudit> {
        let url = address(&self.url)?;
        let logs = url.join("v1/logs").map_err(|_| settings("the URL cannot be gone on from"))?;
        let login = self.login.as_ref().map(|(name, value)| header(name, value)).transpose()?;
        let mut tls = match &self.identity {
            None => config(&self.trust)?,
            Some(_) if url.scheme() != "https" => {
                return Err(settings(
                    "a client certificate is of no use without encryption: leave it out, or give `https://`",
                ));
            }
            Some((certificates, key)) => config_with_identity(&self.trust, certificates, key)?,
        };
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
        let place = url.origin().ascii_serialization();
        Ok(OpenTelemetryAudit { client, logs, login, host: host(), place })
    }
}

fn header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| !TAKEN.contains(name));
    let name =
        name.ok_or_else(|| settings("the header is none that a login can be sent in: give it like `api-key`"))?;
    let mut value = HeaderValue::from_bytes(value)
        .map_err(|_| settings("the credential holds a line break or a control character"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Messages show nothing of a URL that may hold a password.
fn address(text: &str) -> Result<Url> {
    let url =
        Url::parse(text).map_err(|_| settings("the URL is none: give it like `https://collector.example.org:4318`"))?;
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
    if url.path().trim_end_matches('/').ends_with("/v1/logs") {
        return Err(settings("the URL ends with `/v1/logs`: leave that out, it is added"));
    }
    match url.path().ends_with('/') {
        true => Ok(url),
        false => Url::parse(&format!("{url}/")).map_err(|_| settings("the URL cannot be gone on from")),
    }
}

fn settings(why: &str) -> Error {
    Error::new(ErrorKind::Settings, format!("cannot set up an audit sink for OpenTelemetry: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_no_credential_is_shown() {
        let made_up = || SecretValue::credential(b"made-up-password\n".to_vec());
        let good = || SecretValue::credential(b"made-up-token".to_vec());
        for (builder, part) in [
            (Builder::at("collector.example.org"), "the URL is none"),
            (Builder::at("grpc://collector.example.org/"), "must begin with `https://`"),
            (Builder::at("http://collector.example.org:4318"), "over a network"),
            (Builder::at("http://192.0.2.1:4318"), "over a network"),
            (Builder::at("https://me:made-up-password@collector.example.org"), "a user, a password"),
            (Builder::at("https://collector.example.org/?token=made-up-password"), "a query"),
            (Builder::at("https://collector.example.org/v1/logs"), "leave that out"),
            (Builder::at("https://collector.example.org/otlp/v1/logs/"), "leave that out"),
            (Builder::at("https://h").token(&made_up()), "the credential holds"),
            (Builder::at("https://h").header("api-key", &made_up()), "the credential holds"),
            (Builder::at("https://h").header("api key", &good()), "the header is none"),
            (Builder::at("https://h").header("Content-Length", &good()), "the header is none"),
            (Builder::at("https://h").header("", &good()), "the header is none"),
            (Builder::at("https://h").ca_certificate(b"none"), "CA certificate"),
            (Builder::at("https://h").client_certificate(b"none", good()), "client certificate"),
            (Builder::at("http://127.0.0.1").client_certificate(b"none", good()), "of no use"),
        ] {
            let error = builder.build().err().unwrap_or_else(|| panic!("{part}: it is taken"));
            assert!(error.kind() == ErrorKind::Settings && error.message().contains(part), "{error}");
            assert!(!format!("{error:?}").contains("made-up"), "{error:?}");
        }
    }

    #[test]
    fn the_place_is_kept_with_its_path() {
        for (url, logs) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/logs"),
            ("http://[::1]:4318/", "http://[::1]:4318/v1/logs"),
            ("http://localhost/otlp", "http://localhost/otlp/v1/logs"),
        ] {
            let authority = rcgen::generate_simple_self_signed(vec!["h".into()]).unwrap().cert.pem();
            let built = Builder::at(url).ca_certificate(authority.as_bytes()).build().unwrap();
            assert_eq!(built.logs.as_str(), logs);
        }
    }
}
