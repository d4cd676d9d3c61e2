//! The settings of a transport, checked before anything is sent.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use swarmsecrets_core::transport::World;
use swarmsecrets_core::{Error, ErrorKind, Result, SecretValue, ids};

use crate::address::Address;
use crate::attempt::Wire;
use crate::credential::Credential;
use crate::proxy::Proxy;
use crate::retry::Retries;
use crate::tls::{self, Trust};
use crate::transport::PortainerTransport;

/// What we are to servers, and who acts when no agent is named.
const SOFTWARE: &str = concat!("swarmsecrets/", env!("CARGO_PKG_VERSION"));
const AGENT_HEADER: HeaderName = HeaderName::from_static("x-ai-agent-id");
const LONGEST_AGENT: usize = 128;
const CONNECT: Duration = Duration::from_secs(10);
/// Shorter than servers commonly keep silent connections, so that a mutation is not sent into one that just closed.
const IDLE: Duration = Duration::from_secs(20);

/// Collects the settings; [`Builder::build`] checks them all.
pub struct Builder {
    url: String,
    credential: Option<Credential>,
    credentials: u32,
    agent: Option<String>,
    ca: Option<Vec<u8>>,
    proxy: Option<String>,
    direct: bool,
    timeout: Duration,
    retries: u32,
    max_body: usize,
}

impl Builder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            credential: None,
            credentials: 0,
            agent: None,
            ca: None,
            proxy: None,
            direct: false,
            timeout: Duration::from_secs(30),
            retries: 3,
            max_body: 1 << 30,
        }
    }

    /// Proves the account with an access token, sent as `X-API-Key`. Give either this or a JWT.
    #[must_use]
    pub fn api_key(self, key: SecretValue) -> Self {
        self.credential(Credential::ApiKey(key))
    }

    /// Proves the account with the token of a login, sent as `Authorization: Bearer`. Give either this or an API key.
    #[must_use]
    pub fn jwt(self, token: SecretValue) -> Self {
        self.credential(Credential::Jwt(token))
    }

    fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self.credentials += 1;
        self
    }

    /// Names the AI agent that acts: `X-AI-Agent-ID` on every request. 1 to 128 visible ASCII characters, no spaces. Without
    /// it the header says `swarmsecrets/<version>`.
    #[must_use]
    pub fn agent_id(mut self, agent: &str) -> Self {
        self.agent = Some(agent.to_owned());
        self
    }

    /// Believes certificates of this authority **only** (PEM, one or several), and no longer those that the system believes:
    /// who has a private authority does not want a public one to speak for Portainer. A self-signed certificate may be
    /// given too, unless it says that it is an authority itself.
    #[must_use]
    pub fn ca_certificate(mut self, pem: &[u8]) -> Self {
        self.ca = Some(pem.to_vec());
        self
    }

    /// Sends every request through this proxy, such as `http://user:password@proxy.example.org:3128`. Without it the system's
    /// proxies are used (`HTTPS_PROXY`, `NO_PROXY`, …), but never for a Portainer on this machine.
    #[must_use]
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(url.to_owned());
        self
    }

    /// Uses no proxy, whatever the system says.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.direct = true;
        self
    }

    /// How long to wait for an answer to begin, and how long a silence within one may be: 30 seconds if not set. A whole
    /// answer may take twenty times as long. Connecting is given up after 10 seconds, or half of this if that is less.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a read is sent again, 3 times if not set. Mutations never are.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The largest answer that is read whole, in bytes: 1 GiB if not set.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Checks the settings and makes the transport. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`], saying which setting is wrong and never showing a credential.
    pub fn build(self) -> Result<PortainerTransport> {
        let address = Address::parse(&self.url)?;
        let proxy = self.checked_proxy()?;
        let agent = checked_agent(self.agent.as_deref())?;
        if self.timeout.is_zero() {
            return Err(settings("the timeout is zero: give it like `30s`"));
        }
        let client = self.client(&address, &proxy, &agent)?;
        let stays_here = address.is_loopback() && proxy.stays_here();
        let insecure = !address.is_https() && !stays_here;
        let wire = Wire {
            client,
            origin: address.origin(),
            timeout: self.timeout,
            sent: AtomicU64::new(0),
            world: World::default(),
        };
        let (retries, max_body) = (Retries(self.retries), self.max_body);
        Ok(PortainerTransport { address, wire, retries, max_body, agent, insecure })
    }

    fn checked_proxy(&self) -> Result<Proxy> {
        match (&self.proxy, self.direct) {
            (Some(_), true) => Err(settings("a proxy is given and ruled out at once: leave out one of the two")),
            (Some(url), false) => Proxy::parse(url),
            (None, true) => Ok(Proxy::Direct),
            (None, false) => Ok(Proxy::System),
        }
    }

    fn headers(&self, agent: &str) -> Result<HeaderMap> {
        let credential = match (&self.credential, self.credentials) {
            (Some(credential), 1) => credential,
            (None, _) => return Err(settings("no credential is given: give an API key of Portainer, or a JWT")),
            _ => return Err(settings("more than one credential is given: give either one API key or one JWT")),
        };
        let agent = HeaderValue::from_str(agent).map_err(|_| settings("the agent id cannot be sent in a header"))?;
        Ok(HeaderMap::from_iter([credential.header()?, (AGENT_HEADER, agent)]))
    }

    fn client(&self, address: &Address, proxy: &Proxy, agent: &str) -> Result<reqwest::Client> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&self.trust(address))?)
            .http1_only()
            .default_headers(self.headers(agent)?)
            .user_agent(SOFTWARE)
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT.min(self.timeout / 2))
            .pool_idle_timeout(IDLE);
        // No cause is kept: it might show the URL of a proxy with its password.
        proxy.apply(client, address.is_loopback())?.build().map_err(|_| settings("the HTTP client cannot be set up"))
    }

    fn trust(&self, address: &Address) -> Trust {
        match &self.ca {
            Some(pem) => Trust::Only(pem.clone()),
            None if address.is_https() => Trust::System,
            None => Trust::SystemIfAny,
        }
    }
}

