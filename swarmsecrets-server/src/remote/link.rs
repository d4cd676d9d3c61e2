//! The way there and back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, Url};
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use serde_json::value::RawValue;
use swarmsecrets_client::Order;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue};
use tokio::time::interval;

use crate::wire::{Fault, Line, Token};

/// How much of an answer is read, in bytes: an inventory or a plan of some ten thousand services.
const LONGEST_ANSWER: usize = 256 << 20;
/// How long a silence may be: while the server reads a large Swarm, it says nothing.
const SILENCE: Duration = Duration::from_secs(300);
/// How long it may take until somebody answers at all.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a wish to stop is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// A server, and what it knows us by.
pub(super) struct Link {
    http: Client,
    base: String,
    /// As people know it.
    address: String,
}

/// A document's bytes as a part of another one.
pub(super) fn text(json: Vec<u8>) -> Result<Box<RawValue>> {
    serde_json::from_slice(&json).map_err(|e| protocol(format!("a decision cannot be written: {e}")))
}

fn protocol(message: String) -> Error {
    Error::new(ErrorKind::Protocol, message)
}

fn settings(message: String) -> Error {
    Error::new(ErrorKind::Settings, message)
}

impl Link {
    pub(super) fn new(address: &str, token: &SecretValue) -> Result<Self> {
        Token::new(token)?;
        let builder = Client::builder()
            .tls_backend_preconfigured(nobody_is_believed()?)
            .retry(reqwest::retry::never())
            // Within a machine a connection costs nothing, and one that was kept may be half closed when it is used again.
            .pool_max_idle_per_host(0)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .default_headers(headers(token)?);
        let (builder, base) = match address.strip_prefix("unix:") {
            Some(path) => (on_socket(builder, Path::new(path))?, "http://localhost".to_owned()),
            None => (builder, on_port(address)?),
        };
        let http = builder.build().map_err(|e| settings(format!("no way to {}: {e}", quoted(address))))?;
        Ok(Self { http, base, address: address.to_owned() })
    }

    pub(super) async fn get(&self, path: &str) -> Result<String> {
        self.whole(self.send(Method::GET, path, None).await?).await
    }

    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<String> {
        self.whole(self.send(Method::POST, path, Some(written(body)?)).await?).await
    }

    /// Has something carried out, tells the order's observer what happens, and gives the document of how it went. A wish to stop is passed on.
    pub(super) async fn carry(&self, path: &str, body: &impl Serialize, order: &Order<'_>) -> Result<Box<RawValue>> {
        let mut response = self.send(Method::POST, path, Some(written(body)?)).await?;
        let (mut number, mut asked, mut rest) = (None, false, Vec::new());
        let mut looks = interval(LOOK);
        loop {
            let piece = tokio::select! {
                piece = response.chunk() => piece.map_err(|e| self.broken(&e))?,
                _ = looks.tick() => {
                    if let (Some(number), false, true) = (number, asked, order.cancellation.is_cancelled()) {
                        asked = true;
                        self.send(Method::POST, &format!("/v1/operations/{number}/stop"), None).await?;
                    }
                    continue;
                }
            };
            let Some(piece) = piece else {
                return Err(protocol(format!(
                    "the server at {} hung up before it said how it went: see which rotations are not finished",
                    quoted(&self.address)
                )));
            };
            if rest.len() + piece.len() > LONGEST_ANSWER {
                return Err(self.too_large());
            }
            rest.extend_from_slice(&piece);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                match read(&line)? {
                    None => {}
                    Some(Line::Began(given)) => number = Some(given),
                    Some(Line::Told(told)) => told.tell(order.observer),
                    Some(Line::Done(report)) => return Ok(report),
                    Some(Line::Failed(fault)) => return Err(fault.into()),
                }
            }
        }
    }

    /// Sends one request, once. A refusal is an error.
    async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Response> {
        let request = self.http.request(method, format!("{}{path}", self.base)).body(body.unwrap_or_default());
        let response = request.send().await.map_err(|e| self.broken(&e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = self.whole(response).await?;
        let fault: std::result::Result<Fault, _> = serde_json::from_str(&body);
        Err(fault.map_or_else(
            |_| protocol(format!("the server at {} answered {status}", quoted(&self.address))),
            Error::from,
        ))
    }

    async fn whole(&self, mut response: Response) -> Result<String> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|e| self.broken(&e))? {
            if body.len() + piece.len() > LONGEST_ANSWER {
                return Err(self.too_large());
            }
            body.extend_from_slice(&piece);
        }
        String::from_utf8(body).map_err(|_| protocol("the answer of the server is no text".to_owned()))
    }

    fn too_large(&self) -> Error {
        let text = format!("the server at {} answers more than {LONGEST_ANSWER} bytes", quoted(&self.address));
        Error::new(ErrorKind::TooLarge, text)
    }

    fn broken(&self, error: &reqwest::Error) -> Error {
        let server = quoted(&self.address);
        if error.is_connect() {
            let text = format!("nobody answers at {server}: is `swarmsecrets run` running there, and may you connect?");
            Error::new(ErrorKind::Unreachable, text)
        } else if error.is_timeout() {
            Error::new(ErrorKind::Timeout, format!("the server at {server} is silent"))
        } else {
            protocol(format!("the connection to the server at {server} broke off"))
        }
    }
}

