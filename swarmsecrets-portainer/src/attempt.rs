//! One request on the wire, and what its status means.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Body, Client, Request, Response, Url};
use swarmsecrets_core::transport::{Method, Node, SIMULATED_HEADER, World, refusal};
use swarmsecrets_core::{Error, ErrorKind, Result, ids};
use tokio::time::timeout;

use crate::address;
use crate::body::Reading;
use crate::failure::{Again, Failure};

/// The client and what it has learned.
pub(crate) struct Wire {
    pub(crate) client: Client,
    pub(crate) origin: String,
    /// The longest wait for an answer to begin, and the longest silence within one.
    pub(crate) timeout: Duration,
    pub(crate) sent: AtomicU64,
    pub(crate) world: World,
}

impl Wire {
    /// Sends one request, once, and gives the answer if it is a good one.
    pub(crate) async fn send(&self, request: Request, what: &str) -> Result<(Response, Reading), Failure> {
        let reading = self.reading(what);
        let answer = match timeout(self.timeout, self.client.execute(request)).await {
            Err(_) => Err(Failure::timeout(what, self.timeout)),
            Ok(Err(error)) => Err(Failure::http(what, &self.origin, error)),
            Ok(Ok(response)) => Ok(response),
        };
        if !matches!(&answer, Err(failure) if failure.error.kind() == ErrorKind::Unreachable) {
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        let response = answer?;
        if !response.status().is_success() {
            return Err(self.refused(response, &reading).await);
        }
        let simulated = response.headers().contains_key(SIMULATED_HEADER);
        self.world.saw(simulated, what).map_err(Failure::lasting)?;
        Ok((response, reading))
    }

    fn reading(&self, what: &str) -> Reading {
        Reading { what: what.to_owned(), origin: self.origin.clone(), silence: self.timeout }
    }

    async fn refused(&self, response: Response, reading: &Reading) -> Failure {
        let status = response.status();
        if let (true, Some(to)) = (status.is_redirection(), response.headers().get(LOCATION)) {
            return redirected(&reading.what, status.as_u16(), response.url(), to);
        }
        let again = match status.as_u16() {
            429 | 503 => asked(response.headers()).map_or(Again::Later, Again::After),
            502 | 504 => Again::Later,
            _ => Again::Never,
        };
        let body = reading.refusal(response).await;
        Failure { error: refusal(&reading.what, status.as_u16(), &body), again }
    }
}

/// Makes a request. The body, if there is one, is JSON.
///
/// # Errors
/// `Protocol` if the name of a node can be no header.
pub(crate) fn request(method: Method, url: Url, node: &Node, body: Option<Body>) -> Result<Request> {
    let method = match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    };
    let told = match node.header(url.path()) {
        Some((name, value)) => Some((HeaderName::from_static(name), header(value)?)),
        None => None,
    };
    let mut request = Request::new(method, url);
    request.headers_mut().extend(told);
    if let Some(body) = body {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body);
    }
    Ok(request)
}

fn header(name: &str) -> Result<HeaderValue> {
    let no_header =
        |_| Error::new(ErrorKind::Protocol, format!("node {} has a name that cannot be sent", ids::quoted(name)));
    HeaderValue::from_str(name).map_err(no_header)
}

fn redirected(what: &str, status: u16, from: &Url, to: &HeaderValue) -> Failure {
    let to = to.to_str().ok().and_then(|to| from.join(to).ok());
    let place = to.map_or_else(|| "another place".to_owned(), |to| ids::quoted(&address::origin(&to)));
    let message = format!(
        "cannot {what}: the server sends to {place} (HTTP {status}): that was not followed and the credential was not sent \
         there; give the URL at which Portainer itself answers"
    );
    Failure::lasting(Error::new(ErrorKind::Protocol, message))
}

/// The pause that the server asks for, in seconds. A date is not read: the clocks may differ.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_seconds_are_a_pause() {
        for (text, pause) in
            [("0", Some(0)), (" 12 ", Some(12)), ("-1", None), ("1.5", None), ("Wed, 21 Oct 2015 07:28:00 GMT", None)]
        {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(asked(&headers), pause.map(Duration::from_secs), "{text}");
        }
    }
}
