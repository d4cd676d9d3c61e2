//! The proxy, whose URL may hold a password.

use reqwest::Url;
use swarmsecrets_core::{Error, ErrorKind, Result};

use crate::address;

/// Which proxy requests go through.
pub(crate) enum Proxy {
    /// The system's: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. A Portainer on this machine is reached directly.
    System,
    /// None.
    Direct,
    /// This one, for every request.
    Through(Url),
}

impl Proxy {
    /// Checks a proxy's URL. No message shows it.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Err(Error::new(ErrorKind::Settings, format!("the URL of the proxy {why}")));
        let Ok(url) = Url::parse(text) else {
            return bad("is not a URL: give it like `http://proxy.example.org:3128`");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return bad("must begin with `http://` or `https://`");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return bad("holds a path, a `?` or a `#`: leave out what follows the port");
        }
        Ok(Self::Through(url))
    }

    /// Whether it is known to be this machine, or there is none.
    pub(crate) fn stays_here(&self) -> bool {
        match self {
            Self::System | Self::Direct => true,
            Self::Through(url) => address::is_loopback(url),
        }
    }

    /// Puts it into a client; `loopback` says that Portainer is on this machine.
    pub(crate) fn apply(&self, client: reqwest::ClientBuilder, loopback: bool) -> Result<reqwest::ClientBuilder> {
        match self {
            Self::System if !loopback => Ok(client),
            Self::System | Self::Direct => Ok(client.no_proxy()),
            // No cause is kept: it might show the URL with its password.
            Self::Through(url) => reqwest::Proxy::all(url.as_str())
                .map(|proxy| client.no_proxy().proxy(proxy))
                .map_err(|_| Error::new(ErrorKind::Settings, "the URL of the proxy cannot be used")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_proxies_are_refused_without_being_shown() {
        for bad in
            ["", "us3r", "socks4://us3r:pa55@p", "http://us3r:pa55@", "http://us3r:pa55@p/path", "http://us3r:pa55@p?q"]
        {
            let error = Proxy::parse(bad).err().unwrap_or_else(|| panic!("{bad:?} was taken"));
            let shown = format!("{error:?}");
            assert_eq!(error.kind(), ErrorKind::Settings);
            assert!(!shown.contains("us3r") && !shown.contains("pa55"), "{shown}");
        }
    }
}