fn checked_agent(agent: Option<&str>) -> Result<String> {
    let agent = agent.unwrap_or(SOFTWARE);
    if agent.is_empty() || agent.len() > LONGEST_AGENT || !agent.bytes().all(|b| b.is_ascii_graphic()) {
        let shown = ids::quoted(agent);
        return Err(settings(&format!(
            "{shown} is not an agent id: give 1 to {LONGEST_AGENT} visible ASCII characters without spaces"
        )));
    }
    Ok(agent.to_owned())
}

fn settings(message: &str) -> Error {
    Error::new(ErrorKind::Settings, message)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL is not shown before it was checked: it may hold a password.
        f.debug_struct("Builder")
            .field("timeout", &self.timeout)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretValue {
        SecretValue::credential(b"ptr_made-up".to_vec())
    }

    fn http(url: &str) -> Builder {
        PortainerTransport::builder(url).no_proxy()
    }

    #[test]
    fn exactly_one_credential_is_given() {
        for (builder, ok) in [
            (http("http://h"), false),
            (http("http://h").api_key(key()), true),
            (http("http://h").jwt(key()), true),
            (http("http://h").api_key(key()).jwt(key()), false),
            (http("http://h").api_key(key()).api_key(key()), false),
            (http("http://h").api_key(SecretValue::credential(vec![])), false),
        ] {
            assert_eq!(builder.build().map_err(|e| e.kind()).err(), (!ok).then_some(ErrorKind::Settings));
        }
    }

    #[test]
    fn agents_are_named_in_visible_ascii() {
        let longest = "x".repeat(128);
        let too_long = "x".repeat(129);
        for (agent, ok) in [
            ("a", true),
            ("claude-code/2.1 ", false),
            ("", false),
            ("é", false),
            ("a\r\nX-Evil: 1", false),
            (&*longest, true),
            (&*too_long, false),
        ] {
            let built = http("http://h").api_key(key()).agent_id(agent).build();
            assert_eq!(built.map_err(|e| e.kind()).err(), (!ok).then_some(ErrorKind::Settings), "{agent:?}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let both = http("http://h").api_key(key()).proxy("http://p:1");
        assert_eq!(both.build().unwrap_err().kind(), ErrorKind::Settings);
        let zero = http("http://h").api_key(key()).timeout(Duration::ZERO);
        assert_eq!(zero.build().unwrap_err().kind(), ErrorKind::Settings);
    }

    #[test]
    fn what_travels_in_the_clear_is_said() {
        let insecure = |url, proxy: Option<&str>| {
            let builder = PortainerTransport::builder(url).api_key(key());
            let builder = match proxy {
                Some(proxy) => builder.proxy(proxy),
                None => builder.no_proxy(),
            };
            builder.build().unwrap().insecure()
        };
        assert!(insecure("http://10.1.2.3:9000", None));
        assert!(insecure("http://localhost:9000", Some("http://proxy.example.org:3128")));
        assert!(!insecure("http://localhost:9000", None));
        assert!(!insecure("http://localhost:9000", Some("http://127.0.0.1:3128")));
    }

    #[test]
    fn nothing_shows_a_credential() {
        let builder = PortainerTransport::builder("http://h").api_key(key()).proxy("http://me:pa55@p:1");
        assert!(!format!("{builder:?}").contains("pa55"));
        let transport = builder.build().unwrap();
        let shown = format!("{transport:?}");
        assert!(shown.contains("http://h") && shown.contains(SOFTWARE), "{shown}");
        assert!(!shown.contains("ptr_") && !shown.contains("pa55"), "{shown}");
    }
}