fn read(line: &[u8]) -> Result<Option<Line>> {
    match line.trim_ascii() {
        b"" => Ok(None),
        line => serde_json::from_slice(line)
            .map(Some)
            .map_err(|e| protocol(format!("a line of the server's cannot be read: {e}"))),
    }
}

fn written(body: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(body).map_err(|e| protocol(format!("the request cannot be written: {e}")))
}

fn headers(token: &SecretValue) -> Result<HeaderMap> {
    let bearer = [b"Bearer ", token.expose()].concat();
    let invalid = |_| settings("the token cannot be sent in a header".to_owned());
    let mut authorization = HeaderValue::from_bytes(&bearer).map_err(invalid)?;
    authorization.set_sensitive(true);
    let json = HeaderValue::from_static("application/json");
    Ok([(AUTHORIZATION, authorization), (ACCEPT, json.clone()), (CONTENT_TYPE, json)].into_iter().collect())
}

/// Nothing is encrypted within a machine, and nobody's certificate is needed; the client wants settings all the same.
fn nobody_is_believed() -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let versions =
        builder.with_safe_default_protocol_versions().map_err(|e| settings(format!("no encryption: {e}")))?;
    Ok(versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

#[cfg(unix)]
fn on_socket(builder: reqwest::ClientBuilder, path: &Path) -> Result<reqwest::ClientBuilder> {
    if path.is_absolute() {
        return Ok(builder.unix_socket(path));
    }
    Err(settings(format!("{} is not the whole path of a socket: write it as unix:/…", quoted(&path.to_string_lossy()))))
}

#[cfg(not(unix))]
fn on_socket(_: reqwest::ClientBuilder, _: &Path) -> Result<reqwest::ClientBuilder> {
    Err(settings(
        "there are no sockets in the file system of this machine: write the server's address as http://127.0.0.1:PORT"
            .to_owned(),
    ))
}

/// The base of a server on a port of this machine: the token is not sent anywhere else.
fn on_port(address: &str) -> Result<String> {
    let wrong = |why: &str| {
        let address = quoted(address);
        settings(format!("{address} {why}: write the server's address as unix:/PATH or http://127.0.0.1:PORT"))
    };
    let url: Url = address.parse().map_err(|_| wrong("is no address"))?;
    let here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        None => false,
    };
    if url.scheme() != "http" || !here {
        return Err(wrong("is not on this machine"));
    }
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(wrong("has more than a host and a port"));
    }
    Ok(address.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(address: &str) -> Result<Link> {
        Link::new(address, &SecretValue::new("made-up-token-of-a-caller-0123456789".into()).unwrap())
    }

    #[test]
    fn a_token_goes_to_this_machine_alone() {
        for good in
            ["unix:/run/swarmsecrets/socket", "http://127.0.0.1:7979", "http://localhost:1/", "http://[::1]:7979"]
        {
            assert!(link(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "unix:socket",
            "socket",
            "https://127.0.0.1:7979",
            "http://example.org",
            "http://127.0.0.1.example.org",
            "http://127.0.0.1@example.org",
            "http://127.0.0.1:1/v1",
            "http://user:made-up@127.0.0.1:1",
        ] {
            let error = link(bad).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Settings, "{bad}");
        }
    }

    #[test]
    fn a_token_is_long_and_can_be_sent() {
        for bad in ["made-up", "a token with spaces that is long enough for one"] {
            let token = SecretValue::new(bad.into()).unwrap();
            let error = Link::new("http://127.0.0.1:1", &token).map(drop).unwrap_err();
            assert!(error.kind() == ErrorKind::Settings && !error.to_string().contains(bad), "{error}");
        }
    }
}
